//! How a company looks: name, logo, accent colour, and whom its mails name. White label for its members, its mails, and
//! the door under its own domain.

pub mod api;
mod logo;
mod ops;
mod pages;
mod served;

use crate::web::route::PageRoutes;

const SHOWN_AT_THE_DOOR: &str =
    "the sign-in page under a company's own domain shows it; its address names its content";

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/branding", pages::show_branding)
        .post("/admin/branding", pages::save_branding)
        .post_file("/admin/branding/logo", pages::save_logo, pages::LARGEST_FORM_BYTES)
        .post("/admin/branding/logo/remove", pages::remove_logo)
        .post("/admin/branding/reset", pages::reset_branding)
        .public_get("/brand/colours/{file}", served::show_colours, SHOWN_AT_THE_DOOR)
        .public_get("/brand/logos/{tenant_id}/{hash}", served::show_logo, SHOWN_AT_THE_DOOR)
}
