//! Connections over the JSON API. A secret goes in and never comes out.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::AppendHeaders;
use portolan_core::{ConnectionId, Instant, TenantId, hex};
use portolan_db::TenantTx;
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::change::{self, ConnectionChange};
use super::fresh::check_secrets;
use super::ops::{self, NewConnection};
use super::{queries, remove};
use crate::App;
use crate::web::actor::{ConnectionsRead, ConnectionsWrite, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::{Path, Query};
use crate::web::json::Json;
use crate::web::page::{ListedPage, Page, Paging};
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_connections))
        .with(guarded!(create_connection))
        .with(guarded!(show_connection))
        .with(guarded!(change_connection))
        .with(guarded!(delete_connection))
        .with(guarded!(check_connection))
        .with(guarded!(pause_connection))
        .with(guarded!(resume_connection))
        .with(guarded!(set_secret))
        .with(guarded!(list_streams))
}

/// One account at one channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionResponse {
    pub id: Uuid,
    pub plugin_id: String,
    pub label: String,
    /// active, paused or needs_auth.
    pub state: String,
    /// The plugin's own fields, without secrets.
    #[schema(value_type = Object)]
    pub config: Value,
    /// Names of the secrets that are stored, and when each was set; never their values.
    pub secrets: Vec<StoredSecret>,
    /// IANA zone of the store.
    pub time_zone: String,
    pub day_cutover_minutes: i32,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
}

/// That a secret is stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredSecret {
    pub field: String,
    /// RFC 3339.
    pub set_at: String,
}

/// One kind of thing that a connection delivers.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamResponse {
    pub name: String,
    pub enabled: bool,
    pub state: String,
    /// Absent where a stream runs when a file is uploaded.
    pub cron: Option<String>,
    /// RFC 3339.
    pub next_run_at: Option<String>,
    /// Everything updated before this has been fetched.
    pub watermark_at: Option<String>,
    pub last_success_at: Option<String>,
}

/// What the channel said when it was asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckResponse {
    pub account: String,
    pub display_name: String,
    pub currency: Option<String>,
    pub time_zone: Option<String>,
    pub notes: Vec<String>,
}

/// A connection to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConnectionRequest {
    plugin_id: String,
    label: String,
    /// IANA zone of the store.
    time_zone: String,
    #[serde(default)]
    day_cutover_minutes: i32,
    /// The plugin's own fields, secrets included: they are sealed and never answered.
    #[schema(value_type = Object)]
    config: Value,
    /// Agreement to the hosts and secrets that the plugin's manifest asks for.
    #[serde(default)]
    consent: bool,
}

/// New settings of a connection; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeConnectionRequest {
    label: Option<String>,
    /// IANA zone of the store. It stays once sales of the connection stand in the ledger.
    time_zone: Option<String>,
    /// Stays like the zone.
    day_cutover_minutes: Option<i32>,
    /// The plugin's own fields as a whole, secrets included: those that are not in it stay as they are.
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
    /// That a new address leads to the account whose documents the connection holds.
    #[serde(default)]
    same_account: bool,
}

/// A new value for one secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSecretRequest {
    field: String,
    value: String,
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct DeleteQuery {
    /// The connection's label, to confirm.
    confirm: Option<String>,
}

/// List connections, oldest first.
#[utoipa::path(get, path = "/api/v1/connections", tag = "connections", params(Paging),
    responses((status = 200, body = Page<ConnectionResponse>), (status = "4XX", body = Problem)))]
pub async fn list_connections(
    actor: Require<ConnectionsRead>,
    State(app): State<Arc<App>>,
    paging: Paging,
) -> AppResult<ListedPage<ConnectionResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let mut connections = Vec::new();
    for row in queries::page_of_connections(&tx, actor.seen(), paging.beside, paging.limit).await? {
        connections.push(describe(&tx, row).await?);
    }
    Ok(paging.page(&app, connections, |connection| connection.id))
}

/// Connect a channel. Nothing is fetched until a sync is started.
///
/// Where it has secrets, it needs somebody who has shown within ten minutes who they are.
#[utoipa::path(post, path = "/api/v1/connections", tag = "connections", request_body = CreateConnectionRequest,
    responses((status = 201, body = ConnectionResponse), (status = "4XX", body = Problem)))]
