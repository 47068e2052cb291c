//! The end of slices and syncs: checks, watermarks, and what people are told.

use std::sync::Arc;

use portolan_admin_ui::format::span;
use portolan_core::{Duration, SyncId, TenantId};
use portolan_db::DbError;
use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::stream;
use portolan_db::entity::sync::{self, RequestedAction, SyncState};
use portolan_jobs::{JobContext, JobError, LONGEST_PATIENCE, Lane, NewJob};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::{RunError, Stop, SyncRun};
use crate::App;
use crate::live::LiveMessage;
use crate::syncs::jobs::FOLD_FACTS;
use crate::syncs::ops::close_slices;

/// How long a channel is left alone when it asks for patience without saying how much.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);
/// A channel that wants patience gets some, also where it says none: a rest that costs no attempt must not spin.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);
/// A century, so that nothing a channel says overflows.
const MOST_MS: i64 = 100 * 366 * 86_400_000;

impl SyncRun {
    /// Checks that no record was lost, closes the slice and moves the stream's watermark.
    pub(super) async fn finish_slice(&self, slice: &slice::Model) -> Result<(), Stop> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let counted = tx.find_by_id::<slice::Entity>(slice.id).await.map_err(JobError::retry)?;
        let unread = tx
            .find::<chunk::Entity>()
            .filter(chunk::Column::SliceId.eq(slice.id))
            .filter(chunk::Column::State.ne(ChunkState::Normalised))
            .count(&tx)
            .await
            .map_err(JobError::retry)?;
        drop(tx);
        let Some(counted) = counted else { return Ok(()) };
        if unread > 0 {
            // The watermark would pass them, and nobody would ask for their records again.
            return Err(RunError::Slice {
                code: "left_unread".to_owned(),
                detail: format!(
                    "{unread} of its stored pages could not be read. The next sync tries them again."
                ),
            }
            .into());
        }
        check_counts(&counted)?;
        let (now, connection) = (self.app.clock.now().0, self.connection.id);
        let row = self.ended_slice(&counted, SliceState::Done, None, None);
        self.write_progress(move |tx| {
            Box::pin(async move {
                tx.update(row).await?;
                move_watermark(tx, &counted, connection, now).await?;
                Ok(())
            })
        })
        .await?;
        self.announce();
        Ok(())
    }

    pub(super) async fn fail_slice(
        &self,
        slice: &slice::Model,
        code: &str,
        detail: &str,
    ) -> Result<(), JobError> {
        tracing::warn!(
            tenant.id = %self.tenant, sync.id = %self.sync, stream = %slice.stream, code, detail,
            "slice failed"
        );
        let row = self.ended_slice(slice, SliceState::Failed, Some(code), Some(detail));
        self.write(move |tx| {
            Box::pin(async move {
                tx.update(row).await?;
                Ok(())
            })
        })
        .await
    }

    /// The row of a slice that does not go on.
    pub(super) fn ended_slice(
        &self,
        slice: &slice::Model,
        state: SliceState,
        code: Option<&str>,
        detail: Option<&str>,
    ) -> slice::ActiveModel {
        slice::ActiveModel {
            tenant_id: Set(slice.tenant_id),
            id: Set(slice.id),
            state: Set(state),
            error_code: Set(code.map(str::to_owned)),
            error_detail: Set(detail.map(str::to_owned)),
            updated_at: Set(self.app.clock.now().0),
            ..Default::default()
        }
    }

    /// Turns the outcome of the work into the sync's state and the job's answer.
    pub(super) async fn settle(&self, outcome: Result<(), Stop>) -> Result<(), JobError> {
        match outcome {
            Ok(()) => match self.what_failed().await? {
                None => self.end(SyncState::Succeeded, self.what_is_held().await?).await,
                failure => self.end(SyncState::Failed, failure).await,
            },
            Err(Stop::Shutdown) => Err(JobError::snooze(Duration::ZERO)),
            Err(Stop::Requested(RequestedAction::Pause)) => self.end(SyncState::Paused, None).await,
            Err(Stop::Requested(RequestedAction::Cancel)) => self.end(SyncState::Cancelled, None).await,
            Err(Stop::Waits(slice)) => self.wait_for(*slice).await,
            Err(Stop::Failed(error)) => self.settle_error(error).await,
        }
    }

    /// The first failure in the order of the plan, as code and sentence, also of earlier attempts; `None` where
    /// everything passed.
    async fn what_failed(&self) -> Result<Option<(String, String)>, JobError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let failed = tx
            .find::<slice::Entity>()
            .filter(slice::Column::SyncId.eq(self.sync.0))
            .filter(slice::Column::State.eq(SliceState::Failed))
            .order_by_asc(slice::Column::Position)
            .order_by_asc(slice::Column::Id)
            .all(&tx)
            .await
            .map_err(JobError::retry)?;
        drop(tx);
        let others = failed.len().saturating_sub(1);
        let Some(first) = failed.into_iter().next() else { return self.what_is_still_left().await };
        let detail = first.error_detail.unwrap_or_default();
        let told = match others {
            0 => detail,
            1 => format!("{} One other part failed, too.", sentence(&detail)),
            others => format!("{} {others} other parts failed, too.", sentence(&detail)),
        };
        Ok(Some((first.error_code.unwrap_or_else(|| "internal".to_owned()), told)))
    }

    async fn settle_error(&self, error: RunError) -> Result<(), JobError> {
        match error {
            RunError::Slice { code, detail } | RunError::Sync { code, detail } => {
                self.end(SyncState::Failed, Some((code, detail))).await
            }
            RunError::NeedsAuth { detail } => {
                self.ask_for_credentials().await?;
                let detail = format!("{detail}. Enter the credentials again, then resume the connection.");
                self.end(SyncState::Failed, Some(("needs_auth".to_owned(), detail))).await
            }
            RunError::Retry { counts_as_failure: true, detail, .. } if self.job.is_last_attempt() => {
                let times = self.job.attempt();
                let detail =
                    format!("{} It was tried {times} times in a row; sync again later.", sentence(&detail));
                self.end(SyncState::Failed, Some(("channel_failed".to_owned(), detail))).await
            }
            RunError::Retry { after_ms, counts_as_failure, detail } => {
                let asked =
                    after_ms.map(|ms| Duration::from_ms(i64::try_from(ms).unwrap_or(MOST_MS).min(MOST_MS)));
                self.note_retry(&format!("{}{}", sentence(&detail), patience_text(asked))).await?;
                Err(match (counts_as_failure, asked) {
                    (true, Some(after)) => JobError::retry_after(after, detail),
                    (true, None) => JobError::retry(detail),
                    (false, asked) => {
                        JobError::rate_limited(asked.unwrap_or(DEFAULT_PATIENCE).max(LEAST_PATIENCE), detail)
                    }
                })
            }
            RunError::Job(error) => Err(error),
        }
    }

    /// Open pages and the API say why nothing moves at the moment.
    async fn note_retry(&self, detail: &str) -> Result<(), JobError> {
        let row = sync::ActiveModel {
            tenant_id: Set(self.tenant.0),
            id: Set(self.sync.0),
            error_code: Set(Some("retrying".to_owned())),
            error_detail: Set(Some(detail.to_owned())),
            updated_at: Set(self.app.clock.now().0),
            ..Default::default()
        };
        self.write(move |tx| {
            Box::pin(async move {
                tx.update(row).await?;
                Ok(())
            })
        })
        .await?;
        self.announce();
        Ok(())
    }

    async fn ask_for_credentials(&self) -> Result<(), JobError> {
        let row = connection::ActiveModel {
            tenant_id: Set(self.tenant.0),
            id: Set(self.connection.id),
            state: Set(ConnectionState::NeedsAuth),
            updated_at: Set(self.app.clock.now().0),
            ..Default::default()
        };
        self.write(move |tx| {
            Box::pin(async move {
                tx.update(row).await?;
                Ok(())
            })
        })
        .await
    }

    async fn end(&self, state: SyncState, error: Option<(String, String)>) -> Result<(), JobError> {
        end_sync(&self.app, &self.job, self.tenant, self.sync, state, error).await?;
        self.announce();
        Ok(())
    }
}

