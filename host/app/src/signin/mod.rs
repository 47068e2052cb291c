//! Signing in and out: by password, or by a one-time link that an operator made; then by a code, for whoever has a
//! second factor. And showing again who one is, before what a session alone is not enough for.

mod again;
mod pages;
mod second_step;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// Pages that need no session, and the one that asks for it again.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sign-in", get(pages::show_sign_in).post(pages::sign_in))
        .route("/sign-in/link/{token}", get(pages::show_link).post(pages::use_link))
        .route("/sign-in/second-step", get(second_step::show_second_step).post(second_step::finish_sign_in))
        .route("/sign-in/again", get(again::show_again).post(again::sign_in_again))
        .route("/sign-out", post(pages::sign_out))
}
