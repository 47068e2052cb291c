//! The sign-in pages.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use portolan_access::{NewSession, SignInError};
use portolan_admin_ui::pages::{SignInLinkPage, SignInLinkState, SignInPage};
use portolan_admin_ui::parts::PasskeyForm;
use serde::Deserialize;

use super::second_step::ask_for_second_step;
use crate::App;
use crate::web::actor::session_token;
use crate::web::client::FromWhere;
use crate::web::cookies::{with_session, without_second_step, without_session};
use crate::web::error::PageResult;
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::next::is_place;

const AFTER_SIGN_IN: &str = "/pulse";
/// What a browser kept of the pages goes with the session; cookies go by their names.
const FORGET_PAGES: (&str, &str) = ("clear-site-data", "\"cache\"");

#[derive(Debug, Deserialize)]
pub struct SignInQuery {
    pub next: Option<String>,
}

#[derive(Deserialize)]
pub struct SignInForm {
    name: String,
    password: String,
    next: Option<String>,
}

pub async fn show_sign_in(State(app): State<Arc<App>>, Query(query): Query<SignInQuery>) -> PageResult {
    html(&sign_in_page(&app, query.next.filter(|next| is_place(next))))
}

/// The page with the ways in that there are here.
pub fn sign_in_page(app: &App, next: Option<String>) -> SignInPage {
    let mut page = SignInPage::new(next);
    page.passkey = app.passkeys().ok().map(|_| PasskeyForm::sign_in(page.next.clone()));
    page
}

pub async fn sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<SignInForm>,
) -> PageResult {
    let next = form.next.filter(|next| is_place(next));
    match app.sessions.sign_in_with_password(&form.name, &form.password, client).await {
        Ok(session) => Ok(welcome(&app, &headers, jar, session, next.as_deref())),
        Err(SignInError::SecondStep(pending)) => {
            Ok(ask_for_second_step(&app, &headers, jar, pending, next.as_deref()))
        }
        Err(SignInError::Refused) => {
            let mut page = sign_in_page(&app, next);
            page.name = form.name;
            page.error =
                Some("Name and password do not match. Check both, or ask for a one-time link.".to_owned());
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Looking at a link does not use it up: mail scanners look, too.
pub async fn show_link(State(app): State<Arc<App>>, Path(token): Path<String>) -> PageResult {
    let valid = app.sessions.link_is_valid(&token).await?;
    link_page(&token, valid)
}

pub async fn use_link(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Path(token): Path<String>,
) -> PageResult {
    match app.sessions.sign_in_with_link(&token, client).await {
        Ok(session) => Ok(welcome(&app, &headers, jar, session, None)),
        Err(SignInError::SecondStep(pending)) => Ok(ask_for_second_step(&app, &headers, jar, pending, None)),
        Err(SignInError::Refused) => link_page(&token, false),
        Err(error) => Err(error.into()),
    }
}

pub async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
) -> PageResult {
    if let Some(token) = session_token(&headers, &app) {
        app.sessions.sign_out(&token, client).await?;
    }
    let jar = without_second_step(&app, without_session(&app, jar));
    Ok((jar, [FORGET_PAGES], Redirect::to("/sign-in")).into_response())
}

fn link_page(token: &str, valid: bool) -> PageResult {
    let state = if valid { SignInLinkState::Ready } else { SignInLinkState::Invalid };
    let page = html(&SignInLinkPage::new(state, format!("/sign-in/link/{token}")))?;
    let status = if valid { StatusCode::OK } else { StatusCode::GONE };
    Ok((status, page).into_response())
}

/// In: the session's cookie, and the page that was asked for.
pub fn welcome(
    app: &App,
    headers: &HeaderMap,
    jar: CookieJar,
    session: NewSession,
    next: Option<&str>,
) -> Response {
    let jar = with_session(app, headers, jar, session.token);
    (jar, Redirect::to(next.unwrap_or(AFTER_SIGN_IN))).into_response()
}
