//! Syncs: one run of a connection's streams, from its plan to its end.

pub mod api;
pub mod jobs;
pub mod ops;
pub mod orphans;
pub mod overview;
mod pages;
pub mod plan;
pub mod progress;
pub mod queries;
mod run;
pub mod vanish;
pub mod vanish_api;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

pub use views::{held_rows, sync_row};

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/syncs", get(pages::list_syncs))
        .route("/syncs/{id}", get(pages::show_sync))
        .route("/syncs/{id}/{action}", post(pages::act_on_sync))
        .route("/connections/{id}/streams/{stream}/deletes", post(pages::confirm_deletes))
}
