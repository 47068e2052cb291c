//! Upgrades over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_connector::InstalledPlugin;
use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::entity::{plugin_switch, shadow_replay};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, ShadowAim};
use super::report::ShadowReport;
use super::{queries, switch};
use crate::App;
use crate::channels::consent::NewAsks;
use crate::channels::find_connection;
use crate::web::actor::{ConnectionsRead, ConnectionsWrite, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::check_fresh;

/// The newest of each kind that a list gives.
const LISTED: u64 = 20;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(show_upgrades))
        .with(guarded!(start_shadow_replay))
        .with(guarded!(show_shadow_replay))
        .with(guarded!(cancel_shadow_replay))
        .with(guarded!(switch_build))
        .with(guarded!(roll_back))
}

/// The builds that a connection can be on, what was tried, and how it was switched.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpgradesResponse {
    /// The build that the connection is on; absent where it is not installed.
    pub present: Option<PluginBuild>,
    /// The newest installed build, where that is another.
    pub newer: Option<PluginBuild>,
    /// What the newer build asks for that nobody has agreed to.
    pub new_asks: Option<NewAsks>,
    /// Newest first.
    pub shadow_replays: Vec<ShadowReplayResponse>,
    /// Newest first.
    pub switches: Vec<SwitchResponse>,
}

/// A build of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub struct PluginBuild {
    pub version: String,
    /// SHA-256 of the component, lower-case hex.
    pub sha256: String,
}

impl From<&InstalledPlugin> for PluginBuild {
    fn from(installed: &InstalledPlugin) -> Self {
        Self { version: installed.plugin.version.clone(), sha256: installed.plugin.sha256.clone() }
    }
}

/// A trial of another build: nothing changes by it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShadowReplayResponse {
    pub id: Uuid,
    pub from_sha256: String,
    pub to_sha256: String,
    /// queued, running, succeeded, failed or cancelled.
    pub state: String,
    /// How many of the newest stored pages of each stream are read.
    pub chunks_per_stream: i64,
    pub chunks_total: i64,
    pub chunks_done: i64,
    /// Once it has succeeded.
    pub report: Option<ShadowReport>,
    pub error_detail: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    pub finished_at: Option<String>,
}

impl TryFrom<shadow_replay::Model> for ShadowReplayResponse {
    type Error = AppError;

    fn try_from(row: shadow_replay::Model) -> Result<Self, Self::Error> {
        let report = row.report.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            id: row.id,
            from_sha256: row.from_sha256,
            to_sha256: row.to_sha256,
            state: row.state.as_str().to_owned(),
            chunks_per_stream: row.chunks_per_stream,
            chunks_total: row.chunks_total,
            chunks_done: row.chunks_done,
            report: report.map_err(AppError::internal)?,
            error_detail: row.error_detail,
            created_at: Instant(row.created_at).to_rfc3339(),
            finished_at: row.finished_at.map(|at| Instant(at).to_rfc3339()),
        })
    }
}

/// A switch of a connection to another build.
#[derive(Debug, Serialize, ToSchema)]
pub struct SwitchResponse {
    pub id: Uuid,
    pub from_sha256: Option<String>,
    pub to_sha256: String,
    /// The trial that was looked at before; absent where it went back.
    pub shadow_replay_id: Option<Uuid>,
    /// What reads the stored pages with the other build.
    pub replay_id: Uuid,
    /// RFC 3339. What was recorded in the ledger before is what was reported before.
    pub switched_at: String,
}

impl From<plugin_switch::Model> for SwitchResponse {
    fn from(row: plugin_switch::Model) -> Self {
        Self {
            id: row.id,
            from_sha256: row.from_sha256,
            to_sha256: row.to_sha256,
            shadow_replay_id: row.shadow_replay_id,
            replay_id: row.replay_id,
            switched_at: Instant(row.switched_at).to_rfc3339(),
        }
    }
}

/// Which build to try.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartShadowRequest {
    /// The newest installed one where absent.
    #[serde(default)]
    sha256: Option<String>,
    /// 1 to 500; 50 where absent.
    #[serde(default)]
    chunks_per_stream: Option<i64>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchRequest {
    /// Whether the person agrees to what the build newly asks for.
    #[serde(default)]
    consent: bool,
}

/// What reads the stored pages with the build that was switched to.
#[derive(Debug, Serialize, ToSchema)]
pub struct SwitchedResponse {
    pub replay_id: Uuid,
}

/// The builds that a connection can be on.
#[utoipa::path(get, path = "/api/v1/connections/{id}/upgrades", tag = "upgrades", params(("id" = Uuid, Path)),
    responses((status = 200, body = UpgradesResponse), (status = "4XX", body = Problem)))]
