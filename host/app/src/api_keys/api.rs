//! Keys over the JSON API: for people in their sessions. No key makes or changes keys.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_access::Permission;
use portolan_access::api_keys::{Made, NewApiKey};
use portolan_core::{Duration, Instant};
use portolan_db::entity::api_key;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, Reach};
use super::tokens_api::read_scopes;
use crate::App;
use crate::web::actor::{Oneself, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_api_keys))
        .with(guarded!(create_api_key))
        .with(guarded!(revoke_api_key))
        .with(guarded!(rotate_api_key))
}

/// A key without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyResponse {
    pub id: Uuid,
    pub name: String,
    /// Whoever made it; it can do no more than they can.
    pub owner_id: Uuid,
    pub scopes: Vec<String>,
    /// From anywhere where empty.
    pub networks: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    pub expires_at: String,
    /// To the minute.
    pub last_used_at: Option<String>,
    pub revoked_at: Option<String>,
    /// The secret before the present one goes on until then.
    pub previous_until: Option<String>,
}

impl From<api_key::Model> for ApiKeyResponse {
    fn from(row: api_key::Model) -> Self {
        let moment = |at: i64| Instant(at).to_rfc3339();
        let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Self {
            id: row.id,
            owner_id: row.created_by,
            scopes: words(&row.scopes),
            networks: words(&row.networks),
            created_at: moment(row.created_at),
            expires_at: moment(row.expires_at),
            last_used_at: row.last_used_at.map(moment),
            revoked_at: row.revoked_at.map(moment),
            previous_until: row.previous_until.map(moment),
            name: row.name,
        }
    }
}

/// A key with what nobody is shown again.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyMadeResponse {
    #[serde(flatten)]
    pub api_key: ApiKeyResponse,
    /// Send it as `Authorization: Bearer …`. Keep it now: it is stored nowhere.
    pub key: String,
}

impl From<Made> for ApiKeyMadeResponse {
    fn from(made: Made) -> Self {
        Self { api_key: made.row.into(), key: made.key }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKeyRequest {
    /// Who uses it.
    name: String,
    /// Permissions such as `orders:read`, of those that you have.
    scopes: Vec<String>,
    /// 1 to 730; 90 where absent.
    #[serde(default)]
    days: Option<i64>,
    /// `192.0.2.0/24`, `2001:db8::/32`; from anywhere where absent.
    #[serde(default)]
    networks: Vec<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateApiKeyRequest {
    /// How long the old secret goes on, 0 to 24; 0 where absent.
    #[serde(default)]
    overlap_hours: i64,
}

/// Whose keys this person may see and end.
pub(super) fn reach_of(actor: &Require<Oneself>) -> Reach {
    if actor.may(Permission::ApiKeysManage) { Reach::All } else { Reach::Own(actor.user) }
}

/// Your keys, or everybody's where you may manage them; the newest first.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "api keys",
    responses((status = 200, body = Vec<ApiKeyResponse>), (status = "4XX", body = Problem)))]
pub async fn list_api_keys(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<ApiKeyResponse>>> {
    let keys = ops::list(&app, actor.tenant, reach_of(&actor)).await?;
    Ok(Json(keys.into_iter().map(ApiKeyResponse::from).collect()))
}

/// Make a key of yours. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "api keys", request_body = CreateApiKeyRequest,
    responses((status = 201, body = ApiKeyMadeResponse), (status = "4XX", body = Problem)))]
pub async fn create_api_key(
    StepUp(actor): StepUp<Require<Oneself>>,
    State(app): State<Arc<App>>,
    request: Result<Json<CreateApiKeyRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<ApiKeyMadeResponse>)> {
    let Json(request) = request?;
    let new = NewApiKey {
        name: request.name,
        scopes: read_scopes(&request.scopes)?,
        days: request.days,
        networks: request.networks,
    };
    let made = ops::create(&app, actor.tenant, actor.who(), actor.user, new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Give a key another secret, in this answer and nowhere else. The old one goes on for as long as you say.
#[utoipa::path(post, path = "/api/v1/api-keys/{id}/rotate", tag = "api keys", params(("id" = Uuid, Path)),
    request_body = RotateApiKeyRequest,
    responses((status = 200, body = ApiKeyMadeResponse), (status = "4XX", body = Problem)))]
pub async fn rotate_api_key(
    StepUp(actor): StepUp<Require<Oneself>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<RotateApiKeyRequest>, JsonRejection>,
) -> AppResult<Json<ApiKeyMadeResponse>> {
    let Json(request) = request?;
    let overlap = Duration::from_hours(request.overlap_hours.clamp(-1, 25));
    let made = ops::rotate(&app, actor.tenant, actor.who(), own(&actor), id, overlap).await?;
    Ok(Json(made.into()))
}

/// A secret is given to its owner alone: whoever may manage keys ends those of others.
pub(super) fn own(actor: &Require<Oneself>) -> Reach {
    Reach::Own(actor.user)
}

/// End a key for good.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "api keys", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Ended"), (status = "4XX", body = Problem)))]
pub async fn revoke_api_key(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    ops::revoke(&app, actor.tenant, actor.who(), reach_of(&actor), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
