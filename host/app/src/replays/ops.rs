//! Starting and cancelling replays.

use std::sync::Arc;

use futures::future::BoxFuture;
use portolan_access::audit::{self, Entry, Who};
use portolan_core::id::new_uuid;
use portolan_core::{ConnectionId, Duration, Instant, SyncId, TenantId, UserId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::replay::{self, ReplayState};
use portolan_db::entity::{chunk, stream};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::jobs::{RUN_REPLAY, job_of};
use super::queries::{find_replay, wanted_chunks};
use crate::App;
use crate::channels::{find_connection, plugin_of};
use crate::live::LiveMessage;
use crate::web::error::{AppError, AppResult};

/// Which chunks are read anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayScope {
    /// Only this stream; all where absent.
    pub stream: Option<String>,
    /// Only this chunk.
    pub chunk: Option<Uuid>,
}

/// Why chunks are read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayReason {
    Manual,
    Upgrade,
    Rollback,
}

impl ReplayReason {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
        }
    }
}

/// Queues a replay that a person asks for.
///
/// Errors: no such stream or chunk, the plugin's build is not installed, or a replay of the connection is open.
pub async fn start_replay(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    scope: ReplayScope,
) -> AppResult<Uuid> {
    settle_dead(app, tenant, connection).await?;
    let app_in_task = Arc::clone(app);
    let replay = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find_connection(tx, connection).await?;
                plugin_of(&app_in_task, &row)?;
                check_scope(tx, connection, &scope).await?;
                if let Some(open) = open_replay(tx, connection).await? {
                    return Err(AppError::conflict(format!(
                        "Stored data of this connection is being read again already ({}). Wait for its end or cancel \
                         it, then ask again.",
                        open.state.as_str()
                    )));
                }
                let told = json!({
                    "connection_id": connection, "stream": scope.stream, "chunk_id": scope.chunk,
                });
                let (reason, by) = (ReplayReason::Manual, who.user());
                let replay = enqueue_replay(&app_in_task, tx, connection, scope, reason, by).await?;
                let entry = who.did("replay.start", "replay", replay).after(told);
                audit::write(tx, app_in_task.clock.now(), entry);
                Ok::<_, AppError>(replay)
            })
        })
        .await?;
    announce(app, tenant, replay, connection);
    Ok(replay)
}

async fn check_scope(tx: &TenantTx, connection: ConnectionId, scope: &ReplayScope) -> AppResult<()> {
    if let Some(name) = &scope.stream {
        let known = tx
            .find::<stream::Entity>()
            .filter(stream::Column::ConnectionId.eq(connection.0))
            .filter(stream::Column::Name.eq(name.as_str()))
            .one(tx)
            .await?;
        known.ok_or_else(|| AppError::invalid("stream", "The connection has no such stream."))?;
    }
    if let Some(id) = scope.chunk {
        let known = tx
            .find::<chunk::Entity>()
            .filter(chunk::Column::ConnectionId.eq(connection.0))
            .filter(chunk::Column::Id.eq(id))
            .count(tx)
            .await?;
        if known == 0 {
            return Err(AppError::invalid("chunk_id", "The connection has no such stored page."));
        }
    }
    Ok(())
}

/// The replay of a connection that waits or runs.
pub async fn open_replay(tx: &TenantTx, connection: ConnectionId) -> AppResult<Option<replay::Model>> {
    Ok(tx
        .find::<replay::Entity>()
        .filter(replay::Column::ConnectionId.eq(connection.0))
        .filter(replay::Column::State.is_in([ReplayState::Queued, ReplayState::Running]))
        .one(tx)
        .await?)
}

/// Stores a replay and its job, or neither.
pub async fn enqueue_replay(
    app: &App,
    tx: &TenantTx,
    connection: ConnectionId,
    scope: ReplayScope,
    reason: ReplayReason,
    by: Option<UserId>,
) -> AppResult<Uuid> {
    let id = new_uuid(&*app.clock, &*app.random);
    let now = app.clock.now().0;
    let total = wanted_chunks(tx, connection, &scope).count(tx).await?;
    tx.insert(replay::ActiveModel {
        tenant_id: Set(tx.tenant().0),
        id: Set(id),
        connection_id: Set(connection.0),
        reason: Set(reason.as_str().to_owned()),
        stream: Set(scope.stream),
        chunk_id: Set(scope.chunk),
        state: Set(ReplayState::Queued),
        plugin_sha256: Set(None),
        before_chunk_id: Set(None),
        chunks_total: Set(i64::try_from(total).unwrap_or(i64::MAX)),
        chunks_done: Set(0),
        chunks_failed: Set(0),
        seen: Set(0),
        skipped: Set(0),
        released: Set(0),
        documents: Set(0),
        superseded: Set(0),
        events_posted: Set(0),
        error_code: Set(None),
        error_detail: Set(None),
        created_by: Set(by.map(|user| user.0)),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
        updated_at: Set(now),
    })
    .await?;
    app.queue.enqueue(tx, job_of(tx.tenant(), id)).await?;
    Ok(id)
}

