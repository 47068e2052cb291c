//! The host itself: health, live events, what `doctor` examines.

pub mod api;
pub mod doctor;
mod events;
mod pages;
mod problems;

pub use pages::{method_not_allowed, not_found};

use crate::web::route::PageRoutes;

const PROBLEMS: &str = "it is the same for everybody: what each kind of problem means";

/// Pages and streams that belong to no other slice.
pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .public_get("/", pages::home, "it only leads on: to the page that somebody begins on, or to Pulse")
        .public_get("/assets/{file}", pages::show_asset, "the sign-in page needs styles and scripts, too")
        .public_get("/api/docs/problems", problems::list_problems, PROBLEMS)
        .public_get("/api/docs/problems/{code}", problems::show_problem, PROBLEMS)
        .get("/events", events::stream_events)
}
