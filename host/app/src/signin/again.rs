//! Showing again who one is, for what a session alone is not enough for ([`crate::web::step_up`]).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use portolan_access::SignInError;
use portolan_admin_ui::pages::{AgainPage, AskedFor};
use portolan_admin_ui::parts::PasskeyForm;
use serde::Deserialize;

use super::pages::SignInQuery;
use crate::App;
use crate::security::providers::buttons;
use crate::web::actor::{PageActor, Require, SettingUp};
use crate::web::client::FromWhere;
use crate::web::cookies::with_session;
use crate::web::error::{AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::next::is_place;

pub const AFTERWARDS: &str = "/account";

#[derive(Deserialize)]
pub struct AgainForm {
    /// A code, a recovery code or the password: whatever was asked for.
    code: String,
    next: Option<String>,
}

pub async fn show_again(
    PageActor(actor): PageActor<SettingUp>,
    State(app): State<Arc<App>>,
    Query(query): Query<SignInQuery>,
) -> PageResult {
    html(&page(&app, &actor, query.next).await?)
}

pub async fn sign_in_again(
    PageActor(actor): PageActor<SettingUp>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<AgainForm>,
) -> PageResult {
    match app.second_factors().step_up(actor.signed_in()?, &form.code, client).await {
        Ok(shown) => {
            let next = form.next.filter(|next| is_place(next));
            let jar = with_session(&app, &headers, jar, shown.session.token);
            Ok((jar, Redirect::to(next.as_deref().unwrap_or(AFTERWARDS))).into_response())
        }
        Err(SignInError::Refused) => {
            let page = page(&app, &actor, form.next).await?.refused();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn page(app: &App, actor: &Require<SettingUp>, next: Option<String>) -> AppResult<AgainPage> {
    let account = app.sessions.own_account(actor.user).await?;
    let ways = account.ways();
    let asked_for = if ways.code {
        AskedFor::Code
    } else if ways.passkey {
        AskedFor::Passkey
    } else if account.has_password {
        AskedFor::Password
    } else {
        AskedFor::Link
    };
    let next = next.filter(|next| is_place(next));
    let mut page = AgainPage::new(asked_for, next.clone());
    if page.asked_for != AskedFor::Code && !account.identities.is_empty() {
        let query = [("again", "1"), ("next", next.as_deref().unwrap_or(AFTERWARDS))];
        page.providers = buttons(app, actor.tenant, "Show it", &query).await?;
    }
    let can_ask = ways.passkey && app.passkeys().is_ok();
    page.passkey = can_ask.then(|| PasskeyForm::again(page.next.clone()));
    Ok(page)
}