/// Ends a sync that cannot even begin.
pub(super) async fn fail_sync(
    app: &Arc<App>,
    job: &JobContext,
    tenant: TenantId,
    sync: SyncId,
    code: &str,
    detail: &str,
) -> Result<(), JobError> {
    end_sync(app, job, tenant, sync, SyncState::Failed, Some((code.to_owned(), detail.to_owned()))).await
}

async fn end_sync(
    app: &Arc<App>,
    job: &JobContext,
    tenant: TenantId,
    sync: SyncId,
    state: SyncState,
    error: Option<(String, String)>,
) -> Result<(), JobError> {
    let now = app.clock.now().0;
    let (code, detail) = error.unzip();
    match (&code, &detail) {
        (Some(code), Some(detail)) => {
            tracing::warn!(tenant.id = %tenant, sync.id = %sync, state = state.as_str(), code, detail, "sync ended");
        }
        _ => tracing::info!(tenant.id = %tenant, sync.id = %sync, state = state.as_str(), "sync ended"),
    }
    // A paused sync goes on later: it has not finished.
    let finished_at = (state != SyncState::Paused).then_some(now);
    let queue = app.queue.clone();
    job.write(move |tx| {
        Box::pin(async move {
            tx.update(sync::ActiveModel {
                tenant_id: Set(tenant.0),
                id: Set(sync.0),
                state: Set(state),
                requested_action: Set(None),
                error_code: Set(code),
                error_detail: Set(detail),
                finished_at: Set(finished_at),
                updated_at: Set(now),
                ..Default::default()
            })
            .await?;
            if finished_at.is_some() {
                close_slices(tx, sync, now).await?;
            }
            let fold = NewJob::new(FOLD_FACTS, Lane::tenant(tenant, "fold", 1), serde_json::json!({}));
            queue.enqueue(tx, fold.unique("fold")).await?;
            Ok::<_, JobError>(())
        })
    })
    .await?;
    app.live.publish(LiveMessage::Sync {
        tenant,
        sync,
        connection: portolan_core::ConnectionId(uuid::Uuid::nil()),
    });
    Ok(())
}

