//! Coming in by an invitation, and going from one tenant to another.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use portolan_access::{AcceptError, SignInError};
use portolan_admin_ui::pages::{InvitationPage, InvitationState};
use portolan_admin_ui::parts::Shell;
use portolan_core::TenantId;
use serde::Deserialize;
use uuid::Uuid;

use crate::App;
use crate::security::providers::buttons;
use crate::web::actor::{GoingElsewhere, PageActor, session_token};
use crate::web::client::FromWhere;
use crate::web::cookies::with_session;
use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Form, Path};
use crate::web::html;

/// Looking at an invitation does not use it up: mail scanners look, too.
pub async fn show_invitation(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> PageResult {
    invitation_page(&app, &headers, &token, None).await
}

pub async fn accept_invitation(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Path(token): Path<String>,
) -> PageResult {
    let present = session_token(&headers, &app);
    match app.sessions.accept_invitation(&token, present.as_deref(), client).await {
        Ok(session) => {
            let jar = with_session(&app, &headers, jar, session.token);
            Ok((jar, Redirect::to("/pulse")).into_response())
        }
        Err(AcceptError::Invalid | AcceptError::SignInFirst(_)) => {
            invitation_page(&app, &headers, &token, None).await
        }
        Err(error) => {
            let error = AppError::from(error);
            match error.status.is_client_error() {
                true => invitation_page(&app, &headers, &token, Some(error)).await,
                false => Err(error.into()),
            }
        }
    }
}

async fn invitation_page(app: &App, headers: &HeaderMap, token: &str, error: Option<AppError>) -> PageResult {
    let seen = app.sessions.look_at_invitation(token).await?;
    let present = match session_token(headers, app) {
        Some(present) => app.sessions.name_behind(&present).await?,
        None => None,
    };
    let action = format!("/invitations/{token}");
    let (status, state) = match &seen {
        None => (StatusCode::GONE, InvitationState::Gone),
        Some(seen) if seen.known && present.as_ref() != Some(&seen.sign_in_name) => {
            (StatusCode::OK, InvitationState::SignInFirst { href: format!("/sign-in?next={action}") })
        }
        Some(_) => (StatusCode::OK, InvitationState::Open),
    };
    let providers = match (&seen, &state) {
        (Some(seen), InvitationState::Open | InvitationState::SignInFirst { .. }) => {
            buttons(app, seen.tenant, "Join", &[("invitation", token)]).await?
        }
        _ => Vec::new(),
    };
    let (tenant_name, sign_in_name) =
        seen.map(|seen| (seen.tenant_name, seen.sign_in_name)).unwrap_or_default();
    let status = error.as_ref().map_or(status, |error| error.status);
    let page = InvitationPage {
        shell: Shell::plain("Invitation"),
        tenant_name,
        sign_in_name,
        action,
        state,
        providers,
        error: error.map(|error| error.detail),
    };
    Ok((status, html(&page)?).into_response())
}

#[derive(Debug, Deserialize)]
pub struct SwitchForm {
    tenant: Uuid,
}

/// A new session in another tenant of the same person; the one before ends.
pub async fn switch_tenant(
    PageActor(_actor): PageActor<GoingElsewhere>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<SwitchForm>,
) -> PageResult {
    let token = session_token(&headers, &app).ok_or_else(AppError::unauthenticated)?;
    match app.sessions.switch_tenant(&token, TenantId(form.tenant), client).await {
        Ok(session) => {
            let jar = with_session(&app, &headers, jar, session.token);
            Ok((jar, Redirect::to("/pulse")).into_response())
        }
        Err(SignInError::Refused) => Err(AppError::not_found("company").into()),
        Err(error) => Err(error.into()),
    }
}
