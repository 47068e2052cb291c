//! Signing in and out: by password, or by a one-time link that an operator made; then by a code or a passkey, for whoever has a
//! second factor, or by a passkey alone. A new password for whoever forgot theirs. And showing again who one is, before what a session alone is not enough for.

mod again;
mod forgot;
mod pages;
mod passkeys;
mod second_step;

use crate::web::route::PageRoutes;

const WAY_IN: &str = "it is the way in";

/// Pages that need no session, and the one that asks for it again.
pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .public_get("/sign-in", pages::show_sign_in, WAY_IN)
        .public_post("/sign-in", pages::sign_in, WAY_IN)
        .public_get("/sign-in/link/{token}", pages::show_link, WAY_IN)
        .public_post("/sign-in/link/{token}", pages::use_link, WAY_IN)
        .public_get("/sign-in/forgot", forgot::show_forgot, WAY_IN)
        .public_post("/sign-in/forgot", forgot::ask_for_reset, WAY_IN)
        .public_get("/sign-in/reset/{token}", forgot::show_reset, WAY_IN)
        .public_post("/sign-in/reset/{token}", forgot::reset_password, WAY_IN)
        .public_get("/sign-in/second-step", second_step::show_second_step, WAY_IN)
        .public_post("/sign-in/second-step", second_step::finish_sign_in, WAY_IN)
        .public_post("/sign-in/second-step/mail", second_step::mail_code, WAY_IN)
        .public_post("/sign-in/second-step/passkey", passkeys::finish_second_step, WAY_IN)
        .public_post("/sign-in/passkey", passkeys::sign_in, WAY_IN)
        .post("/sign-in/again/passkey", passkeys::show_again)
        .get("/sign-in/again", again::show_again)
        .post("/sign-in/again", again::sign_in_again)
        .public_post("/sign-out", pages::sign_out, "it ends whatever session the request carries, or none")
}
