//! One reference per request: in the answer's header, in error bodies and in every log line.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::App;

tokio::task_local! {
    static REQUEST_ID: Arc<str>;
}

/// The reference of the request being answered; "-" outside of one.
pub fn current() -> String {
    REQUEST_ID.try_with(|id| id.to_string()).unwrap_or_else(|_| "-".to_owned())
}

/// The same work under the reference of the request being answered, for a task of its own: a task that is spawned
/// starts without it.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let id: Arc<str> = current().into();
    REQUEST_ID.scope(id, work.in_current_span())
}

/// Gives the request its reference. Never taken from the client: it goes into the log.
pub async fn assign(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id: Arc<str> = format!("{:016x}", app.random.next_u64()).into();
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        method = %request.method(),
        // The pattern, never the path: a one-time link's token is part of its path.
        path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str),
        // Once they are known.
        user.id = tracing::field::Empty,
        tenant.id = tracing::field::Empty,
    );
    let mut response = REQUEST_ID.scope(Arc::clone(&id), next.run(request).instrument(span)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
