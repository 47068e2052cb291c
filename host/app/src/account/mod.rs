//! Profile and security: what people do about their own account, whatever their roles. Password, second factor, passkeys, recovery
//! codes, what identity providers call them, the sessions that they are signed in with, and what they prefer.

pub mod api;
mod browser;
mod identities;
mod ops;
mod pages;
mod passkeys;
pub mod passkeys_api;
mod preferences;
mod second_factor;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/account", pages::show_account)
        .post("/account/erase", pages::erase_account)
        .post("/account/password", pages::change_password)
        .post("/account/preferences", preferences::save_preferences)
        .post("/account/sessions/end-others", pages::end_other_sessions)
        .post("/account/sessions/{id}/end", pages::end_session)
        .post("/account/devices/{id}/forget", pages::forget_device)
        .post("/account/identities/link", identities::begin_link)
        .post("/account/identities/{id}/unlink", identities::unlink)
        .get("/account/passkeys/new", passkeys::show_new_passkey)
        .post("/account/passkeys", passkeys::add_passkey)
        .post("/account/passkeys/{id}/rename", passkeys::rename_passkey)
        .post("/account/passkeys/{id}/remove", passkeys::remove_passkey)
        .get("/account/second-factor", second_factor::show_set_up)
        .post("/account/second-factor", second_factor::begin)
        .post("/account/second-factor/confirm", second_factor::confirm)
        .post("/account/second-factor/off", second_factor::switch_off)
        .post("/account/recovery-codes", second_factor::renew_recovery_codes)
}
