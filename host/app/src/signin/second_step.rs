//! The second step of signing in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use portolan_access::{PendingSignIn, SecondFactorError};
use portolan_admin_ui::pages::{SecondStepPage, SignInPage};
use serde::Deserialize;

use super::pages::{SignInQuery, welcome};
use crate::App;
use crate::web::client::FromWhere;
use crate::web::cookies::{second_step_token, with_device, with_second_step, without_second_step};
use crate::web::error::PageResult;
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::next::{is_place, with_next};

const HERE: &str = "/sign-in/second-step";

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
    if !app.sessions.is_pending(&token).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    html(&SecondStepPage::new(next))
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
    let still_pending = app.sessions.is_pending(&token).await?;
    match finished {
        Ok(shown) => {
            let mut jar = without_second_step(&app, jar);
            // A recovery code is for whoever has lost something: their browser is not the one to trust.
            // Nor is one that came by a domain of a company's own.
            let trusts = client.domain.is_none() && shown.recovery_codes_left.is_none();
            if form.remember.is_some() && trusts {
                jar = with_device(&app, &headers, jar, app.sessions.remember_device(&shown, client).await?);
            }
            // Whoever lost their authenticator should see that, before anything else.
            let next =
                shown.recovery_codes_left.map(|_| "/account?done=recovery-code-used").or(next.as_deref());
            Ok(welcome(&app, &headers, jar, shown.session, next))
        }
        Err(SecondFactorError::Refused) if still_pending => {
            let page = SecondStepPage::new(next).refused();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(SecondFactorError::Refused) => {
            let mut page = SignInPage::new(next);
            page.error = Some("That took longer than ten minutes. Begin again with your name.".to_owned());
            let jar = without_second_step(&app, jar);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, jar, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
