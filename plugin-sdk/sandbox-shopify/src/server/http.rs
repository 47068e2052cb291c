//! The sandbox behind HTTP: `/admin/api/{version}/graphql.json` for the first shop, the same under
//! `/shops/{name}` for each, and `/_sandbox/…` to control it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fault::Fault;
use super::sandbox::{Options, Reply, Sandbox};

const LARGEST_BODY_BYTES: usize = 1 << 20;

/// A running sandbox; it stops when this is dropped.
pub struct Handle {
    pub address: SocketAddr,
    pub sandbox: Arc<Sandbox>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Handle {
    /// The base URL of the first shop.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the server ends by itself.
    pub async fn wait(mut self) -> std::io::Result<()> {
        (&mut self.task).await.unwrap_or(Ok(()))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone only when the server has ended already.
            let _ended = stop.send(());
        }
    }
}

/// Generates the world and serves it on a listener, inside the current runtime.
pub fn serve(listener: TcpListener, options: Options) -> std::io::Result<Handle> {
    let address = listener.local_addr()?;
    let sandbox = Arc::new(Sandbox::new(options));
    let (stop, stopped) = oneshot::channel::<()>();
    let router = router(Arc::clone(&sandbox));
    let task = tokio::spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(async move { drop(stopped.await) }).await
    });
    Ok(Handle { address, sandbox, stop: Some(stop), task })
}

fn router(sandbox: Arc<Sandbox>) -> axum::Router {
    axum::Router::new()
        .route("/admin/api/{version}/graphql.json", post(answer_first_shop))
        .route("/shops/{shop}/admin/api/{version}/graphql.json", post(answer_shop))
        .route("/_sandbox/state", get(read_state))
        .route("/_sandbox/faults", post(inject_faults).delete(clear_faults))
        .route("/_sandbox/truth", get(read_truth))
        .route("/_sandbox/orders.csv", get(export_orders))
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .with_state(sandbox)
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
    let reply = tokio::task::spawn_blocking(move || {
        sandbox.answer(shop.as_deref(), token.as_deref(), fault.as_deref(), &body)
    })
    .await;
    match reply {
        Ok(reply) => send(reply).await,
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox could not answer"),
    }
}

async fn send(reply: Reply) -> Response {
    if reply.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
    }
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Body::from(reply.body))
        .unwrap_or_else(|_| failure(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox could not answer"))
}

fn failure(status: StatusCode, message: &'static str) -> Response {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = status;
    response
}

async fn read_state(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    Json(sandbox.report())
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Faults {
    Several(Vec<Fault>),
    One(Fault),
}

async fn inject_faults(State(sandbox): State<Arc<Sandbox>>, Json(faults): Json<Faults>) -> Json<Value> {
    let faults = match faults {
        Faults::Several(faults) => faults,
        Faults::One(fault) => vec![fault],
    };
    for fault in faults {
        sandbox.inject(fault);
    }
    Json(sandbox.report())
}

async fn clear_faults(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    sandbox.clear_faults();
    Json(sandbox.report())
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
    match shop.to_orders_csv() {
        Ok(body) => with_type("text/csv; charset=utf-8", body),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the orders could not be written"),
    }
}

fn with_type(content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}
