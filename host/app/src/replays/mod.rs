//! Replays: chunks that are stored are read anew, by the build of the plugin that the connection is on and with
//! its present settings. Nothing is asked of the channel. Where nothing has changed nothing is added.

pub mod api;
pub mod jobs;
pub mod ops;
mod pages;
pub mod queries;
mod run;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;

use crate::App;

pub use views::{replay_rows, stored_data};

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/connections/{id}/replays", post(pages::start_replay))
        .route("/connections/{id}/replays/{replay_id}/cancel", post(pages::cancel_replay))
}