/// Ends a replay: at once while it waits, after the chunk it is at while it runs. What was read anew stays so.
pub async fn cancel_replay(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    id: Uuid,
) -> AppResult<()> {
    let entry = who.did("replay.cancel", "replay", id);
    cancel_reading(app, tenant, connection, id, entry, move |tx, now| {
        Box::pin(async move {
            find_replay(tx, connection, id).await?;
            Ok(cancel_open(tx, connection, Some(id), now).await?)
        })
    })
    .await
}

/// Ends what reads stored pages, a replay or a trial: `close` closes its row at a moment and counts what it closed.
pub async fn cancel_reading<F>(
    app: &Arc<App>,
    tenant: TenantId,
    connection: ConnectionId,
    id: Uuid,
    entry: Entry,
    close: F,
) -> AppResult<()>
where
    F: for<'t> FnOnce(&'t TenantTx, i64) -> BoxFuture<'t, AppResult<u64>> + Send + 'static,
{
    let now = app.clock.now().0;
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                if close(tx, now).await? == 0 {
                    return Err(AppError::conflict("It has ended already: there is nothing to cancel."));
                }
                audit::write(tx, Instant(now), entry);
                Ok(())
            })
        })
        .await?;
    announce(app, tenant, id, connection);
    Ok(())
}

/// Cancels the open replay of a connection, where there is one. The job sees it before its next chunk.
pub async fn cancel_open(
    tx: &TenantTx,
    connection: ConnectionId,
    id: Option<Uuid>,
    now: i64,
) -> Result<u64, DbError> {
    let mut open = tx
        .update_many::<replay::Entity>()
        .set(replay::ActiveModel {
            state: Set(ReplayState::Cancelled),
            finished_at: Set(Some(now)),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(replay::Column::ConnectionId.eq(connection.0))
        .filter(replay::Column::State.is_in([ReplayState::Queued, ReplayState::Running]));
    if let Some(id) = id {
        open = open.filter(replay::Column::Id.eq(id));
    }
    Ok(open.exec(tx).await?.rows_affected)
}

/// Ends the open replay of a connection whose job is dead: its worker vanished again and again, so it could not say
/// so itself. Whoever looks at replays or starts one settles it first.
pub async fn settle_dead(app: &Arc<App>, tenant: TenantId, connection: ConnectionId) -> AppResult<()> {
    let tx = app.db.read(tenant).await?;
    if dead_replay(&tx, connection).await?.is_none() {
        return Ok(());
    }
    drop(tx);
    let now = app.clock.now().0;
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                // Looked at again: it may have ended meanwhile.
                let Some(dead) = dead_replay(tx, connection).await? else { return Ok(()) };
                tx.update(replay::ActiveModel {
                    tenant_id: Set(dead.tenant_id),
                    id: Set(dead.id),
                    state: Set(ReplayState::Failed),
                    error_code: Set(Some("worker_crashed".to_owned())),
                    error_detail: Set(Some(WORKER_CRASHED.to_owned())),
                    finished_at: Set(Some(now)),
                    updated_at: Set(now),
                    ..Default::default()
                })
                .await?;
                Ok::<_, AppError>(())
            })
        })
        .await
}

const WORKER_CRASHED: &str = "The server stopped again and again while it read stored data, which got no further in \
    between. Whoever runs the server finds the reason in its log; then start it again.";

async fn dead_replay(tx: &TenantTx, connection: ConnectionId) -> AppResult<Option<replay::Model>> {
    let Some(open) = open_replay(tx, connection).await? else { return Ok(None) };
    let dead = !has_job(tx, RUN_REPLAY, open.id).await?;
    Ok(dead.then_some(open))
}

/// Whether a job of this kind is at work on something that reads stored pages, or will be.
pub async fn has_job(tx: &TenantTx, kind: &str, id: Uuid) -> AppResult<bool> {
    let alive = tx
        .find::<job::Entity>()
        .filter(job::Column::Kind.eq(kind))
        .filter(job::Column::UniqueKey.eq(format!("{}:{id}", tx.tenant())))
        .filter(job::Column::State.is_in([JobState::Ready, JobState::Running]))
        .count(tx)
        .await?;
    Ok(alive > 0)
}

/// Whether a sync of the tenant waits for a worker: it comes first.
pub async fn sync_waits(tx: &TenantTx, now: i64) -> Result<bool, DbError> {
    let waiting = tx
        .find::<job::Entity>()
        .filter(job::Column::Kind.eq(crate::syncs::jobs::RUN_SYNC))
        .filter(job::Column::State.eq(JobState::Ready))
        .filter(job::Column::RunAt.lte(now))
        // One that has waited this long waits for its lane, not for a worker.
        .filter(job::Column::RunAt.gt(now - Duration::from_secs(30).0))
        .count(tx)
        .await?;
    Ok(waiting > 0)
}

/// Open pages of the connection look again.
pub fn announce(app: &App, tenant: TenantId, replay: Uuid, connection: ConnectionId) {
    app.live.publish(LiveMessage::Sync { tenant, sync: SyncId(replay), connection });
}
