//! Replays: chunks that are stored are read anew, by the build of the plugin that the connection is on and with
//! its present settings. Nothing is asked of the channel. Where nothing has changed nothing is added.

pub mod api;
pub mod jobs;
pub mod ops;
mod pages;
pub mod queries;
mod run;
mod views;

use crate::web::route::PageRoutes;

pub use views::{replay_rows, stored_data};

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .post("/connections/{id}/replays", pages::start_replay)
        .post("/connections/{id}/replays/{replay_id}/cancel", pages::cancel_replay)
}
