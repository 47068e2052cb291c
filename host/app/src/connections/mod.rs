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

use crate::web::route::PageRoutes;

/// The largest upload, packed.
const LARGEST_UPLOAD_BYTES: usize = 512 << 20;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/connections", pages::list_connections)
        .get("/connections/new", form::choose_plugin)
        .get("/connections/new/{plugin_id}", form::show_form)
        .post("/connections/new/{plugin_id}", form::submit_form)
        .get("/connections/{id}", detail::show_connection)
        .get("/connections/{id}/mapping/{stream}", mapping::show_mapping)
        .post("/connections/{id}/mapping/{stream}", mapping::submit_mapping)
        .get("/connections/{id}/settings", settings::show_settings)
        .post("/connections/{id}/settings", settings::submit_settings)
        .post_file("/connections/{id}/uploads", upload_page::upload_file, LARGEST_UPLOAD_BYTES)
        .post("/connections/{id}/uploads/{upload_id}/remove", upload_page::remove_upload)
        .post("/connections/{id}/uploads/{upload_id}/retry", upload_page::retry_upload)
        .post("/connections/{id}/{action}", detail::act_on_connection)
}
