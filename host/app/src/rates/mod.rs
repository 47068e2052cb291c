//! Exchange rates: what is known of them, and by which of them a tenant's amounts are converted.

pub mod api;
pub mod ops;
mod pages;
pub mod queries;
pub mod read;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/rates", get(pages::show_rates))
        .route(
            "/rates/import",
            post(pages::import_rates).layer(DefaultBodyLimit::max(read::LARGEST_FILE_BYTES)),
        )
        .route("/rates/policy", post(pages::set_policy))
}
