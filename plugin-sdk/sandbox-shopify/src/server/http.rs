//! The sandbox behind HTTP: `/admin/api/{version}/graphql.json` for the first shop, the same under
//! `/shops/{name}` for each, and `/_sandbox/…` to control it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use portolan_sandbox::http::{self, failure, with_type};
use tokio::net::TcpListener;

use super::sandbox::{Options, Sandbox};

/// A running sandbox; it stops when this is dropped. Its URL is the base URL of the first shop.
pub type Handle = http::Handle<Sandbox>;

/// Generates the world and serves it on a listener, inside the current runtime.
pub fn serve(listener: TcpListener, options: Options) -> std::io::Result<Handle> {
    http::serve(listener, Sandbox::new(options), routes())
}

fn routes() -> axum::Router<Arc<Sandbox>> {
    axum::Router::new()
        .route("/admin/api/{version}/graphql.json", post(answer_first_shop))
        .route("/shops/{shop}/admin/api/{version}/graphql.json", post(answer_shop))
        .route("/_files/{shop}/{name}", get(answer_file))
        .route("/_sandbox/truth", get(read_truth))
        .route("/_sandbox/orders.csv", get(export_orders))
}

async fn answer_first_shop(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(sandbox, None, &headers, body).await
}

async fn answer_shop(
    State(sandbox): State<Arc<Sandbox>>,
    Path((shop, _version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(sandbox, Some(shop), &headers, body).await
}

async fn answer(sandbox: Arc<Sandbox>, shop: Option<String>, headers: &HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let token = text("x-shopify-access-token");
    let fault = text("x-sandbox-fault");
    // Files lie beside, under the name by which the sandbox was asked.
    let files_url = format!("http://{}/_files", text("host").unwrap_or_default());
    http::answer(move || {
        sandbox.answer_at(&files_url, shop.as_deref(), token.as_deref(), fault.as_deref(), &body)
    })
    .await
}

async fn answer_file(
    State(sandbox): State<Arc<Sandbox>>,
    Path((shop, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (range, token) = (text("range"), text("x-shopify-access-token"));
    http::answer(move || sandbox.answer_file(&shop, &name, range.as_deref(), token.as_deref())).await
}

#[derive(serde::Deserialize)]
struct WhichShop {
    shop: Option<String>,
}

async fn read_truth(State(sandbox): State<Arc<Sandbox>>, Query(which): Query<WhichShop>) -> Response {
    let Some(shop) = sandbox.shop(which.shop.as_deref()) else {
        return failure(StatusCode::NOT_FOUND, "no such shop");
    };
    match serde_json::to_vec(&shop.truth()) {
        Ok(body) => with_type("application/json", body),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the truth could not be written"),
    }
}

async fn export_orders(State(sandbox): State<Arc<Sandbox>>, Query(which): Query<WhichShop>) -> Response {
    let Some(shop) = sandbox.shop(which.shop.as_deref()) else {
        return failure(StatusCode::NOT_FOUND, "no such shop");
    };
    let mut body = Vec::new();
    match shop.write_orders_csv(&mut body) {
        Ok(()) => with_type("text/csv; charset=utf-8", body),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the orders could not be written"),
    }
}
