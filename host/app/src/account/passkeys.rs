//! The pages of one's own passkeys.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum_extra::extract::CookieJar;
use portolan_access::passkeys::PasskeyError;
use portolan_admin_ui::pages::NewPasskeyPage;
use portolan_admin_ui::parts::Section;
use serde::Deserialize;
use uuid::Uuid;

use super::browser::browser_name;
use super::ops::{self, AddError, NewPasskey};
use super::pages::{Refused, refuse};
use super::second_factor::codes_page;
use crate::App;
use crate::people::ops::sentence;
use crate::web::actor::{Oneself, PageActor, Require, SettingUp};
use crate::web::client::FromWhere;
use crate::web::cookies::with_session;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{Viewer, redirect_after};

const ACCOUNT: &str = "/account";

/// What a script fills in, but for the name.
#[derive(Deserialize)]
pub struct NewPasskeyForm {
    name: String,
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    answer: String,
}

#[derive(Deserialize)]
pub struct NameForm {
    #[serde(default)]
    name: String,
}

pub async fn show_new_passkey(
    StepUp(PageActor(actor)): StepUp<PageActor<SettingUp>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
) -> PageResult {
    html(&new_page(&app, &actor, browser_name(&client.user_agent), None).await?)
}

/// Shows recovery codes where it is the first second factor.
pub async fn add_passkey(
    StepUp(PageActor(actor)): StepUp<PageActor<SettingUp>>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<NewPasskeyForm>,
) -> PageResult {
    let name = form.name.clone();
    let new = NewPasskey { ceremony: form.ceremony, name: form.name, answer: form.answer };
    match ops::add_passkey(&app, actor.signed_in()?, new, client).await {
        Ok(registered) => {
            let jar = with_session(&app, &headers, jar, registered.session.token);
            match registered.codes {
                Some(codes) => {
                    let page = codes_page(&app, &actor, codes, true, None).await?;
                    Ok((jar, html(&page)?).into_response())
                }
                None => Ok((jar, redirect_after(ACCOUNT, "passkey-added")).into_response()),
            }
        }
        Err(AddError::Passkey(PasskeyError::SecondFactor(error))) => Err(error.into()),
        Err(AddError::Passkey(error)) => {
            let page = new_page(&app, &actor, name, Some(sentence(&error.to_string()))).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(AddError::Other(error)) => Err(error.into()),
    }
}

pub async fn rename_passkey(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
    Form(form): Form<NameForm>,
) -> PageResult {
    match app.second_factors().rename_passkey(actor.signed_in()?, id, &form.name, client).await {
        Ok(true) => Ok(redirect_after(ACCOUNT, "passkey-renamed")),
        Ok(false) => Err(AppError::not_found("passkey").into()),
        Err(error @ PasskeyError::Name) => {
            let refused =
                Refused { passkey_name: Some((id, sentence(&error.to_string()))), ..Refused::default() };
            refuse(&app, &actor, refused).await
        }
        Err(error) => Err(AppError::from(error).into()),
    }
}

pub async fn remove_passkey(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
) -> PageResult {
    match ops::remove_passkey(&app, actor.signed_in()?, id, client).await {
        Ok(true) => Ok(redirect_after(ACCOUNT, "passkey-removed")),
        Ok(false) => Err(AppError::not_found("passkey").into()),
        Err(AddError::Passkey(error @ PasskeyError::LastOne)) => {
            let refused = Refused { passkey: Some(sentence(&error.to_string())), ..Refused::default() };
            refuse(&app, &actor, refused).await
        }
        Err(error) => Err(AppError::from(error).into()),
    }
}

async fn new_page(
    app: &App,
    actor: &Require<SettingUp>,
    name: String,
    error: Option<String>,
) -> AppResult<NewPasskeyPage> {
    let viewer = Viewer::load(app, actor).await?;
    let unavailable = app.passkeys().err().map(|error| sentence(&error.to_string()));
    Ok(NewPasskeyPage {
        shell: viewer.shell("Add a passkey", Section::None),
        name,
        unavailable,
        error,
        first: !app.second_factors().ways_of(actor.user).await?.any(),
    })
}