/// How long nothing moves, where the channel said so.
fn patience_text(asked: Option<Duration>) -> String {
    match asked {
        None => String::new(),
        Some(asked) if asked > LONGEST_PATIENCE => format!(
            " The channel wants to be left alone for {}; it is asked again after {}.",
            span(asked),
            span(LONGEST_PATIENCE)
        ),
        Some(asked) => format!(" The channel wants to be left alone for {}.", span(asked)),
    }
}

/// With its full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// What the channel announced and what the plugin accounted for must meet.
fn check_counts(slice: &slice::Model) -> Result<(), RunError> {
    let lost = |detail: String| RunError::Slice { code: "records_lost".to_owned(), detail };
    if slice.seen != slice.emitted + slice.skipped {
        return Err(lost(format!(
            "{} raw records were seen, but {} became documents and {} were skipped. Report it to the plugin's publisher.",
            slice.seen, slice.emitted, slice.skipped
        )));
    }
    match slice.expected {
        Some(expected) if expected != slice.seen => Err(lost(format!(
            "The channel announced {expected} records but sent {}. The slice is fetched again with the next sync.",
            slice.seen
        ))),
        _ => Ok(()),
    }
}

/// Once every slice of the stream is done, everything updated before the newest one has been fetched.
async fn move_watermark(
    tx: &portolan_db::TenantTx,
    finished: &slice::Model,
    connection: uuid::Uuid,
    now: i64,
) -> Result<(), DbError> {
    let slices = tx
        .find::<slice::Entity>()
        .filter(slice::Column::SyncId.eq(finished.sync_id))
        .filter(slice::Column::Stream.eq(finished.stream.as_str()))
        .all(tx)
        .await?;
    // Others stand in the place of one that was split.
    let slices: Vec<_> = slices.into_iter().filter(|slice| slice.state != SliceState::Split).collect();
    if slices.iter().any(|slice| slice.state != SliceState::Done) {
        return Ok(());
    }
    let newest = slices.iter().filter_map(|slice| slice.until).max();
    let mut row = stream::ActiveModel {
        tenant_id: Set(finished.tenant_id),
        connection_id: Set(connection),
        name: Set(finished.stream.clone()),
        last_success_at: Set(Some(now)),
        ..Default::default()
    };
    if newest.is_some() {
        row.watermark_at = Set(newest);
    }
    tx.update(row).await?;
    Ok(())
}
