//! Starting, pausing, resuming and cancelling syncs.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_core::{ConnectionId, Instant, SyncId, TenantId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::sync::{self, RequestedAction, SyncState};
use portolan_db::{DbError, TenantTx};
use portolan_jobs::{Lane, NewJob};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;

use super::jobs::RUN_SYNC;
use super::orphans::{settle_orphans, waiting_job};
use super::run::may_sync;
use crate::App;
use crate::channels::{find_connection, plugin_of};
use crate::live::LiveMessage;
use crate::web::error::{AppError, AppResult};

/// Why a sync was started, and which streams it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A person asked for all streams.
    Manual,
    /// One stream's schedule fired.
    Schedule { stream: String },
    /// A file was uploaded.
    Upload,
}

impl Trigger {
    /// The stored form; [`Self::stream_of`] reads the stream back.
    pub fn to_text(&self) -> String {
        match self {
            Self::Manual => "manual".to_owned(),
            Self::Schedule { stream } => format!("schedule:{stream}"),
            Self::Upload => "upload".to_owned(),
        }
    }

    /// The one stream that a stored trigger restricts its sync to.
    pub fn stream_of(text: &str) -> Option<&str> {
        text.strip_prefix("schedule:")
    }
}

/// Whether a sync may still change.
pub fn is_open(state: SyncState) -> bool {
    matches!(state, SyncState::Queued | SyncState::Running | SyncState::Paused)
}

/// Queues a sync. The job exists if and only if the sync does.
///
/// Errors: the connection is paused or needs credentials; a sync of the same scope is open.
pub async fn start_sync(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    trigger: Trigger,
) -> AppResult<SyncId> {
    settle_orphans(app, tenant).await?;
    let sync = SyncId::generate(&*app.clock, &*app.random);
    let app_in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find_connection(tx, connection).await?;
                plugin_of(&app_in_task, &row)?;
                if !may_sync(&row) {
                    return Err(AppError::conflict(
                        "The connection is paused or waits for new credentials. Resume it first, then sync.",
                    ));
                }
                refuse_second_sync(tx, connection, &trigger).await?;
                insert_sync(&app_in_task, tx, connection, sync, &trigger).await?;
                // What a schedule starts, nobody did: the sync itself says by which.
                if !matches!(trigger, Trigger::Schedule { .. }) {
                    let entry = who.did("sync.start", "sync", sync);
                    let entry =
                        entry.after(json!({ "connection_id": connection, "trigger": trigger.to_text() }));
                    audit::write(tx, app_in_task.clock.now(), entry);
                }
                Ok::<_, AppError>(())
            })
        })
        .await?;
    announce(app, tenant, sync, connection);
    Ok(sync)
}

/// Two syncs of one scope would only do the same work twice.
async fn refuse_second_sync(tx: &TenantTx, connection: ConnectionId, trigger: &Trigger) -> AppResult<()> {
    let open = tx
        .find::<sync::Entity>()
        .filter(sync::Column::ConnectionId.eq(connection.0))
        .filter(sync::Column::State.is_in([SyncState::Queued, SyncState::Running, SyncState::Paused]))
        .all(tx)
        .await?;
    let wanted = trigger.to_text();
    let same_scope =
        |open: &sync::Model| match (Trigger::stream_of(&open.trigger), Trigger::stream_of(&wanted)) {
            (Some(running), Some(asked)) => running == asked,
            (Some(_), None) => false,
            // A file waits for a sync of its own: the one that runs may have looked already.
            (None, _) => *trigger != Trigger::Upload,
        };
    match open.iter().find(|open| same_scope(open)) {
        Some(open) => Err(AppError::conflict(format!(
            "A sync of this connection is already {}. Look at /syncs/{}, or cancel it there first.",
            open.state.as_str(),
            open.id
        ))),
        None => Ok(()),
    }
}

async fn insert_sync(
    app: &App,
    tx: &TenantTx,
    connection: ConnectionId,
    sync: SyncId,
    trigger: &Trigger,
) -> AppResult<()> {
    let now = app.clock.now().0;
    tx.insert(sync::ActiveModel {
        tenant_id: Set(tx.tenant().0),
        id: Set(sync.0),
        connection_id: Set(connection.0),
        trigger: Set(trigger.to_text()),
        state: Set(SyncState::Queued),
        requested_action: Set(None),
        seen: Set(0),
        emitted: Set(0),
        skipped: Set(0),
        documents: Set(0),
        events_posted: Set(0),
        bytes_fetched: Set(0),
        expected: Set(None),
        error_code: Set(None),
        error_detail: Set(None),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
        updated_at: Set(now),
    })
    .await?;
    enqueue_run(app, tx, connection, sync).await
}

