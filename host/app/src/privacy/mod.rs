//! What customers of a shop may ask of the company: what is stored of them, and to be forgotten. People ask for them on a page
//! or over the API, channels by a signed address; how long customers are kept is said per connection.
//!
//! The customers themselves are kept by [`crate::subjects`]: here is who may ask what, when it is done, and that it is told.

pub mod api;
mod ask;
mod download;
mod forms;
mod hook_api;
mod hooks;
pub mod jobs;
mod kept;
mod names;
mod notice;
pub mod ops;
mod pages;
mod queries;
pub mod retention;
pub mod retention_api;
mod run;
mod store;
mod unknown;
mod verify;
mod views;

pub use hook_api::routes as hook_routes;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/privacy", pages::show_privacy)
        .post("/admin/privacy/find", pages::find_customer)
        .post("/admin/privacy/requests", pages::ask_by_page)
        .post("/admin/privacy/requests/{id}/cancel", pages::cancel_by_page)
        .post("/admin/privacy/requests/{id}/retry", pages::retry_by_page)
        .get("/admin/privacy/requests/{id}/export", download::download_by_page)
        .post("/admin/privacy/retention", pages::save_retention)
        .post("/connections/{id}/privacy-hook", pages::make_hook_by_page)
        .public_post(
            "/hooks/{token}",
            hooks::receive,
            "a channel comes here, by an address that is a secret, and signs what it brings",
        )
}
