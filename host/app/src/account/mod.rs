//! Profile and security: what people do about their own account, whatever their roles. Password, second factor, passkeys, recovery
//! codes, and the sessions that they are signed in with.

pub mod api;
mod browser;
mod ops;
mod pages;
mod passkeys;
pub mod passkeys_api;
mod second_factor;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/account", pages::show_account)
        .post("/account/erase", pages::erase_account)
        .post("/account/password", pages::change_password)
        .post("/account/sessions/end-others", pages::end_other_sessions)
        .post("/account/sessions/{id}/end", pages::end_session)
        .post("/account/devices/{id}/forget", pages::forget_device)
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
