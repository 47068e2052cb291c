//! Syncs whose work has died: the job became a dead letter, so nobody would ever end them.
//!
//! A job dies without its code running (its worker vanished again and again), so the run cannot say
//! it itself. Whoever looks at syncs or starts one settles them first.

use std::collections::BTreeMap;

use portolan_core::{ConnectionId, JobId, SyncId, TenantId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::sync::{self, SyncState};
use portolan_db::{DbError, TenantTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::jobs::{RUN_SYNC, RunSyncPayload};
use super::ops::{announce, close_slices};
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Ends every sync of the tenant that should be at work but has no job any more. Gives their number.
pub async fn settle_orphans(app: &App, tenant: TenantId) -> AppResult<usize> {
    let tx = app.db.read(tenant).await?;
    let suspects = orphans(&tx).await?;
    drop(tx);
    if suspects.is_empty() {
        return Ok(0);
    }
    let now = app.clock.now().0;
    let settled = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let mut settled = Vec::new();
                // Looked at again: a sync may have ended or gone on meanwhile.
                for orphan in orphans(tx).await? {
                    if fail(tx, &orphan, now).await? {
                        settled.push(orphan.sync);
                    }
                }
                Ok::<_, AppError>(settled)
            })
        })
        .await?;
    for sync in &settled {
        tracing::error!(tenant.id = %tenant, sync.id = %sync.id, "the job of a sync is dead, the sync has failed");
        announce(app, tenant, SyncId(sync.id), ConnectionId(sync.connection_id));
    }
    Ok(settled.len())
}

/// A sync without anybody at work on it.
struct Orphan {
    sync: sync::Model,
    /// Whether its worker vanished, as opposed to an error.
    crashed: bool,
}

async fn orphans(tx: &TenantTx) -> AppResult<Vec<Orphan>> {
    let open = tx
        .find::<sync::Entity>()
        .filter(sync::Column::State.is_in([SyncState::Queued, SyncState::Running]))
        .all(tx)
        .await?;
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let jobs = newest_jobs(tx, &open).await?;
    let orphan = |sync: sync::Model| {
        let job = jobs.get(&sync.id);
        if job.is_some_and(|job| matches!(job.state, JobState::Ready | JobState::Running)) {
            return None;
        }
        let crashed = job.is_some_and(|job| job.last_error_class.as_deref() == Some("crash"));
        Some(Orphan { sync, crashed })
    };
    Ok(open.into_iter().filter_map(orphan).collect())
}

/// The job of a sync, where it waits for its moment and nobody works on it.
pub(super) async fn waiting_job(tx: &TenantTx, sync: &sync::Model) -> AppResult<Option<JobId>> {
    let jobs = newest_jobs(tx, std::slice::from_ref(sync)).await?;
    let waiting = jobs.get(&sync.id).filter(|job| job.state == JobState::Ready);
    Ok(waiting.map(|job| JobId(job.id)))
}

/// [`settle_orphans`] for whoever only looks: where nothing can be written, looking still works.
pub async fn settle_orphans_or_log(app: &App, tenant: TenantId) {
    if let Err(error) = settle_orphans(app, tenant).await {
        tracing::warn!(tenant.id = %tenant, error = error.full_detail(), "failed to settle syncs whose jobs are dead");
    }
}

/// The job of each sync: one that waits or runs, else the one that was made last.
async fn newest_jobs(tx: &TenantTx, syncs: &[sync::Model]) -> AppResult<BTreeMap<Uuid, job::Model>> {
    let oldest = syncs.iter().map(|sync| sync.created_at).min().unwrap_or_default();
    let jobs = tx
        .find::<job::Entity>()
        .filter(job::Column::Kind.eq(RUN_SYNC))
        .filter(job::Column::CreatedAt.gte(oldest))
        .order_by_asc(job::Column::CreatedAt)
        .all(tx)
        .await?;
    let mut newest: BTreeMap<Uuid, job::Model> = BTreeMap::new();
    for job in jobs {
        let Ok(payload) = serde_json::from_str::<RunSyncPayload>(&job.payload) else { continue };
        let known = newest.get(&payload.sync_id.0);
        if !known.is_some_and(|known| matches!(known.state, JobState::Ready | JobState::Running)) {
            newest.insert(payload.sync_id.0, job);
        }
    }
    Ok(newest)
}

/// Whether the sync was still as it had been found.
async fn fail(tx: &TenantTx, orphan: &Orphan, now: i64) -> Result<bool, DbError> {
    let (code, detail) = if orphan.crashed {
        (
            "worker_crashed",
            "The server stopped again and again while it worked on this sync, which got no further in between. \
             Whoever runs the server finds the reason in its log; then sync again.",
        )
    } else {
        ("internal", INTERNAL_FAILURE)
    };
    let failed = tx
        .update_many::<sync::Entity>()
        .col_expr(sync::Column::State, Expr::value(SyncState::Failed.as_str()))
        .col_expr(sync::Column::RequestedAction, Expr::value(None::<String>))
        .col_expr(sync::Column::ErrorCode, Expr::value(code))
        .col_expr(sync::Column::ErrorDetail, Expr::value(detail))
        .col_expr(sync::Column::FinishedAt, Expr::value(now))
        .col_expr(sync::Column::UpdatedAt, Expr::value(now))
        .filter(sync::Column::Id.eq(orphan.sync.id))
        .filter(sync::Column::State.is_in([SyncState::Queued, SyncState::Running]))
        .filter(sync::Column::UpdatedAt.eq(orphan.sync.updated_at))
        .exec(tx)
        .await?;
    if failed.rows_affected == 1 {
        close_slices(tx, SyncId(orphan.sync.id), now).await?;
    }
    Ok(failed.rows_affected == 1)
}

/// What people read when Portolan itself failed; the cause is in the log alone.
pub(super) const INTERNAL_FAILURE: &str = "Portolan itself failed while it worked on this sync. Whoever runs the server finds the reason in its \
     log; then sync again.";
