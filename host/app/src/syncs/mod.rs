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

use crate::web::route::PageRoutes;

pub use views::{held_rows, sync_row};

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/syncs", pages::list_syncs)
        .get("/syncs/{id}", pages::show_sync)
        .post("/syncs/{id}/{action}", pages::act_on_sync)
        .post("/connections/{id}/streams/{stream}/deletes", pages::confirm_deletes)
}
