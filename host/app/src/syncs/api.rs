//! Syncs over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_core::{ConnectionId, Instant, SyncId, TenantId};
use portolan_db::entity::sync::{self, RequestedAction};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::ops::{self, Trigger};
use super::orphans::settle_orphans_or_log;
use super::progress::{SyncProgress, measure};
use super::queries::{self, SyncFilter};
use crate::App;
use crate::channels::seen::check_seen;
use crate::web::actor::{Require, SyncsRead, SyncsRun};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::{Path, Query};
use crate::web::json::Json;
use crate::web::page::{ListedPage, Page, Paging};
use crate::web::route::{ApiRoutes, guarded};
use crate::web::viewer::DISK_FULL_WAITING;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_syncs))
        .with(guarded!(start_sync))
        .with(guarded!(show_sync))
        .with(guarded!(cancel_sync))
        .with(guarded!(pause_sync))
        .with(guarded!(resume_sync))
        .with(guarded!(list_quarantine))
}

/// One run of a connection's streams.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncResponse {
    pub id: Uuid,
    pub connection_id: Uuid,
    pub trigger: String,
    /// queued, running, paused, succeeded, failed or cancelled.
    pub state: String,
    /// Raw records; `seen = emitted + skipped`.
    pub seen: i64,
    pub emitted: i64,
    pub skipped: i64,
    pub documents: i64,
    pub events_posted: i64,
    pub bytes_fetched: i64,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    /// Raw records announced by the channel; absent where it announces none.
    pub expected: Option<i64>,
    pub progress: Option<SyncProgress>,
}

impl SyncResponse {
    pub fn new(row: sync::Model, progress: Option<SyncProgress>) -> Self {
        let time = |at: i64| Instant(at).to_rfc3339();
        Self {
            id: row.id,
            connection_id: row.connection_id,
            trigger: row.trigger,
            state: row.state.as_str().to_owned(),
            seen: row.seen,
            emitted: row.emitted,
            skipped: row.skipped,
            documents: row.documents,
            events_posted: row.events_posted,
            bytes_fetched: row.bytes_fetched,
            error_code: row.error_code,
            error_detail: row.error_detail,
            created_at: time(row.created_at),
            started_at: row.started_at.map(time),
            finished_at: row.finished_at.map(time),
            expected: progress.as_ref().and_then(|progress| progress.records_expected),
            progress,
        }
    }

    /// Says that a sync at work waits for room: on a full disk its own row can't be written.
    pub fn waiting_for_room(mut self, app: &App) -> Self {
        if app.db.disk_is_full() && matches!(self.state.as_str(), "queued" | "running") {
            self.error_code = Some("disk_full".to_owned());
            self.error_detail = Some(DISK_FULL_WAITING.to_owned());
        }
        self
    }
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct SyncListQuery {
    /// Only syncs of this connection.
    connection_id: Option<Uuid>,
}

/// Which connection to sync.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartSyncRequest {
    connection_id: Uuid,
}

/// A record that could not be mapped, with the reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineResponse {
    pub id: Uuid,
    pub stream: String,
    pub chunk_id: Uuid,
    /// Index of the raw record inside its chunk.
    pub src: i64,
    pub path: Option<String>,
    pub reason: String,
}

/// List syncs, newest first.
#[utoipa::path(get, path = "/api/v1/syncs", tag = "syncs", params(SyncListQuery, Paging),
    responses((status = 200, body = Page<SyncResponse>), (status = "4XX", body = Problem)))]
pub async fn list_syncs(
    actor: Require<SyncsRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<SyncListQuery>,
    paging: Paging,
) -> AppResult<ListedPage<SyncResponse>> {
    settle_orphans_or_log(&app, actor.tenant).await;
    let tx = app.db.read(actor.tenant).await?;
    let filter =
        SyncFilter { connection: query.connection_id.map(ConnectionId), state: None, beside: paging.beside };
    let rows = queries::list_syncs(&tx, actor.seen(), &filter, paging.limit).await?;
    let mut syncs = Vec::new();
    for row in rows {
        let progress = progress_of(&app, &tx, &row).await?;
        syncs.push(SyncResponse::new(row, progress).waiting_for_room(&app));
    }
    Ok(paging.page(&app, syncs, |sync| sync.id))
}

