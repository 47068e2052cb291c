//! Replays over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::entity::replay;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, ReplayScope};
use super::queries;
use crate::App;
use crate::channels::find_connection;
use crate::web::actor::{Require, SyncsRead, SyncsRun};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

/// The newest of a connection that a list gives.
const LISTED: u64 = 100;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_replays))
        .with(guarded!(start_replay))
        .with(guarded!(show_replay))
        .with(guarded!(cancel_replay))
}

/// One reading anew of pages that are stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayResponse {
    pub id: Uuid,
    pub connection_id: Uuid,
    /// manual, upgrade or rollback.
    pub reason: String,
    /// Only this stream; all where absent.
    pub stream: Option<String>,
    /// Only this stored page.
    pub chunk_id: Option<Uuid>,
    /// queued, running, succeeded, failed or cancelled.
    pub state: String,
    /// The build of the plugin that reads; absent before it has begun.
    pub plugin_sha256: Option<String>,
    /// Stored pages.
    pub chunks_total: i64,
    pub chunks_done: i64,
    /// Of those done: they stay as they were.
    pub chunks_failed: i64,
    /// Raw records read.
    pub seen: i64,
    pub skipped: i64,
    /// Records that left the quarantine.
    pub released: i64,
    pub documents: i64,
    /// Versions of documents that no stored page says any more.
    pub superseded: i64,
    pub events_posted: i64,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
}

impl From<replay::Model> for ReplayResponse {
    fn from(row: replay::Model) -> Self {
        let time = |at: i64| Instant(at).to_rfc3339();
        Self {
            id: row.id,
            connection_id: row.connection_id,
            reason: row.reason,
            stream: row.stream,
            chunk_id: row.chunk_id,
            state: row.state.as_str().to_owned(),
            plugin_sha256: row.plugin_sha256,
            chunks_total: row.chunks_total,
            chunks_done: row.chunks_done,
            chunks_failed: row.chunks_failed,
            seen: row.seen,
            skipped: row.skipped,
            released: row.released,
            documents: row.documents,
            superseded: row.superseded,
            events_posted: row.events_posted,
            error_code: row.error_code,
            error_detail: row.error_detail,
            created_at: time(row.created_at),
            started_at: row.started_at.map(time),
            finished_at: row.finished_at.map(time),
        }
    }
}

/// What to read again; everything that is stored where nothing is named.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartReplayRequest {
    /// Only this stream.
    #[serde(default)]
    stream: Option<String>,
    /// Only this stored page: that of one rejected record, for example.
    #[serde(default)]
    chunk_id: Option<Uuid>,
}

/// The newest replays of a connection.
#[utoipa::path(get, path = "/api/v1/connections/{id}/replays", tag = "replays", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<ReplayResponse>), (status = "4XX", body = Problem)))]
pub async fn list_replays(
    actor: Require<SyncsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<ReplayResponse>>> {
    let connection = ConnectionId(id);
    ops::settle_dead(&app, actor.tenant, connection).await?;
    let tx = app.db.read(actor.tenant).await?;
    find_connection(&tx, connection).await?;
    let rows = queries::replays_of(&tx, connection, LISTED).await?;
    Ok(Json(rows.into_iter().map(ReplayResponse::from).collect()))
}

/// Read stored pages again, without asking the channel.
#[utoipa::path(post, path = "/api/v1/connections/{id}/replays", tag = "replays", params(("id" = Uuid, Path)),
    request_body = StartReplayRequest,
    responses((status = 202, body = ReplayResponse), (status = "4XX", body = Problem)))]
pub async fn start_replay(
    actor: Require<SyncsRun>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<StartReplayRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<ReplayResponse>)> {
    let Json(request) = request?;
    let scope = ReplayScope { stream: request.stream, chunk: request.chunk_id };
    let connection = ConnectionId(id);
    let replay = ops::start_replay(&app, actor.tenant, actor.who(), connection, scope).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, connection, replay).await?)))
}

/// One replay with its progress.
#[utoipa::path(get, path = "/api/v1/connections/{id}/replays/{replay_id}", tag = "replays",
    params(("id" = Uuid, Path), ("replay_id" = Uuid, Path)),
    responses((status = 200, body = ReplayResponse), (status = "4XX", body = Problem)))]
pub async fn show_replay(
    actor: Require<SyncsRead>,
    State(app): State<Arc<App>>,
    Path((id, replay_id)): Path<(Uuid, Uuid)>,
) -> AppResult<Json<ReplayResponse>> {
    ops::settle_dead(&app, actor.tenant, ConnectionId(id)).await?;
    Ok(Json(load(&app, actor.tenant, ConnectionId(id), replay_id).await?))
}

/// End a replay; what was read again stays so.
#[utoipa::path(post, path = "/api/v1/connections/{id}/replays/{replay_id}/cancel", tag = "replays",
    params(("id" = Uuid, Path), ("replay_id" = Uuid, Path)),
    responses((status = 202, body = ReplayResponse), (status = "4XX", body = Problem)))]
pub async fn cancel_replay(
    actor: Require<SyncsRun>,
    State(app): State<Arc<App>>,
    Path((id, replay_id)): Path<(Uuid, Uuid)>,
) -> AppResult<(StatusCode, Json<ReplayResponse>)> {
    ops::cancel_replay(&app, actor.tenant, actor.who(), ConnectionId(id), replay_id).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, ConnectionId(id), replay_id).await?)))
}

async fn load(
    app: &App,
    tenant: TenantId,
    connection: ConnectionId,
    replay: Uuid,
) -> AppResult<ReplayResponse> {
    let tx = app.db.read(tenant).await?;
    Ok(queries::find_replay(&tx, connection, replay).await?.into())
}
