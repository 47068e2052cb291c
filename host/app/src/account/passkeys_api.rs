//! Passkeys over the JSON API: one's own, and the questions that a browser hands to one. The answer that signs somebody in is
//! a form of the sign-in pages, since it sets their cookie.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum_extra::extract::CookieJar;
use portolan_access::passkeys::{OwnPasskey, Question};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, NewPasskey};
use crate::App;
use crate::web::actor::{Oneself, Require, SettingUp};
use crate::web::client::FromWhere;
use crate::web::cookies::{second_step_token, with_session};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

const WAY_IN: &str = "it is the way in";

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_passkeys))
        .with(guarded!(begin_passkey))
        .with(guarded!(add_passkey))
        .with(guarded!(rename_passkey))
        .with(guarded!(remove_passkey))
        .with(guarded!(ask_passkey_again))
        .with_public(utoipa_axum::routes!(ask_passkey), WAY_IN)
        .with_public(utoipa_axum::routes!(ask_passkey_second), WAY_IN)
}

/// A passkey of one's own.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyResponse {
    pub id: Uuid,
    pub name: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339; absent where it was not used yet.
    pub last_used_at: Option<String>,
}

impl From<OwnPasskey> for PasskeyResponse {
    fn from(passkey: OwnPasskey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            created_at: passkey.created_at.to_rfc3339(),
            last_used_at: passkey.last_used_at.map(|at| at.to_rfc3339()),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyListResponse {
    /// The oldest first.
    pub data: Vec<PasskeyResponse>,
}

/// What a browser asks a passkey. Good for one answer within five minutes.
#[derive(Serialize, ToSchema)]
pub struct PasskeyQuestionResponse {
    /// Sent back with the answer.
    pub ceremony: String,
    /// What `navigator.credentials` takes as `publicKey`, with base64url in the place of bytes.
    #[schema(value_type = Object)]
    pub public_key: Value,
}

impl From<Question> for PasskeyQuestionResponse {
    fn from(mut question: Question) -> Self {
        Self { ceremony: question.ceremony, public_key: question.options["publicKey"].take() }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPasskeyRequest {
    /// From the question that was answered.
    ceremony: String,
    /// 1 to 60 characters.
    name: String,
    /// The credential that `navigator.credentials.create` gave, with base64url in the place of bytes.
    #[schema(value_type = Object)]
    answer: Value,
}

#[derive(Serialize, ToSchema)]
pub struct AddPasskeyResponse {
    pub id: Uuid,
    /// Shown this once; absent where there is a second factor already.
    pub recovery_codes: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenamePasskeyRequest {
    /// 1 to 60 characters.
    name: String,
}

/// List one's own passkeys.
#[utoipa::path(get, path = "/api/v1/auth/passkeys", tag = "account",
    responses((status = 200, body = PasskeyListResponse), (status = "4XX", body = Problem)))]
pub async fn list_passkeys(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<PasskeyListResponse>> {
    let own = app.sessions.own_account(actor.user).await?.passkeys;
    Ok(Json(PasskeyListResponse { data: own.into_iter().map(Into::into).collect() }))
}

/// Ask for a new passkey: what the browser makes it by.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(post, path = "/api/v1/auth/passkeys/registration", tag = "account",
    responses((status = 200, body = PasskeyQuestionResponse), (status = "4XX", body = Problem)))]
pub async fn begin_passkey(
    StepUp(actor): StepUp<Require<SettingUp>>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<PasskeyQuestionResponse>> {
    Ok(Json(app.passkeys()?.begin_registration(actor.signed_in()?).await?.into()))
}

/// Add the passkey that the browser made. The session goes on under a new token, in its cookie; the first second factor ends
/// all other sessions and shows recovery codes.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(post, path = "/api/v1/auth/passkeys", tag = "account", request_body = AddPasskeyRequest,
    responses((status = 201, body = AddPasskeyResponse), (status = "4XX", body = Problem)))]
pub async fn add_passkey(
    StepUp(actor): StepUp<Require<SettingUp>>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    body: Result<Json<AddPasskeyRequest>, JsonRejection>,
) -> AppResult<(StatusCode, CookieJar, Json<AddPasskeyResponse>)> {
    let Json(request) = body?;
    let answer = request.answer.to_string();
    let new = NewPasskey { ceremony: request.ceremony, name: request.name, answer };
    let registered = ops::add_passkey(&app, actor.signed_in()?, new, client).await?;
    let jar = with_session(&app, &headers, jar, registered.session.token);
    let recovery_codes = registered.codes.map(|codes| codes.0);
    Ok((StatusCode::CREATED, jar, Json(AddPasskeyResponse { id: registered.id, recovery_codes })))
}

/// Call a passkey otherwise.
#[utoipa::path(patch, path = "/api/v1/auth/passkeys/{id}", tag = "account", params(("id" = Uuid, Path)),
    request_body = RenamePasskeyRequest, responses((status = 204), (status = "4XX", body = Problem)))]
pub async fn rename_passkey(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
    body: Result<Json<RenamePasskeyRequest>, JsonRejection>,
) -> AppResult<StatusCode> {
    let Json(request) = body?;
    let signed_in = actor.signed_in()?;
    match app.second_factors().rename_passkey(signed_in, id, &request.name, client).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(AppError::not_found("passkey")),
    }
}

/// Remove a passkey: it opens the account no more. The last second factor stays while the company asks for one.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(delete, path = "/api/v1/auth/passkeys/{id}", tag = "account", params(("id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub async fn remove_passkey(
    StepUp(actor): StepUp<Require<Oneself>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    match ops::remove_passkey(&app, actor.signed_in()?, id, client).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(AppError::not_found("passkey")),
    }
}

/// Ask a passkey to show again who one is; the answer is sent to `/sign-in/again`.
#[utoipa::path(post, path = "/api/v1/auth/passkeys/again", tag = "account",
    responses((status = 200, body = PasskeyQuestionResponse), (status = "4XX", body = Problem)))]
pub async fn ask_passkey_again(
    actor: Require<SettingUp>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<PasskeyQuestionResponse>> {
    Ok(Json(app.passkeys()?.begin_step_up(actor.signed_in()?).await?.into()))
}

/// Ask any passkey of this host to sign its person in; the answer is sent to `/sign-in/passkey`.
#[utoipa::path(post, path = "/api/v1/auth/passkeys/sign-in", tag = "account",
    responses((status = 200, body = PasskeyQuestionResponse), (status = "4XX", body = Problem)))]
pub async fn ask_passkey(
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
) -> AppResult<Json<PasskeyQuestionResponse>> {
    Ok(Json(app.passkeys()?.begin_sign_in(&client).await?.into()))
}

/// Ask a passkey of whoever has done the first step, known by its cookie; the answer is sent to `/sign-in/second-step/passkey`.
#[utoipa::path(post, path = "/api/v1/auth/passkeys/second-step", tag = "account",
    responses((status = 200, body = PasskeyQuestionResponse), (status = "4XX", body = Problem)))]
pub async fn ask_passkey_second(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> AppResult<Json<PasskeyQuestionResponse>> {
    let token = second_step_token(&headers, &app).ok_or_else(AppError::unauthenticated)?;
    Ok(Json(app.passkeys()?.begin_second_step(&token).await?.into()))
}
