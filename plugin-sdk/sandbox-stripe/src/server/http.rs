//! The sandbox behind HTTP: `/v1/…` for the first account, the same under `/accounts/{name}` for each, and
//! `/_sandbox/…` to control it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use portolan_sandbox::http::{self, failure, with_type};
use serde_json::Value;
use tokio::net::TcpListener;

use super::sandbox::{Options, Question, Sandbox};

/// A running sandbox; it stops when this is dropped. Its URL is the base URL of the first account.
pub type Handle = http::Handle<Sandbox>;

/// Generates the world and serves it on a listener, inside the current runtime.
pub fn serve(listener: TcpListener, options: Options) -> std::io::Result<Handle> {
    http::serve(listener, Sandbox::new(options), routes())
}

fn routes() -> axum::Router<Arc<Sandbox>> {
    axum::Router::new()
        .route("/v1/{*path}", get(answer_first_account))
        .route("/accounts/{account}/v1/{*path}", get(answer_account))
        .route("/_sandbox/truth", get(read_truth))
        .route("/_sandbox/now", post(show_at))
}

async fn answer_first_account(
    State(sandbox): State<Arc<Sandbox>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(sandbox, None, &path, query, &headers).await
}

async fn answer_account(
    State(sandbox): State<Arc<Sandbox>>,
    Path((account, path)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(sandbox, Some(account), &path, query, &headers).await
}

async fn answer(
    sandbox: Arc<Sandbox>,
    account: Option<String>,
    path: &str,
    query: Option<String>,
    headers: &HeaderMap,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (authorization, version, fault) =
        (text("authorization"), text("stripe-version"), text("x-sandbox-fault"));
    let path = format!("/v1/{path}");
    http::answer(move || {
        sandbox.answer(Question {
            account: account.as_deref(),
            authorization: authorization.as_deref(),
            version: version.as_deref(),
            fault: fault.as_deref(),
            path: &path,
            query: query.as_deref().unwrap_or_default(),
        })
    })
    .await
}

#[derive(serde::Deserialize)]
struct WhichAccount {
    account: Option<String>,
}

async fn read_truth(State(sandbox): State<Arc<Sandbox>>, Query(which): Query<WhichAccount>) -> Response {
    let Some(account) = sandbox.account(which.account.as_deref()) else {
        return failure(StatusCode::NOT_FOUND, "no such account");
    };
    match serde_json::to_vec(&account.truth(sandbox.now())) {
        Ok(body) => with_type("application/json", body),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the truth could not be written"),
    }
}

#[derive(serde::Deserialize)]
struct Moment {
    now: i64,
}

async fn show_at(State(sandbox): State<Arc<Sandbox>>, Json(moment): Json<Moment>) -> Json<Value> {
    sandbox.show_at(moment.now);
    Json(sandbox.report())
}
