//! The page of one's own account.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use portolan_access::passkeys::OwnPasskey;
use portolan_access::{OwnDevice, OwnSession, SignInError};
use portolan_admin_ui::pages::{
    AccountDevice, AccountPage, AccountPasskey, AccountSession, RecoveryCard, SecondFactorCard,
};
use portolan_admin_ui::parts::{CodeField, PostAction, Section};
use serde::Deserialize;
use tokio::try_join;
use uuid::Uuid;

use super::browser::browser_name;
use super::{identities, ops, preferences};
use crate::App;
use crate::people::erase_person;
use crate::people::ops::sentence;
use crate::security::providers::list;
use crate::web::actor::{Oneself, PageActor, Require, SettingUp};
use crate::web::client::FromWhere;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

pub(super) const ACCOUNT: &str = "/account";
/// From here on it is time for new ones.
const FEW_CODES: u64 = 3;

#[derive(Deserialize)]
pub struct PasswordForm {
    /// Absent where there is none yet.
    #[serde(default)]
    old_password: String,
    new_password: String,
    repeated: String,
}

/// What was refused, beside the field that it is about.
#[derive(Debug, Default)]
pub struct Refused {
    pub old_password: Option<String>,
    pub new_password: Option<String>,
    /// The code that should have switched the second factor off.
    pub code: Option<String>,
    /// Another name of this passkey.
    pub passkey_name: Option<(Uuid, String)>,
    /// Why one stays.
    pub passkey: Option<String>,
}

pub async fn show_account(
    PageActor(actor): PageActor<SettingUp>,
    State(app): State<Arc<App>>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&page(&app, &actor, &flash, Refused::default()).await?)
}

pub async fn change_password(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Form(form): Form<PasswordForm>,
) -> PageResult {
    if form.new_password != form.repeated {
        let twice = "The two are not the same. Enter the new password twice.".to_owned();
        return refuse(&app, &actor, Refused { new_password: Some(twice), ..Refused::default() }).await;
    }
    let (old, new) = (&form.old_password, &form.new_password);
    let hashed = app.sessions.hash_own_password(actor.signed_in()?, old, new).await;
    let refused = match hashed {
        Ok(hash) => {
            ops::change_password(&app, actor.signed_in()?, hash, client).await?;
            return Ok(redirect_after(ACCOUNT, "password-changed"));
        }
        Err(SignInError::Refused) => {
            let wrong =
                "This is not your password, or there were too many tries. Wait a moment, then try again.";
            Refused { old_password: Some(wrong.to_owned()), ..Refused::default() }
        }
        Err(SignInError::Password(error)) if error.is_of_choice() => {
            Refused { new_password: Some(sentence(&error.to_string())), ..Refused::default() }
        }
        Err(error) => return Err(error.into()),
    };
    refuse(&app, &actor, refused).await
}

/// Ends where nobody is signed in any more.
pub async fn erase_account(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    Form(form): Form<EraseForm>,
) -> PageResult {
    erase_person(&app, actor.who(), actor.user, form.confirm.as_deref().unwrap_or_default()).await?;
    Ok(Redirect::to("/sign-in").into_response())
}

#[derive(Debug, Default, Deserialize)]
pub struct EraseForm {
    /// The sign-in name, typed to confirm what cannot be undone.
    confirm: Option<String>,
}

pub async fn end_session(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
) -> PageResult {
    if !app.sessions.end_session(actor.signed_in()?, id, client).await? {
        return Err(AppError::not_found("session").into());
    }
    Ok(redirect_after(ACCOUNT, "session-ended"))
}

/// A code is asked for there again.
pub async fn forget_device(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
) -> PageResult {
    if !app.sessions.forget_device(actor.signed_in()?, id, client).await? {
        return Err(AppError::not_found("browser").into());
    }
    Ok(redirect_after(ACCOUNT, "device-forgotten"))
}