async fn enqueue_run(app: &App, tx: &TenantTx, connection: ConnectionId, sync: SyncId) -> AppResult<()> {
    let run = NewJob::new(RUN_SYNC, Lane::connection(connection, 1), json!({ "sync_id": sync }));
    let asked = app.queue.enqueue(tx, run.clone().unique(sync.to_string())).await?;
    if asked.fresh {
        return Ok(());
    }
    // A sync that has just paused may still have a job that runs, but is at its end.
    let known = tx.find::<job::Entity>().filter(job::Column::Id.eq(asked.id.0)).one(tx).await?;
    if known.is_none_or(|known| known.state != JobState::Ready) {
        app.queue.enqueue(tx, run).await?;
    }
    Ok(())
}

/// What a sync that has ended will not fetch any more.
pub(super) async fn close_slices(tx: &TenantTx, sync: SyncId, now: i64) -> Result<(), DbError> {
    tx.update_many::<slice::Entity>()
        .col_expr(slice::Column::State, Expr::value(SliceState::Cancelled.as_str()))
        .col_expr(slice::Column::UpdatedAt, Expr::value(now))
        .filter(slice::Column::SyncId.eq(sync.0))
        .filter(slice::Column::State.is_in([SliceState::Pending, SliceState::Running]))
        .exec(tx)
        .await?;
    Ok(())
}

/// The sync with this id.
pub async fn find_sync(tx: &TenantTx, id: SyncId) -> AppResult<sync::Model> {
    tx.find_by_id::<sync::Entity>(id.0).await?.ok_or_else(|| AppError::not_found("sync"))
}

/// Pauses or cancels: at once while it waits, at the next page or chunk while it runs.
pub async fn request_action(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    id: SyncId,
    action: RequestedAction,
) -> AppResult<()> {
    let told = match action {
        RequestedAction::Pause => "sync.pause",
        RequestedAction::Cancel => "sync.cancel",
    };
    let now = app.clock.now().0;
    let queue = app.queue.clone();
    let connection = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find_sync(tx, id).await?;
                // A sync that waits for its next attempt is at nobody's hands: nobody would read the request.
                let waits = match waiting_job(tx, &row).await? {
                    Some(job) if row.state == SyncState::Running => queue.cancel(tx, job).await?,
                    _ => false,
                };
                let state = if waits { SyncState::Queued } else { row.state };
                let mut change = sync::ActiveModel { updated_at: Set(now), ..Default::default() };
                match (state, action) {
                    (SyncState::Running, _) => change.requested_action = Set(Some(action)),
                    (SyncState::Queued, RequestedAction::Pause) => change.state = Set(SyncState::Paused),
                    (SyncState::Queued | SyncState::Paused, RequestedAction::Cancel) => {
                        change.state = Set(SyncState::Cancelled);
                        change.finished_at = Set(Some(now));
                        close_slices(tx, id, now).await?;
                    }
                    _ => {
                        return Err(AppError::conflict(format!(
                            "The sync is {}: there is nothing to {}.",
                            row.state.as_str(),
                            action.as_str()
                        )));
                    }
                }
                // A worker may have begun or ended it since it was read.
                let changed = tx
                    .update_many::<sync::Entity>()
                    .set(change)
                    .filter(sync::Column::Id.eq(id.0))
                    .filter(sync::Column::State.eq(row.state))
                    .exec(tx)
                    .await?;
                if changed.rows_affected == 0 {
                    return Err(AppError::conflict(format!(
                        "The sync went on at the same moment: look at it again, then {} it.",
                        action.as_str()
                    )));
                }
                let entry = who.did(told, "sync", id);
                audit::write(tx, Instant(now), entry.before(json!({ "state": row.state.as_str() })));
                Ok(ConnectionId(row.connection_id))
            })
        })
        .await?;
    announce(app, tenant, id, connection);
    Ok(())
}

/// Goes on with a paused sync where it stands.
pub async fn resume_sync(app: &Arc<App>, tenant: TenantId, who: Who, id: SyncId) -> AppResult<()> {
    let app_in_task = Arc::clone(app);
    let connection = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find_sync(tx, id).await?;
                if row.state != SyncState::Paused {
                    return Err(AppError::conflict(format!(
                        "The sync is {}: only a paused one can go on.",
                        row.state.as_str()
                    )));
                }
                let connection = ConnectionId(row.connection_id);
                tx.update(sync::ActiveModel {
                    tenant_id: Set(row.tenant_id),
                    id: Set(row.id),
                    state: Set(SyncState::Queued),
                    requested_action: Set(None),
                    updated_at: Set(app_in_task.clock.now().0),
                    ..Default::default()
                })
                .await?;
                enqueue_run(&app_in_task, tx, connection, id).await?;
                audit::write(tx, app_in_task.clock.now(), who.did("sync.resume", "sync", id));
                Ok(connection)
            })
        })
        .await?;
    announce(app, tenant, id, connection);
    Ok(())
}

pub(super) fn announce(app: &App, tenant: TenantId, sync: SyncId, connection: ConnectionId) {
    app.live.publish(LiveMessage::Sync { tenant, sync, connection });
}
