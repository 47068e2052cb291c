//! Whoever writes a secret has shown within ten minutes who they are: a browser that was left open is no way to point a
//! connection at another account.

use portolan_access::SignedIn;
use portolan_connector::{FieldError, Manifest};
use serde_json::Value;

use crate::App;
use crate::web::error::{AppError, AppResult};
use crate::web::step_up::check_fresh;

/// Refuses what holds a secret from somebody who has not shown of late who they are.
pub fn check_secrets(app: &App, signed_in: &SignedIn, manifest: &Manifest, config: &Value) -> AppResult<()> {
    let entered = manifest.split_config(config).secrets;
    if entered.is_empty() { Ok(()) } else { check_fresh(app, signed_in) }
}

/// The same for a form, which keeps what was typed: said beside the first secret that was entered.
pub fn check_form(app: &App, signed_in: &SignedIn, manifest: &Manifest, config: &Value) -> AppResult<()> {
    let entered = manifest.split_config(config).secrets;
    let Some((path, _)) = entered.into_iter().next() else { return Ok(()) };
    check_fresh(app, signed_in).map_err(|_| {
        let message = "You signed in some time ago: open /sign-in/again in another tab, show that it is still you, then \
            enter this once more and send it again.";
        AppError::invalid_fields(vec![FieldError { path, message: message.to_owned() }])
    })
}