pub async fn create_connection(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    request: Result<Json<CreateConnectionRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<ConnectionResponse>)> {
    let request = accepted(request)?;
    let plugin = ops::find_plugin(&app, &request.plugin_id)?;
    check_secrets(&app, actor.signed_in()?, &plugin.manifest, &request.config)?;
    let new = NewConnection {
        plugin_id: request.plugin_id,
        label: request.label,
        time_zone: request.time_zone,
        day_cutover_minutes: request.day_cutover_minutes,
        config: request.config,
        consent: request.consent,
    };
    let id = ops::create_connection(&app, actor.tenant, actor.who(), new).await?;
    Ok((StatusCode::CREATED, Json(load(&app, actor.tenant, id).await?)))
}

/// One connection. Its `ETag` names the settings, for a change of them, and the rest of the answer.
#[utoipa::path(get, path = "/api/v1/connections/{id}", tag = "connections", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConnectionResponse), (status = "4XX", body = Problem)))]
pub async fn show_connection(
    actor: Require<ConnectionsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<(AppendHeaders<[(HeaderName, String); 1]>, Json<ConnectionResponse>)> {
    load_tagged(&app, actor.tenant, ConnectionId(id)).await
}

/// Change a connection's settings. They apply from the next sync on; what is imported stays.
///
/// `If-Match` carries the `ETag` of the connection as it was read: settings that somebody else changed in
/// between are not overwritten. Ask for a check afterwards to see whether the channel accepts them.
#[utoipa::path(patch, path = "/api/v1/connections/{id}", tag = "connections",
    params(("id" = Uuid, Path), ("If-Match" = String, Header, description = "The ETag that was read")),
    request_body = ChangeConnectionRequest,
    responses((status = 200, body = ConnectionResponse, headers(("ETag" = String))),
        (status = 409, body = Problem, description = "Rows are being read by the settings as they are"),
        (status = 412, body = Problem, description = "The settings have changed since they were read"),
        (status = 428, body = Problem, description = "If-Match is missing"), (status = "4XX", body = Problem)))]
pub async fn change_connection(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    request: Result<Json<ChangeConnectionRequest>, JsonRejection>,
) -> AppResult<(AppendHeaders<[(HeaderName, String); 1]>, Json<ConnectionResponse>)> {
    let request = accepted(request)?;
    if let Some(config) = &request.config {
        let connection = ops::find_connection(&app.db.read(actor.tenant).await?, ConnectionId(id)).await?;
        let plugin = ops::plugin_of(&app, &connection)?;
        check_secrets(&app, actor.signed_in()?, &plugin.manifest, config)?;
    }
    let tag = headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok());
    let change = ConnectionChange {
        revision: change::revision_in(tag.ok_or_else(AppError::revision_required)?).to_owned(),
        label: request.label,
        time_zone: request.time_zone,
        day_cutover_minutes: request.day_cutover_minutes,
        config: request.config,
        same_account: request.same_account,
    };
    change::change_connection(&app, actor.tenant, actor.who(), ConnectionId(id), change).await?;
    load_tagged(&app, actor.tenant, ConnectionId(id)).await
}

/// Delete a connection that has brought nothing into the ledger, with its secrets and schedules.
#[utoipa::path(delete, path = "/api/v1/connections/{id}", tag = "connections",
    params(("id" = Uuid, Path), DeleteQuery),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn delete_connection(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(query): Query<DeleteQuery>,
) -> AppResult<StatusCode> {
    remove::delete_connection(&app, actor.tenant, actor.who(), ConnectionId(id), query.confirm.as_deref())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask the channel who is behind the connection.
#[utoipa::path(post, path = "/api/v1/connections/{id}/check", tag = "connections", params(("id" = Uuid, Path)),
    responses((status = 200, body = CheckResponse), (status = "4XX", body = Problem),
        (status = 502, body = Problem, description = "The channel failed")))]
