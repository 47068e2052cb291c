//! Signing in and out: by password, or by a one-time link that an operator made.

mod pages;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// Pages that need no session.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sign-in", get(pages::show_sign_in).post(pages::sign_in))
        .route("/sign-in/link/{token}", get(pages::show_link).post(pages::use_link))
        .route("/sign-out", post(pages::sign_out))
}
