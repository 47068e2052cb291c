//! The second step of signing in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use portolan_access::{MailCode, PendingSignIn, SecondFactorError};
use portolan_admin_ui::pages::SecondStepPage;
use portolan_admin_ui::parts::PasskeyForm;
use serde::Deserialize;

use super::pages::{SignInQuery, sign_in_page, welcome};
use crate::App;
use crate::mail::{Letter, outbox};
use crate::web::client::FromWhere;
use crate::web::cookies::{second_step_token, with_device, with_second_step, without_second_step};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::next::{is_place, with_next};

const HERE: &str = "/sign-in/second-step";
const MS_A_DAY: i64 = 24 * 60 * 60 * 1_000;

#[derive(Deserialize)]
pub struct NextForm {
    next: Option<String>,
}

#[derive(Deserialize)]
pub struct CodeForm {
    code: String,
    next: Option<String>,
    /// Present where this browser is to be remembered.
    remember: Option<String>,
}

/// From the first step to the second.
pub fn ask_for_second_step(
    app: &App,
    headers: &HeaderMap,
    jar: CookieJar,
    pending: PendingSignIn,
    next: Option<&str>,
) -> Response {
    let place = next.map_or_else(|| HERE.to_owned(), |next| with_next(HERE, next));
    (with_second_step(app, headers, jar, pending.token), Redirect::to(&place)).into_response()
}

pub async fn show_second_step(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<SignInQuery>,
) -> PageResult {
    let next = query.next.filter(|next| is_place(next));
    let token = second_step_token(&headers, &app).unwrap_or_default();
    match page(&app, &token, next, false).await? {
        Some(page) => html(&page),
        None => Ok(Redirect::to("/sign-in").into_response()),
    }
}

/// The page with the ways that whoever has done the first step has; `None` where nobody has.
pub async fn page(
    app: &App,
    token: &str,
    next: Option<String>,
    mailed: bool,
) -> AppResult<Option<SecondStepPage>> {
    let Some((user, tenant)) = app.sessions.who_is_pending(token).await? else { return Ok(None) };
    let ways = app.second_factors().ways_of(user).await?;
    let mut page = match ways.any() {
        true => SecondStepPage::new(next),
        false => SecondStepPage::by_mail(next, mailed),
    };
    if ways.any() && !ways.code {
        page.code = None;
    }
    let can_ask = ways.passkey && app.passkeys().is_ok();
    page.passkey = can_ask.then(|| PasskeyForm::second_step(page.next.clone()));
    page.remember_days = app.sessions.devices_last(tenant).await?.as_ms() / MS_A_DAY;
    Ok(Some(page))
}

/// Has a code mailed to whoever has no other second factor. The same answer whether one was sent or not: how often is no
/// stranger's business.
pub async fn mail_code(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(form): Form<NextForm>,
) -> PageResult {
    let next = form.next.filter(|next| is_place(next));
    let token = second_step_token(&headers, &app).unwrap_or_default();
    let Some(page) = page(&app, &token, next, true).await? else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let in_task = Arc::clone(&app);
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let app = in_task;
                let Some(MailCode { to, code }) = app.sessions.make_mail_code(tx, &token).await? else {
                    return Ok(());
                };
                outbox::post(&app, tx, &Letter::SignInCode { to, code }).await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    html(&page)
}

/// One answer to every code that is not taken.
pub async fn finish_sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<CodeForm>,
) -> PageResult {
    let next = form.next.filter(|next| is_place(next));
    let token = second_step_token(&headers, &app).unwrap_or_default();
    let finished = app.second_factors().finish_sign_in(&token, &form.code, client.clone()).await;
    match finished {
        Ok(shown) => {
            let mut jar = without_second_step(&app, jar);
            // A recovery code is for whoever has lost something: their browser is not the one to trust.
            if form.remember.is_some() && shown.recovery_codes_left.is_none() {
                let remembered = app.sessions.remember_device(&shown, client).await?;
                if let Some(token) = remembered {
                    jar = with_device(&app, &headers, jar, token);
                }
            }
            // Whoever lost their authenticator should see that, before anything else.
            let next =
                shown.recovery_codes_left.map(|_| "/account?done=recovery-code-used").or(next.as_deref());
            Ok(welcome(&app, &headers, jar, shown.session, next))
        }
        Err(SecondFactorError::Refused) => match page(&app, &token, next.clone(), true).await? {
            Some(page) => Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page.refused())?).into_response()),
            None => too_late(&app, jar, next),
        },
        Err(error) => Err(error.into()),
    }
}

/// The first step is over, or was finished elsewhere.
pub fn too_late(app: &App, jar: CookieJar, next: Option<String>) -> PageResult {
    let mut page = sign_in_page(app, next);
    page.error = Some("That took longer than ten minutes. Begin again with your name.".to_owned());
    let jar = without_second_step(app, jar);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, jar, html(&page)?).into_response())
}
