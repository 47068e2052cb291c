//! One's own account over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use portolan_access::{OwnSession, SignInError};
use portolan_core::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::ops;
use super::preferences::{
    __path_change_preferences, __path_show_preferences, change_preferences, show_preferences,
};
use crate::App;
use crate::people::erase_person;
use crate::web::actor::{Oneself, Require};
use crate::web::client::FromWhere;
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::{Path, Query};
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(erase_account))
        .with(guarded!(show_account))
        .with(guarded!(change_password))
        .with(guarded!(show_preferences))
        .with(guarded!(change_preferences))
        .with(guarded!(list_own_sessions))
        .with(guarded!(end_other_sessions))
        .with(guarded!(end_own_session))
}

/// How somebody proves who they are.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountResponse {
    pub user_id: Uuid,
    /// The company that this session works for.
    pub tenant_id: Uuid,
    pub has_password: bool,
    /// RFC 3339; absent where no code of an authenticator is asked for.
    pub second_factor_since: Option<String>,
    /// How many passkeys open the account.
    pub passkeys: usize,
    /// Absent where no second factor is asked for.
    pub recovery_codes_left: Option<u64>,
    /// When this session's person last showed who they are, RFC 3339. Some operations ask for ten minutes or less.
    pub authenticated_at: String,
}

/// A browser that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionResponse {
    pub id: Uuid,
    /// Whether it is the one that asks.
    pub this: bool,
    pub begun_at: String,
    /// To the minute.
    pub last_seen_at: String,
    /// Where it was begun.
    pub address: String,
    pub user_agent: String,
    /// How its person came in: `password`, `link`, `totp`, `passkey`, `mail_code`, `recovery_code`, `device`.
    pub factors: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SessionListResponse {
    /// The one seen last first.
    pub data: Vec<SessionResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EndedResponse {
    /// How many sessions ended.
    pub ended: u64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordRequest {
    /// Absent where there is none yet.
    pub old_password: Option<String>,
    /// At least 12 characters, and none that is easy to guess.
    pub new_password: String,
}

/// Show one's own account.
#[utoipa::path(get, path = "/api/v1/account", tag = "account",
    responses((status = 200, body = AccountResponse), (status = "4XX", body = Problem)))]
pub async fn show_account(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<AccountResponse>> {
    let account = app.sessions.own_account(actor.user).await?;
    Ok(Json(AccountResponse {
        user_id: actor.user.0,
        tenant_id: actor.tenant.0,
        has_password: account.has_password,
        second_factor_since: account.code_since.map(Instant::to_rfc3339),
        passkeys: account.passkeys.len(),
        recovery_codes_left: account.ways().any().then_some(account.recovery_codes_left),
        authenticated_at: actor.signed_in()?.authenticated_at.to_rfc3339(),
    }))
}

/// Change one's own password. All other sessions end.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(put, path = "/api/v1/account/password", tag = "account", request_body = ChangePasswordRequest,
    responses((status = 204), (status = "4XX", body = Problem)))]
pub async fn change_password(
    StepUp(actor): StepUp<Require<Oneself>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    body: Result<Json<ChangePasswordRequest>, axum::extract::rejection::JsonRejection>,
) -> AppResult<StatusCode> {
    // What was sent is not quoted: it holds passwords.
    let Json(request) = body.map_err(|_| {
        AppError::bad_request("The body is not the JSON that is described: old_password, new_password.")
    })?;
    let old = request.old_password.unwrap_or_default();
    let signed_in = actor.signed_in()?;
    match app.sessions.hash_own_password(signed_in, &old, &request.new_password).await {
        Ok(hash) => {
            ops::change_password(&app, signed_in, hash, client).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Err(SignInError::Refused) => Err(AppError::invalid(
            "/old_password",
            "This is not the password, or there were too many tries. Wait a moment, then try again.",
        )),
        Err(SignInError::Password(error)) if error.is_of_choice() => {
            Err(AppError::invalid("/new_password", format!("{error}.")))
        }
        Err(error) => Err(error.into()),
    }
}

/// List the browsers that one is signed in with.
#[utoipa::path(get, path = "/api/v1/account/sessions", tag = "account",
    responses((status = 200, body = SessionListResponse), (status = "4XX", body = Problem)))]
pub async fn list_own_sessions(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<SessionListResponse>> {
    let this = actor.signed_in()?.session;
    let sessions = app.sessions.own_account(actor.user).await?.sessions;
    let wire = |session: OwnSession| SessionResponse {
        this: session.id == this,
        id: session.id,
        begun_at: session.begun_at.to_rfc3339(),
        last_seen_at: session.last_seen_at.to_rfc3339(),
        address: session.address,
        user_agent: session.user_agent,
        factors: session.factors.split('+').map(str::to_owned).collect(),
    };
    Ok(Json(SessionListResponse { data: sessions.into_iter().map(wire).collect() }))
}

/// End all of one's sessions but the one that asks.
#[utoipa::path(delete, path = "/api/v1/account/sessions", tag = "account",
    responses((status = 200, body = EndedResponse), (status = "4XX", body = Problem)))]
pub async fn end_other_sessions(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
) -> AppResult<Json<EndedResponse>> {
    let ended = app.sessions.end_other_sessions(actor.signed_in()?, client).await?;
    Ok(Json(EndedResponse { ended }))
}

/// End one of one's own sessions, the one that asks included.
#[utoipa::path(delete, path = "/api/v1/account/sessions/{id}", tag = "account", params(("id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub async fn end_own_session(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    if app.sessions.end_session(actor.signed_in()?, id, client).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(AppError::not_found("session"))
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EraseQuery {
    /// Your sign-in name, to confirm.
    confirm: Option<String>,
}

/// Be forgotten: leave every company, and have name, password, second factor, sessions and keys deleted. The audit keeps an id.
#[utoipa::path(delete, path = "/api/v1/account", tag = "account", params(EraseQuery),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn erase_account(
    StepUp(actor): StepUp<Require<Oneself>>,
    State(app): State<Arc<App>>,
    Query(query): Query<EraseQuery>,
) -> AppResult<StatusCode> {
    erase_person(&app, actor.who(), actor.user, query.confirm.as_deref().unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT)
}
