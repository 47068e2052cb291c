//! Profile and security: what people do about their own account, whatever their roles. Password, second factor, recovery
//! codes, and the sessions that they are signed in with.

pub mod api;
mod browser;
mod pages;
mod second_factor;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/account", get(pages::show_account))
        .route("/account/password", post(pages::change_password))
        .route("/account/sessions/end-others", post(pages::end_other_sessions))
        .route("/account/sessions/{id}/end", post(pages::end_session))
        .route("/account/second-factor", get(second_factor::show_set_up).post(second_factor::begin))
        .route("/account/second-factor/confirm", post(second_factor::confirm))
        .route("/account/second-factor/off", post(second_factor::switch_off))
        .route("/account/recovery-codes", post(second_factor::renew_recovery_codes))
}