pub async fn show_upgrades(
    actor: Require<ConnectionsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<UpgradesResponse>> {
    let id = ConnectionId(id);
    ops::settle_dead(&app, actor.tenant, id).await?;
    let tx = app.db.read(actor.tenant).await?;
    let connection = find_connection(&tx, id).await?;
    let builds = queries::builds_of(&app, &connection);
    let new_asks = match &builds.newer {
        Some(newer) => Some(switch::asks_of(&app, &tx, id, &newer.plugin.sha256).await?),
        None => None,
    };
    let shadows = queries::shadows_of(&tx, id, LISTED).await?;
    let switches = queries::switches_of(&tx, id, LISTED).await?;
    Ok(Json(UpgradesResponse {
        present: builds.present.as_ref().map(PluginBuild::from),
        newer: builds.newer.as_ref().map(PluginBuild::from),
        new_asks,
        shadow_replays: shadows.into_iter().map(ShadowReplayResponse::try_from).collect::<AppResult<_>>()?,
        switches: switches.into_iter().map(SwitchResponse::from).collect(),
    }))
}

/// See what another build would change, without changing anything.
#[utoipa::path(post, path = "/api/v1/connections/{id}/upgrades", tag = "upgrades", params(("id" = Uuid, Path)),
    request_body = StartShadowRequest,
    responses((status = 202, body = ShadowReplayResponse), (status = "4XX", body = Problem)))]
pub async fn start_shadow_replay(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<StartShadowRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<ShadowReplayResponse>)> {
    let Json(request) = request?;
    let aim = ShadowAim { sha256: request.sha256, chunks_per_stream: request.chunks_per_stream };
    let connection = ConnectionId(id);
    let shadow = ops::start_shadow(&app, actor.tenant, actor.who(), connection, aim).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, connection, shadow).await?)))
}

/// One trial of another build, with its report.
#[utoipa::path(get, path = "/api/v1/connections/{id}/upgrades/{shadow_id}", tag = "upgrades",
    params(("id" = Uuid, Path), ("shadow_id" = Uuid, Path)),
    responses((status = 200, body = ShadowReplayResponse), (status = "4XX", body = Problem)))]
pub async fn show_shadow_replay(
    actor: Require<ConnectionsRead>,
    State(app): State<Arc<App>>,
    Path((id, shadow_id)): Path<(Uuid, Uuid)>,
) -> AppResult<Json<ShadowReplayResponse>> {
    ops::settle_dead(&app, actor.tenant, ConnectionId(id)).await?;
    Ok(Json(load(&app, actor.tenant, ConnectionId(id), shadow_id).await?))
}

/// End a trial.
#[utoipa::path(post, path = "/api/v1/connections/{id}/upgrades/{shadow_id}/cancel", tag = "upgrades",
    params(("id" = Uuid, Path), ("shadow_id" = Uuid, Path)),
    responses((status = 202, body = ShadowReplayResponse), (status = "4XX", body = Problem)))]
pub async fn cancel_shadow_replay(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, shadow_id)): Path<(Uuid, Uuid)>,
) -> AppResult<(StatusCode, Json<ShadowReplayResponse>)> {
    ops::cancel_shadow(&app, actor.tenant, actor.who(), ConnectionId(id), shadow_id).await?;
    Ok((StatusCode::ACCEPTED, Json(load(&app, actor.tenant, ConnectionId(id), shadow_id).await?)))
}

/// Switch to the build of a trial, and read the stored pages with it.
#[utoipa::path(post, path = "/api/v1/connections/{id}/upgrades/{shadow_id}/switch", tag = "upgrades",
    params(("id" = Uuid, Path), ("shadow_id" = Uuid, Path)), request_body = SwitchRequest,
    responses((status = 202, body = SwitchedResponse), (status = "4XX", body = Problem)))]
pub async fn switch_build(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, shadow_id)): Path<(Uuid, Uuid)>,
    request: Result<Json<SwitchRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<SwitchedResponse>)> {
    let Json(request) = request?;
    let (connection, who) = (ConnectionId(id), actor.who());
    if request.consent {
        // More hosts, secrets or personal fields: a person says yes to that, and shows who they are.
        check_fresh(&app, actor.signed_in()?)?;
    }
    let replay_id =
        switch::switch_build(&app, actor.tenant, who, connection, shadow_id, request.consent).await?;
    Ok((StatusCode::ACCEPTED, Json(SwitchedResponse { replay_id })))
}

/// Go back to the build before the last switch, and read the stored pages with it.
#[utoipa::path(post, path = "/api/v1/connections/{id}/rollback", tag = "upgrades", params(("id" = Uuid, Path)),
    responses((status = 202, body = SwitchedResponse), (status = "4XX", body = Problem)))]
pub async fn roll_back(
    actor: Require<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<(StatusCode, Json<SwitchedResponse>)> {
    let replay_id = switch::roll_back(&app, actor.tenant, actor.who(), ConnectionId(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(SwitchedResponse { replay_id })))
}

async fn load(
    app: &App,
    tenant: TenantId,
    connection: ConnectionId,
    shadow: Uuid,
) -> AppResult<ShadowReplayResponse> {
    let tx = app.db.read(tenant).await?;
    queries::find_shadow(&tx, connection, shadow).await?.try_into()
}