pub async fn check_connection(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<CheckResponse>> {
    let report = ops::check_connection(&app, actor.tenant, actor.who(), ConnectionId(id)).await?;
    Ok(Json(CheckResponse {
        account: report.account,
        display_name: report.display_name,
        currency: report.currency.map(|currency| currency.to_string()),
        time_zone: report.time_zone,
        notes: report.notes,
    }))
}

/// Stop scheduled syncs; one that runs goes on.
#[utoipa::path(post, path = "/api/v1/connections/{id}/pause", tag = "connections", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConnectionResponse), (status = "4XX", body = Problem)))]
pub async fn pause_connection(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<ConnectionResponse>> {
    ops::set_state(&app, actor.tenant, actor.who(), ConnectionId(id), ConnectionState::Paused).await?;
    Ok(Json(load(&app, actor.tenant, ConnectionId(id)).await?))
}

/// Start scheduled syncs again.
#[utoipa::path(post, path = "/api/v1/connections/{id}/resume", tag = "connections", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConnectionResponse), (status = "4XX", body = Problem)))]
pub async fn resume_connection(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<ConnectionResponse>> {
    ops::set_state(&app, actor.tenant, actor.who(), ConnectionId(id), ConnectionState::Active).await?;
    Ok(Json(load(&app, actor.tenant, ConnectionId(id)).await?))
}

/// Replace one secret. It is sealed at once and never answered.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(put, path = "/api/v1/connections/{id}/secret", tag = "connections", params(("id" = Uuid, Path)),
    request_body = SetSecretRequest,
    responses((status = 204, description = "Stored"), (status = "4XX", body = Problem)))]
pub async fn set_secret(
    StepUp(actor): StepUp<Require<ConnectionsWrite>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<SetSecretRequest>, JsonRejection>,
) -> AppResult<StatusCode> {
    let request = accepted(request)?;
    ops::set_secret(&app, actor.tenant, actor.who(), ConnectionId(id), request.field, request.value).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a connection delivers, and how far it has been fetched.
#[utoipa::path(get, path = "/api/v1/connections/{id}/streams", tag = "connections", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<StreamResponse>), (status = "4XX", body = Problem)))]
pub async fn list_streams(
    actor: Require<ConnectionsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<StreamResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    ops::find_connection(&tx, ConnectionId(id)).await?;
    let streams = queries::streams_of(&tx, ConnectionId(id)).await?;
    Ok(Json(streams.into_iter().map(StreamResponse::from).collect()))
}

impl From<stream::Model> for StreamResponse {
    fn from(row: stream::Model) -> Self {
        Self {
            name: row.name,
            enabled: row.enabled,
            state: row.state,
            cron: row.cron,
            next_run_at: row.next_run_at.map(rfc3339),
            watermark_at: row.watermark_at.map(rfc3339),
            last_success_at: row.last_success_at.map(rfc3339),
        }
    }
}

fn rfc3339(at_us: i64) -> String {
    Instant(at_us).to_rfc3339()
}

/// The body, or what is wrong with it. A rejection may quote what was sent, and a secret may be in
/// it: only its shape is answered.
fn accepted<T>(request: Result<Json<T>, JsonRejection>) -> AppResult<T> {
    match request {
        Ok(Json(request)) => Ok(request),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(AppError::too_large("The body is larger than 2 MiB."))
        }
        Err(JsonRejection::MissingJsonContentType(_)) => {
            Err(AppError::bad_request("Send JSON with the header Content-Type: application/json."))
        }
        Err(JsonRejection::JsonDataError(_)) => Err(AppError::bad_request(
            "The body has a field that is missing, unknown or of another type. /api/docs shows its shape.",
        )),
        Err(_) => Err(AppError::bad_request("The body is no valid JSON.")),
    }
}

/// A connection with the revision of its settings, and the digest of what else is told of it.
async fn load_tagged(
    app: &App,
    tenant: TenantId,
    id: ConnectionId,
) -> AppResult<(AppendHeaders<[(HeaderName, String); 1]>, Json<ConnectionResponse>)> {
    let tx = app.db.read(tenant).await?;
    let row = ops::find_connection(&tx, id).await?;
    let revision = change::revision(&row);
    let answer = describe(&tx, row).await?;
    let body = serde_json::to_vec(&answer).map_err(AppError::internal)?;
    let tag = format!("\"{revision}-{}\"", hex(&Sha256::digest(&body)[..8]));
    Ok((AppendHeaders([(header::ETAG, tag)]), Json(answer)))
}

async fn load(app: &App, tenant: TenantId, id: ConnectionId) -> AppResult<ConnectionResponse> {
    let tx = app.db.read(tenant).await?;
    let row = ops::find_connection(&tx, id).await?;
    describe(&tx, row).await
}

async fn describe(tx: &TenantTx, row: connection::Model) -> AppResult<ConnectionResponse> {
    let secrets = queries::secrets_of(tx, ConnectionId(row.id)).await?;
    Ok(ConnectionResponse {
        id: row.id,
        plugin_id: row.plugin_id,
        label: row.label,
        state: row.state.as_str().to_owned(),
        config: serde_json::from_str(&row.config).map_err(AppError::internal)?,
        secrets: secrets
            .into_iter()
            .map(|secret| StoredSecret { field: secret.field, set_at: rfc3339(secret.set_at) })
            .collect(),
        time_zone: row.time_zone,
        day_cutover_minutes: row.day_cutover_minutes,
        created_at: rfc3339(row.created_at),
        updated_at: rfc3339(row.updated_at),
    })
}
