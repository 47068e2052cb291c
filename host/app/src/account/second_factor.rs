//! Setting up the second factor, switching it off, and new recovery codes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use portolan_access::{RecoveryCodes, SecondFactorError};
use portolan_admin_ui::pages::{RecoveryCodesPage, SecondFactorPage};
use portolan_admin_ui::parts::{CodeField, QrDrawing, Section};
use serde::Deserialize;

use super::pages::{Refused, refuse};
use crate::App;
use crate::web::actor::{Oneself, PageActor, Require, SettingUp};
use crate::web::client::FromWhere;
use crate::web::cookies::with_session;
use crate::web::error::{AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::next::{is_place, with_next};
use crate::web::step_up::StepUp;
use crate::web::viewer::{Viewer, redirect_after};

const SET_UP: &str = "/account/second-factor";
const ACCOUNT: &str = "/account";

/// What is read beside a code that was not taken, whatever the reason.
const REFUSED: &str = "This code is not right, was used already, or there were too many tries. Wait for the next one, then try again.";

/// Where to go afterwards: whoever sets the host up goes on with that.
#[derive(Deserialize)]
pub struct NextForm {
    next: Option<String>,
}

#[derive(Deserialize)]
pub struct FirstCodeForm {
    code: String,
    next: Option<String>,
}

#[derive(Deserialize)]
pub struct CodeForm {
    code: String,
}

/// Makes a seed; nothing is asked for before its first code was right.
pub async fn begin(
    StepUp(PageActor(actor)): StepUp<PageActor<SettingUp>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Form(form): Form<NextForm>,
) -> PageResult {
    let next = form.next.filter(|next| is_place(next));
    let here = next.as_deref().map_or_else(|| SET_UP.to_owned(), |next| with_next(SET_UP, next));
    match app.second_factors().begin(actor.signed_in()?, client).await {
        Ok(()) => Ok(Redirect::to(&here).into_response()),
        // On already: there it is seen.
        Err(SecondFactorError::AlreadyOn) => Ok(afterwards(next).into_response()),
        Err(error) => Err(error.into()),
    }
}

pub async fn show_set_up(
    StepUp(PageActor(actor)): StepUp<PageActor<SettingUp>>,
    State(app): State<Arc<App>>,
    Query(query): Query<NextForm>,
) -> PageResult {
    let next = query.next.filter(|next| is_place(next));
    match set_up_page(&app, &actor, None, next.clone()).await? {
        Some(page) => html(&page),
        None => Ok(afterwards(next).into_response()),
    }
}

/// The first code: from now on one is asked for. Shows the recovery codes for the only time.
pub async fn confirm(
    StepUp(PageActor(actor)): StepUp<PageActor<SettingUp>>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<FirstCodeForm>,
) -> PageResult {
    let next = form.next.filter(|next| is_place(next));
    match app.second_factors().confirm(actor.signed_in()?, &form.code, client).await {
        Ok((codes, session)) => {
            let page = codes_page(&app, &actor, codes, true, next).await?;
            let jar = with_session(&app, &headers, jar, session.token);
            Ok((jar, html(&page)?).into_response())
        }
        Err(SecondFactorError::Refused) => {
            match set_up_page(&app, &actor, Some(REFUSED), next.clone()).await? {
                Some(page) => Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response()),
                // Sent twice: it is on.
                None => Ok(afterwards(next).into_response()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn switch_off(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Form(form): Form<CodeForm>,
) -> PageResult {
    match app.second_factors().switch_off(actor.signed_in()?, &form.code, client).await {
        Ok(()) => Ok(redirect_after("/account", "second-factor-off")),
        Err(SecondFactorError::Refused) => {
            refuse(&app, &actor, Refused { code: Some(REFUSED.to_owned()), ..Refused::default() }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows new ones for the only time; the old ones are void.
pub async fn renew_recovery_codes(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
) -> PageResult {
    let codes = app.second_factors().renew_recovery_codes(actor.signed_in()?, client).await?;
    html(&codes_page(&app, &actor, codes, false, None).await?)
}

/// `None` where no seed waits for its first code.
async fn set_up_page(
    app: &App,
    actor: &Require<SettingUp>,
    refused: Option<&str>,
    next: Option<String>,
) -> AppResult<Option<SecondFactorPage>> {
    let Some(enrolment) = app.second_factors().enrolment(actor.user).await? else { return Ok(None) };
    let viewer = Viewer::load(app, actor).await?;
    Ok(Some(SecondFactorPage {
        shell: viewer.shell("Set up a second factor", Section::None),
        drawing: QrDrawing::new(&enrolment.url),
        key: enrolment.key,
        code: CodeField::new("Code that it shows", refused.map(str::to_owned)),
        next,
    }))
}

fn afterwards(next: Option<String>) -> Redirect {
    Redirect::to(next.as_deref().unwrap_or(ACCOUNT))
}

pub(super) async fn codes_page<G>(
    app: &App,
    actor: &Require<G>,
    codes: RecoveryCodes,
    first: bool,
    next: Option<String>,
) -> AppResult<RecoveryCodesPage> {
    let viewer = Viewer::load(app, actor).await?;
    let shell = viewer.shell("Recovery codes", Section::None);
    let made_on = viewer.today().to_string();
    let next = next.unwrap_or_else(|| ACCOUNT.to_owned());
    Ok(RecoveryCodesPage { shell, name: viewer.user_name().to_owned(), made_on, codes: codes.0, first, next })
}
