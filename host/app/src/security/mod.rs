//! What a company asks of whoever signs in to it: second factor, length of sessions, networks.

pub mod api;
pub mod ops;
mod pages;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/security", pages::show_security)
        .post("/admin/security", pages::save_security)
}
