//! Answers of passkeys: to come in by one alone, in the place of a code, and to show again who one is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use portolan_access::SignInError;
use portolan_admin_ui::parts::PasskeyForm;
use serde::Deserialize;

use super::again;
use super::pages::{sign_in_page, welcome};
use super::second_step::{page, too_late};
use crate::App;
use crate::web::actor::{PageActor, SettingUp};
use crate::web::client::FromWhere;
use crate::web::cookies::{second_step_token, with_session, without_second_step};
use crate::web::error::PageResult;
use crate::web::extract::Form;
use crate::web::html;
use crate::web::next::is_place;

/// What a script fills in.
#[derive(Deserialize)]
pub struct AnswerForm {
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    answer: String,
    next: Option<String>,
}

/// One answer to every passkey that is not taken.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<AnswerForm>,
) -> PageResult {
    let next = form.next.filter(|next| is_place(next));
    match app.passkeys()?.finish_sign_in(&form.ceremony, &form.answer, client).await {
        Ok(session) => Ok(welcome(&app, &headers, without_second_step(&app, jar), session, next.as_deref())),
        Err(SignInError::Refused) => {
            let mut page = sign_in_page(&app, next);
            page.passkey = page.passkey.map(PasskeyForm::refused);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn finish_second_step(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<AnswerForm>,
) -> PageResult {
    let next = form.next.filter(|next| is_place(next));
    let token = second_step_token(&headers, &app).unwrap_or_default();
    let passkeys = app.passkeys()?;
    match passkeys.finish_second_step(&token, &form.ceremony, &form.answer, client).await {
        Ok(shown) => {
            let jar = without_second_step(&app, jar);
            Ok(welcome(&app, &headers, jar, shown.session, next.as_deref()))
        }
        Err(SignInError::Refused) => match page(&app, &token, next.clone(), true).await? {
            Some(mut page) => {
                page.passkey = page.passkey.map(PasskeyForm::refused);
                Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
            }
            None => too_late(&app, jar, next),
        },
        Err(error) => Err(error.into()),
    }
}

pub async fn show_again(
    PageActor(actor): PageActor<SettingUp>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<AnswerForm>,
) -> PageResult {
    let signed_in = actor.signed_in()?;
    match app.passkeys()?.finish_step_up(signed_in, &form.ceremony, &form.answer, client).await {
        Ok(shown) => {
            let next = form.next.filter(|next| is_place(next));
            let jar = with_session(&app, &headers, jar, shown.session.token);
            Ok((jar, Redirect::to(next.as_deref().unwrap_or(again::AFTERWARDS))).into_response())
        }
        Err(SignInError::Refused) => {
            let mut page = again::page(&app, &actor, form.next).await?;
            page.passkey = page.passkey.map(PasskeyForm::refused);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
