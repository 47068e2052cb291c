//! The host itself: health, live events, what `doctor` examines.

pub mod api;
pub mod doctor;
mod events;
mod pages;
mod problems;

pub use pages::{method_not_allowed, not_found};

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::App;

/// Pages and streams that belong to no other slice.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(pages::home))
        .route("/assets/{file}", get(pages::show_asset))
        .route("/api/docs/problems", get(problems::list_problems))
        .route("/api/docs/problems/{code}", get(problems::show_problem))
        .route("/events", get(events::stream_events))
}
