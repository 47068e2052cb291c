//! Upgrades: a connection moves to another build of its plugin when a person says so, having seen what would
//! change. Builds stay side by side; going back is pointing back.

pub mod api;
mod compare;
pub mod jobs;
pub mod ops;
mod pages;
pub mod queries;
pub mod report;
mod run;
mod shadow;
mod shadow_cash;
pub mod switch;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

pub use views::upgrade_notice;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/connections/{id}/upgrade", get(pages::show_upgrade).post(pages::start_shadow))
        .route("/connections/{id}/upgrade/{shadow_id}/switch", post(pages::switch_build))
        .route("/connections/{id}/upgrade/{shadow_id}/cancel", post(pages::cancel_shadow))
        .route("/connections/{id}/rollback", post(pages::roll_back))
}
