//! Starting and cancelling trials.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_connector::InstalledPlugin;
use portolan_core::id::new_uuid;
use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::replay::ReplayState;
use portolan_db::entity::{connection, shadow_replay};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::jobs::{RUN_SHADOW, job_of};
use super::queries::{builds_of, find_shadow, open_shadow};
use crate::App;
use crate::channels::{find_connection, plugin_of};
use crate::replays::ops::{announce, cancel_reading, has_job};
use crate::web::error::{AppError, AppResult};

/// How many of the newest stored pages of each stream a trial reads.
pub const DEFAULT_CHUNKS_PER_STREAM: i64 = 50;
const MOST_CHUNKS_PER_STREAM: i64 = 500;
const DIED: &str = "The server stopped again and again while it compared the two versions. Whoever runs the server \
    finds the reason in its log; nothing has been changed.";

/// Which build is tried, and over how much.
#[derive(Debug, Clone, Default)]
pub struct ShadowAim {
    /// The newest installed one where absent.
    pub sha256: Option<String>,
    pub chunks_per_stream: Option<i64>,
}

/// Queues a trial of another build: nothing changes by it.
///
/// Errors: no such build, the connection is on it already, or a trial is open.
pub async fn start_shadow(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    aim: ShadowAim,
) -> AppResult<Uuid> {
    let chunks_per_stream = aim.chunks_per_stream.unwrap_or(DEFAULT_CHUNKS_PER_STREAM);
    if !(1..=MOST_CHUNKS_PER_STREAM).contains(&chunks_per_stream) {
        let message = format!("Choose 1 to {MOST_CHUNKS_PER_STREAM} pages.");
        return Err(AppError::invalid("chunks_per_stream", message));
    }
    settle_dead(app, tenant, connection).await?;
    let id = new_uuid(&*app.clock, &*app.random);
    let now = app.clock.now().0;
    let app_in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find_connection(tx, connection).await?;
                let from = plugin_of(&app_in_task, &row)?;
                let to = other_build(&app_in_task, &row, aim.sha256.as_deref())?;
                if from.plugin.sha256 == to.plugin.sha256 {
                    return Err(AppError::invalid("sha256", "The connection is on this version already."));
                }
                if open_shadow(tx, connection).await?.is_some() {
                    return Err(AppError::conflict(
                        "Two versions are being compared already. Wait for the outcome or cancel it, then ask again.",
                    ));
                }
                let entry = who.did("shadow_replay.start", "shadow_replay", id).after(json!({
                    "connection_id": connection,
                    "from_sha256": from.plugin.sha256, "to_sha256": to.plugin.sha256,
                }));
                audit::write(tx, Instant(now), entry);
                tx.insert(shadow_replay::ActiveModel {
                    tenant_id: Set(tx.tenant().0),
                    id: Set(id),
                    connection_id: Set(connection.0),
                    from_sha256: Set(from.plugin.sha256),
                    to_sha256: Set(to.plugin.sha256),
                    state: Set(ReplayState::Queued),
                    chunks_per_stream: Set(chunks_per_stream),
                    chunks_total: Set(0),
                    chunks_done: Set(0),
                    report: Set(None),
                    error_detail: Set(None),
                    created_by: Set(who.user().map(|user| user.0)),
                    created_at: Set(now),
                    finished_at: Set(None),
                    updated_at: Set(now),
                })
                .await?;
                app_in_task.queue.enqueue(tx, job_of(tx.tenant(), id)).await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    announce(app, tenant, id, connection);
    Ok(id)
}

/// A build of the connection's plugin.
fn other_build(
    app: &App,
    connection: &connection::Model,
    sha256: Option<&str>,
) -> AppResult<InstalledPlugin> {
    let Some(sha256) = sha256 else {
        let newer = builds_of(app, connection).newer;
        return newer.ok_or_else(|| {
            AppError::conflict("No other version of the plugin is installed. Install one first.")
        });
    };
    let build = app.runtime.build(sha256).filter(|build| build.plugin.id == connection.plugin_id);
    build.ok_or_else(|| {
        AppError::invalid(
            "sha256",
            "No such version of the connection's plugin is installed. Install it first.",
        )
    })
}

/// Ends a trial; nothing has changed by it.
pub async fn cancel_shadow(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    id: Uuid,
) -> AppResult<()> {
    let entry = who.did("shadow_replay.cancel", "shadow_replay", id);
    cancel_reading(app, tenant, connection, id, entry, move |tx, now| {
        Box::pin(async move {
            find_shadow(tx, connection, id).await?;
            close(tx, id, ReplayState::Cancelled, None, now).await
        })
    })
    .await
}

async fn close(
    tx: &TenantTx,
    id: Uuid,
    state: ReplayState,
    detail: Option<String>,
    now: i64,
) -> AppResult<u64> {
    let closed = tx
        .update_many::<shadow_replay::Entity>()
        .set(shadow_replay::ActiveModel {
            state: Set(state),
            error_detail: Set(detail),
            finished_at: Set(Some(now)),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(shadow_replay::Column::Id.eq(id))
        .filter(shadow_replay::Column::State.is_in([ReplayState::Queued, ReplayState::Running]))
        .exec(tx)
        .await?;
    Ok(closed.rows_affected)
}

/// Ends the open trial of a connection whose job is dead: it could not say so itself.
pub async fn settle_dead(app: &Arc<App>, tenant: TenantId, connection: ConnectionId) -> AppResult<()> {
    let tx = app.db.read(tenant).await?;
    if dead_shadow(&tx, connection).await?.is_none() {
        return Ok(());
    }
    drop(tx);
    let now = app.clock.now().0;
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                // Looked at again: it may have ended meanwhile.
                if let Some(dead) = dead_shadow(tx, connection).await? {
                    close(tx, dead.id, ReplayState::Failed, Some(DIED.to_owned()), now).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await
}

async fn dead_shadow(tx: &TenantTx, connection: ConnectionId) -> AppResult<Option<shadow_replay::Model>> {
    let Some(open) = open_shadow(tx, connection).await? else { return Ok(None) };
    let dead = !has_job(tx, RUN_SHADOW, open.id).await?;
    Ok(dead.then_some(open))
}
