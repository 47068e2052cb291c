//! Signing in by an identity provider: there, and back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use portolan_access::oidc::{Callback, CameBack, IdentityError, ProviderHandle, Purpose};
use portolan_access::{AcceptError, Client};
use portolan_admin_ui::pages::{CompanySignInPage, ProviderTroublePage, SignInPage};
use serde::Deserialize;

use super::pages::{SignInQuery, welcome};
use super::second_step::ask_for_second_step;
use crate::App;
use crate::security::ops::sentence;
use crate::security::providers::{buttons, callback_address, company_of_slug, only_company, start_address};
use crate::web::actor::session_token;
use crate::web::client::FromWhere;
use crate::web::cookies::{provider_flow_token, with_provider_flow, without_provider_flow};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Path, Query};
use crate::web::html;
use crate::web::next::is_place;
use crate::web::viewer::redirect_after;

/// As short names are; a longer one is nobody's.
const LONGEST_SLUG_BYTES: usize = 100;

#[derive(Debug, Deserialize)]
pub struct StartQuery {
    next: Option<String>,
    /// The token of an invitation to join by.
    invitation: Option<String>,
    /// Present where they have to show anew who they are.
    again: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct CompanyQuery {
    company: Option<String>,
}

/// To the provider.
pub async fn start_sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    Path(provider): Path<String>,
    Query(query): Query<StartQuery>,
) -> PageResult {
    let handle = handle_of(&provider)?;
    let next = query.next.filter(|next| is_place(next));
    let purpose = match (query.invitation, query.again) {
        (Some(invitation), _) => Purpose::Join { invitation },
        (None, Some(_)) => Purpose::SignInAgain,
        (None, None) => Purpose::SignIn,
    };
    let redirect_uri = callback_address(&app, handle)?;
    match app.identities().begin(handle, purpose, next, &redirect_uri).await {
        Ok(started) => {
            let jar = with_provider_flow(&app, &headers, jar, started.browser);
            Ok((jar, Redirect::to(&started.url)).into_response())
        }
        Err(error) => trouble(error, None),
    }
}

/// And back.
pub async fn finish_sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Path(provider): Path<String>,
    Query(query): Query<CallbackQuery>,
) -> PageResult {
    let handle = handle_of(&provider)?;
    let callback = Callback {
        provider: handle,
        state: query.state.unwrap_or_default(),
        browser: provider_flow_token(&headers, &app).unwrap_or_default(),
        code: query.code,
        error: query.error,
        issuer: query.iss,
    };
    let jar = without_provider_flow(&app, jar);
    let identities = app.identities();
    let came_back = match identities.come_back(callback, &callback_address(&app, handle)?).await {
        Ok(came_back) => came_back,
        Err(error) => return Ok((jar, trouble(error, Some(handle))?).into_response()),
    };
    let next = came_back.next.clone();
    let session = match came_back.purpose.clone() {
        Purpose::Link { .. } => {
            return match link(&app, &headers, came_back, client).await {
                Ok(()) => Ok((jar, redirect_after("/account", "identity-linked")).into_response()),
                Err(error) => Ok((jar, trouble(error, None)?).into_response()),
            };
        }
        Purpose::Join { .. } => identities.join(came_back, client).await,
        Purpose::SignIn | Purpose::SignInAgain => identities.sign_in(came_back, client).await,
    };
    match session {
        Ok(session) => Ok(welcome(&app, &headers, jar, session, next.as_deref())),
        Err(IdentityError::SecondStep(pending)) => {
            Ok(ask_for_second_step(&app, &headers, jar, pending, next.as_deref()))
        }
        Err(error) => Ok((jar, trouble(error, Some(handle))?).into_response()),
    }
}

async fn link(
    app: &App,
    headers: &HeaderMap,
    came_back: CameBack,
    client: Client,
) -> Result<(), IdentityError> {
    let present = session_token(headers, app).unwrap_or_default();
    let signed_in = app.sessions.authenticate(&present).await.map_err(|error| {
        tracing::warn!(%error, "failed to look who is signed in");
        IdentityError::OtherSession
    })?;
    let signed_in = signed_in.ok_or(IdentityError::OtherSession)?;
    app.identities().link(came_back, &signed_in, client).await
}

/// The sign-in page of one company. One that does not exist looks like one without providers.
pub async fn show_company_sign_in(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    Query(query): Query<SignInQuery>,
) -> PageResult {
    let next = query.next.filter(|next| is_place(next));
    let found = if slug.len() <= LONGEST_SLUG_BYTES { company_of_slug(&app, &slug).await? } else { None };
    let mut page = SignInPage::new(next.clone());
    if let Some(tenant) = found {
        page.providers = buttons(&app, tenant, "Continue", &query_of(next.as_deref())).await?;
    }
    html(&page)
}

/// Where to, by the company's short name.
pub async fn choose_company(Query(query): Query<CompanyQuery>) -> PageResult {
    let company = query.company.map(|company| company.trim().to_lowercase()).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match !company.is_empty() && company.len() <= LONGEST_SLUG_BYTES && company.bytes().all(plain) {
        true => Ok(Redirect::to(&format!("/sign-in/at/{company}")).into_response()),
        false => html(&CompanySignInPage::new(company)),
    }
}

/// The sign-in page of all, with the buttons of the one company, or the way to those of each.
pub async fn sign_in_page(app: &App, next: Option<String>) -> AppResult<SignInPage> {
    let mut page = SignInPage::new(next.clone());
    match only_company(app).await? {
        Some(tenant) => {
            page.providers = buttons(app, tenant, "Continue", &query_of(next.as_deref())).await?;
        }
        None => page.of_company = app.public_address.is_some(),
    }
    Ok(page)
}

fn query_of(next: Option<&str>) -> Vec<(&'static str, &str)> {
    next.map(|next| ("next", next)).into_iter().collect()
}

fn handle_of(text: &str) -> AppResult<ProviderHandle> {
    text.parse().map_err(|_| AppError::not_found("provider"))
}

/// What went wrong, in words, with the ways on from there.
pub fn trouble(error: IdentityError, again: Option<ProviderHandle>) -> PageResult {
    let status = match &error {
        IdentityError::Database(_) | IdentityError::Secrets(_) => return Err(internal(error).into()),
        IdentityError::UnknownProvider => return Err(AppError::not_found("provider").into()),
        IdentityError::Accept(AcceptError::Member(_) | AcceptError::Authenticate(_)) => {
            return Err(internal(error).into());
        }
        IdentityError::Outside(reason) => {
            tracing::warn!(reason, "an identity provider cannot be used");
            StatusCode::BAD_GATEWAY
        }
        IdentityError::Untrusted(reason) => {
            tracing::warn!(reason, "what an identity provider sent was not taken");
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = ProviderTroublePage::new(sentence(&error), again.map(start_address));
    Ok((status, html(&page)?).into_response())
}

fn internal(error: IdentityError) -> AppError {
    match error {
        IdentityError::Database(error) => error.into(),
        IdentityError::Secrets(error) => error.into(),
        IdentityError::Accept(error) => error.into(),
        other => AppError::internal(other),
    }
}
