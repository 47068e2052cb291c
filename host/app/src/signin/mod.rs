//! Signing in and out: by password, or by a one-time link that an operator made.

mod pages;

use crate::web::route::PageRoutes;

const WAY_IN: &str = "it is the way in";

/// Pages that need no session.
pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .public_get("/sign-in", pages::show_sign_in, WAY_IN)
        .public_post("/sign-in", pages::sign_in, WAY_IN)
        .public_get("/sign-in/link/{token}", pages::show_link, WAY_IN)
        .public_post("/sign-in/link/{token}", pages::use_link, WAY_IN)
        .public_post("/sign-out", pages::sign_out, "it ends whatever session the request carries, or none")
}
