//! What a company asks of whoever signs in to it: second factor, length of sessions, networks. And whom it trusts to say
//! who they are.

pub mod api;
pub mod ops;
mod pages;
mod provider_pages;
pub mod providers;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/security", pages::show_security)
        .post("/admin/security", pages::save_security)
        .get("/admin/sign-in-providers", provider_pages::list_providers)
        .post("/admin/sign-in-providers", provider_pages::add_provider)
        .get("/admin/sign-in-providers/{id}", provider_pages::show_provider)
        .post("/admin/sign-in-providers/{id}", provider_pages::save_provider)
        .post("/admin/sign-in-providers/{id}/check", provider_pages::check_provider)
        .post("/admin/sign-in-providers/{id}/delete", provider_pages::remove_provider)
}
