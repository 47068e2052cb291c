//! While nobody is there, every page leads to the one that says how to begin.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::App;
use crate::web::error::PageError;

const SET_UP: &str = "/setup";

/// Around pages alone: programs of a host without anybody have no key, and are told to sign in.
pub async fn lead_to_set_up(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == SET_UP || path.starts_with("/assets/") || path.starts_with("/api/") {
        return next.run(request).await;
    }
    match app.sessions.somebody_is_there().await {
        Ok(true) => next.run(request).await,
        Ok(false) => Redirect::to(SET_UP).into_response(),
        Err(error) => PageError(error.into()).into_response(),
    }
}