pub async fn end_other_sessions(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
) -> PageResult {
    app.sessions.end_other_sessions(actor.signed_in()?, client).await?;
    Ok(redirect_after(ACCOUNT, "sessions-ended"))
}

/// The page again, with what was refused beside its field.
pub async fn refuse(app: &App, actor: &Require<Oneself>, refused: Refused) -> PageResult {
    let page = page(app, actor, &FlashQuery::default(), refused).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
}

async fn page<G>(
    app: &App,
    actor: &Require<G>,
    flash: &FlashQuery,
    refused: Refused,
) -> AppResult<AccountPage> {
    let account = async { Ok(app.sessions.own_account(actor.user).await?) };
    let (viewer, account, providers) = try_join!(Viewer::load(app, actor), account, list(app, actor.tenant))?;
    let second_factor = account.code_since.map(|since| SecondFactorCard {
        since: viewer.when(since),
        code: CodeField::new("Code", refused.code),
    });
    let recovery = account.ways().any().then(|| RecoveryCard {
        codes_left: codes_text(account.recovery_codes_left),
        few_codes: account.recovery_codes_left <= FEW_CODES,
    });
    let row_of_passkey = |passkey| passkey_row(&viewer, passkey, refused.passkey_name.as_ref());
    let this = actor.signed_in()?.session;
    let (identities, linkable) = identities::shown(app, &viewer, &providers, &account.identities);
    Ok(AccountPage {
        shell: viewer.shell_after("Profile and security", Section::None, flash),
        name: viewer.user_name().to_owned(),
        has_password: account.has_password,
        old_password_error: refused.old_password,
        new_password_error: refused.new_password,
        second_factor,
        identities,
        linkable,
        recovery,
        passkeys: account.passkeys.into_iter().map(row_of_passkey).collect(),
        no_passkeys: app.passkeys().err().map(|error| sentence(&error.to_string())),
        passkey_error: refused.passkey,
        preferences: preferences::fields(viewer.preferences()),
        erase: PostAction::danger(
            "Delete my account",
            "/account/erase",
            viewer.user_name(),
            "You leave every company, and your name, password, second factor and keys are forgotten for good.",
        ),
        sessions: account.sessions.into_iter().map(|session| row(&viewer, session, this)).collect(),
        devices: account.devices.into_iter().map(|device| device_row(&viewer, device)).collect(),
    })
}

fn row(viewer: &Viewer, session: OwnSession, this: Uuid) -> AccountSession {
    AccountSession {
        end: format!("/account/sessions/{}/end", session.id),
        browser: browser_name(&session.user_agent),
        address: session.address,
        since: viewer.when(session.begun_at),
        last_seen: viewer.when(session.last_seen_at),
        this: session.id == this,
    }
}

fn passkey_row(viewer: &Viewer, passkey: OwnPasskey, refused: Option<&(Uuid, String)>) -> AccountPasskey {
    let error = refused.filter(|(id, _)| *id == passkey.id).map(|(_, error)| error.clone());
    AccountPasskey {
        rename: format!("/account/passkeys/{}/rename", passkey.id),
        remove: format!("/account/passkeys/{}/remove", passkey.id),
        name: passkey.name,
        since: viewer.when(passkey.created_at),
        last_used: passkey.last_used_at.map(|at| viewer.when(at)),
        error,
    }
}

fn device_row(viewer: &Viewer, device: OwnDevice) -> AccountDevice {
    AccountDevice {
        forget: format!("/account/devices/{}/forget", device.id),
        browser: browser_name(&device.user_agent),
        address: device.address,
        since: viewer.when(device.since),
        last_used: viewer.when(device.last_used_at),
        until: viewer.when(device.expires_at),
    }
}

fn codes_text(left: u64) -> String {
    match left {
        0 => "No recovery code is left".to_owned(),
        1 => "1 recovery code is left".to_owned(),
        left => format!("{left} recovery codes are left"),
    }
}