/// Start a sync of all enabled streams.
#[utoipa::path(post, path = "/api/v1/syncs", tag = "syncs", request_body = StartSyncRequest,
    responses((status = 202, body = SyncResponse), (status = "4XX", body = Problem)))]
pub async fn start_sync(
    actor: Require<SyncsRun>,
    State(app): State<Arc<App>>,
    request: Result<Json<StartSyncRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<SyncResponse>)> {
    let Json(request) = request?;
    let connection = ConnectionId(request.connection_id);
    check_seen(&app.db.read(actor.tenant).await?, actor.seen(), connection).await?;
    let id = ops::start_sync(&app, actor.tenant, actor.who(), connection, Trigger::Manual).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, id).await?)))
}

/// One sync with its progress.
#[utoipa::path(get, path = "/api/v1/syncs/{id}", tag = "syncs", params(("id" = Uuid, Path)),
    responses((status = 200, body = SyncResponse), (status = "4XX", body = Problem)))]
pub async fn show_sync(
    actor: Require<SyncsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<SyncResponse>> {
    Ok(Json(load(&app, actor.tenant, SyncId(id)).await?))
}

/// Cancel a sync; what has been imported stays.
#[utoipa::path(post, path = "/api/v1/syncs/{id}/cancel", tag = "syncs", params(("id" = Uuid, Path)),
    responses((status = 202, body = SyncResponse), (status = "4XX", body = Problem)))]
pub async fn cancel_sync(
    actor: Require<SyncsRun>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<(StatusCode, Json<SyncResponse>)> {
    ops::request_action(&app, actor.tenant, actor.who(), SyncId(id), RequestedAction::Cancel).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, SyncId(id)).await?)))
}

/// Pause a sync after the page it is at.
#[utoipa::path(post, path = "/api/v1/syncs/{id}/pause", tag = "syncs", params(("id" = Uuid, Path)),
    responses((status = 202, body = SyncResponse), (status = "4XX", body = Problem)))]
pub async fn pause_sync(
    actor: Require<SyncsRun>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<(StatusCode, Json<SyncResponse>)> {
    ops::request_action(&app, actor.tenant, actor.who(), SyncId(id), RequestedAction::Pause).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, SyncId(id)).await?)))
}

/// Go on with a paused sync.
#[utoipa::path(post, path = "/api/v1/syncs/{id}/resume", tag = "syncs", params(("id" = Uuid, Path)),
    responses((status = 202, body = SyncResponse), (status = "4XX", body = Problem)))]
pub async fn resume_sync(
    actor: Require<SyncsRun>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<(StatusCode, Json<SyncResponse>)> {
    ops::resume_sync(&app, actor.tenant, actor.who(), SyncId(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, SyncId(id)).await?)))
}

/// The newest records of a sync that could not be mapped, with the reasons.
#[utoipa::path(get, path = "/api/v1/syncs/{id}/dead-letters", tag = "syncs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<QuarantineResponse>), (status = "4XX", body = Problem)))]
pub async fn list_quarantine(
    actor: Require<SyncsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<QuarantineResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    ops::find_sync(&tx, SyncId(id)).await?;
    let (rows, _) = queries::quarantine_of(&tx, SyncId(id), 500).await?;
    let rows = rows.into_iter().map(|row| QuarantineResponse {
        id: row.id,
        stream: row.stream,
        chunk_id: row.chunk_id,
        src: row.src,
        path: row.path,
        reason: row.reason,
    });
    Ok(Json(rows.collect()))
}

async fn load(app: &App, tenant: TenantId, id: SyncId) -> AppResult<SyncResponse> {
    settle_orphans_or_log(app, tenant).await;
    let tx = app.db.read(tenant).await?;
    let row = ops::find_sync(&tx, id).await?;
    let progress = progress_of(app, &tx, &row).await?;
    Ok(SyncResponse::new(row, progress).waiting_for_room(app))
}

/// How far a sync is, as of now.
pub async fn progress_of(
    app: &App,
    tx: &portolan_db::TenantTx,
    row: &sync::Model,
) -> Result<Option<SyncProgress>, AppError> {
    if !ops::is_open(row.state) {
        return Ok(None);
    }
    let slices = queries::slices_of(tx, SyncId(row.id)).await?;
    let chunks = queries::chunk_counts(tx, SyncId(row.id)).await?;
    Ok(measure(row, &slices, chunks, app.clock.now()))
}
