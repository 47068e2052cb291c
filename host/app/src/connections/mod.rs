//! Connections: one tenant's account at one channel, through one connector.

pub mod api;
pub mod change;
mod detail;
mod form;
mod fresh;
mod mapping;
pub mod ops;
mod pages;
pub mod passing;
pub mod queries;
pub mod remove;
mod settings;
mod upload_page;
pub mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::App;

/// The largest upload, packed.
const LARGEST_UPLOAD_BYTES: usize = 512 << 20;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/connections", get(pages::list_connections))
        .route("/connections/new", get(form::choose_plugin))
        .route("/connections/new/{plugin_id}", get(form::show_form).post(form::submit_form))
        .route("/connections/{id}", get(detail::show_connection))
        .route("/connections/{id}/mapping/{stream}", get(mapping::show_mapping).post(mapping::submit_mapping))
        .route("/connections/{id}/settings", get(settings::show_settings).post(settings::submit_settings))
        .route(
            "/connections/{id}/uploads",
            post(upload_page::upload_file).layer(DefaultBodyLimit::max(LARGEST_UPLOAD_BYTES)),
        )
        .route("/connections/{id}/uploads/{upload_id}/remove", post(upload_page::remove_upload))
        .route("/connections/{id}/uploads/{upload_id}/retry", post(upload_page::retry_upload))
        .route("/connections/{id}/{action}", post(detail::act_on_connection))
}
