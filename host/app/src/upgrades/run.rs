//! One trial: the newest stored pages of each stream, read by both builds, compared, and nothing of it stored but
//! the report. A trial that is interrupted begins anew.

use std::sync::Arc;

use portolan_connector::PluginRef;
use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::replay::ReplayState;
use portolan_db::entity::{chunk, connection, shadow_replay};
use portolan_jobs::{JobContext, JobError};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::shadow::Shadow;
use crate::App;
use crate::channels::context::store_calendar;
use crate::ingest::read::{normalize, request_of};
use crate::replays::ops::{ReplayScope, announce};
use crate::replays::queries::{stored_chunks, wanted_chunks};

/// What is compared of one stream at once, unpacked: documents are held in memory.
const MOST_BYTES_PER_STREAM: usize = 16 << 20;
/// Progress is noted this often.
const CHUNKS_PER_NOTE: i64 = 5;
const INTERNAL_FAILURE: &str = "Portolan itself failed while it compared the two versions. Whoever runs the server \
    finds the reason in its log; nothing has been changed.";

/// Runs a trial to its end.
pub async fn run_shadow(app: &Arc<App>, job: JobContext, id: Uuid) -> Result<(), JobError> {
    let outcome = attempt(app, &job, id).await;
    let hopeless = match &outcome {
        Err(JobError::Fail(_)) => true,
        Err(JobError::Retry { .. }) => job.is_last_attempt(),
        _ => false,
    };
    if hopeless {
        end(app, &job, id, ReplayState::Failed, None, Some(INTERNAL_FAILURE.to_owned())).await?;
    }
    outcome
}

async fn attempt(app: &Arc<App>, job: &JobContext, id: Uuid) -> Result<(), JobError> {
    let tx = job.read().await?;
    let Some(row) = tx.find_by_id::<shadow_replay::Entity>(id).await? else { return Ok(()) };
    if !row.state.is_open() {
        return Ok(());
    }
    let Some(connection) = tx.find_by_id::<connection::Entity>(row.connection_id).await? else {
        return Ok(());
    };
    let builds = [&row.from_sha256, &row.to_sha256].map(|sha256| app.runtime.build(sha256));
    let [Some(before), Some(after)] = builds else {
        drop(tx);
        let detail =
            "One of the two versions is not installed (any more). Install it again, then compare anew.";
        return end(app, job, id, ReplayState::Failed, None, Some(detail.to_owned())).await;
    };
    let mut wanted = Vec::new();
    let mut shadow = Shadow::default();
    for (stream, stored) in stored_chunks(&tx, ConnectionId(connection.id)).await.map_err(job_error)? {
        let newest = newest_chunks(&tx, &connection, &stream, row.chunks_per_stream).await?;
        let left = u64::try_from(stored).unwrap_or_default().saturating_sub(newest.len() as u64);
        shadow.leave_out(&stream, left);
        wanted.push((stream, newest));
    }
    drop(tx);
    let total = wanted.iter().map(|(_, chunks)| chunks.len() as i64).sum();
    note_progress(app, job, id, 0, total).await?;
    let trial =
        Trial { app, job, id, connection: &connection, before: &before.plugin, after: &after.plugin, total };
    let Some(shadow) = trial.compare(shadow, wanted).await? else { return Ok(()) };
    let calendar = store_calendar(&connection).map_err(job_error)?;
    let finished =
        tokio::task::spawn_blocking(move || shadow.finish(&calendar)).await.map_err(JobError::retry)?;
    match finished {
        Ok(report) => {
            let report = serde_json::to_string(&report).map_err(JobError::fail)?;
            end(app, job, id, ReplayState::Succeeded, Some(report), None).await
        }
        Err(detail) => end(app, job, id, ReplayState::Failed, None, Some(detail)).await,
    }
}

struct Trial<'a> {
    app: &'a Arc<App>,
    job: &'a JobContext,
    id: Uuid,
    connection: &'a connection::Model,
    before: &'a PluginRef,
    after: &'a PluginRef,
    total: i64,
}

impl Trial<'_> {
    /// `None` where somebody cancelled it.
    async fn compare(
        &self,
        mut shadow: Shadow,
        wanted: Vec<(String, Vec<Uuid>)>,
    ) -> Result<Option<Shadow>, JobError> {
        let mut done = 0;
        for (stream, chunks) in wanted {
            let (mut bytes, mut left) = (0, chunks.len() as u64);
            for id in chunks {
                if self.job.stopping().is_cancelled() {
                    return Err(JobError::snooze(portolan_core::Duration::ZERO));
                }
                if bytes >= MOST_BYTES_PER_STREAM {
                    shadow.leave_out(&stream, left);
                    done += left as i64;
                    break;
                }
                if !self.is_wanted().await? {
                    return Ok(None);
                }
                bytes += self.compare_chunk(&mut shadow, id).await?;
                left -= 1;
                done += 1;
                if done % CHUNKS_PER_NOTE == 0 {
                    note_progress(self.app, self.job, self.id, done, self.total).await?;
                }
            }
        }
        Ok(Some(shadow))
    }

    async fn is_wanted(&self) -> Result<bool, JobError> {
        let tx = self.job.read().await?;
        let row = tx.find_by_id::<shadow_replay::Entity>(self.id).await?;
        Ok(row.is_some_and(|row| row.state.is_open()))
    }

    /// Gives the size of what was compared.
    async fn compare_chunk(&self, shadow: &mut Shadow, id: Uuid) -> Result<usize, JobError> {
        let tx = self.job.read().await?;
        let Some(chunk) = tx.find_by_id::<chunk::Entity>(id).await? else { return Ok(0) };
        drop(tx);
        let config = Arc::from(self.connection.config.as_str());
        let received_at = Instant(chunk.received_at);
        let (request, bytes) = match request_of(&chunk, config, &self.connection.time_zone) {
            Ok(request) => {
                let bytes = request.body.len();
                (request, bytes)
            }
            Err(unreadable) => {
                shadow.add(&chunk.stream, received_at, Err(unreadable.clone()), Err(unreadable));
                return Ok(0);
            }
        };
        let before = normalize(self.app, self.before, request.clone()).await;
        let after = normalize(self.app, self.after, request).await;
        shadow.add(&chunk.stream, received_at, before, after);
        Ok(bytes)
    }
}

async fn newest_chunks(
    tx: &TenantTx,
    connection: &connection::Model,
    stream: &str,
    limit: i64,
) -> Result<Vec<Uuid>, JobError> {
    let scope = ReplayScope { stream: Some(stream.to_owned()), chunk: None };
    Ok(wanted_chunks(tx, ConnectionId(connection.id), &scope)
        .select_only()
        .column(chunk::Column::Id)
        .order_by_desc(chunk::Column::Id)
        .limit(u64::try_from(limit).unwrap_or_default())
        .into_tuple()
        .all(tx)
        .await?)
}

async fn note_progress(
    app: &Arc<App>,
    job: &JobContext,
    id: Uuid,
    done: i64,
    total: i64,
) -> Result<(), JobError> {
    let change = shadow_replay::ActiveModel {
        state: Set(ReplayState::Running),
        chunks_done: Set(done),
        chunks_total: Set(total),
        updated_at: Set(app.clock.now().0),
        ..Default::default()
    };
    write_open(app, job, id, change).await
}

async fn end(
    app: &Arc<App>,
    job: &JobContext,
    id: Uuid,
    state: ReplayState,
    report: Option<String>,
    error_detail: Option<String>,
) -> Result<(), JobError> {
    let now = app.clock.now().0;
    let change = shadow_replay::ActiveModel {
        state: Set(state),
        report: Set(report),
        error_detail: Set(error_detail),
        finished_at: Set(Some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    write_open(app, job, id, change).await
}

/// A trial that was cancelled meanwhile stays so.
async fn write_open(
    app: &Arc<App>,
    job: &JobContext,
    id: Uuid,
    change: shadow_replay::ActiveModel,
) -> Result<(), JobError> {
    let tenant: TenantId = job.tenant()?;
    job.write(move |tx| {
        Box::pin(async move {
            tx.update_many::<shadow_replay::Entity>()
                .set(change)
                .filter(shadow_replay::Column::Id.eq(id))
                .filter(shadow_replay::Column::State.is_in([ReplayState::Queued, ReplayState::Running]))
                .exec(tx)
                .await?;
            Ok::<_, JobError>(())
        })
    })
    .await?;
    announce(app, tenant, id, ConnectionId(Uuid::nil()));
    Ok(())
}

fn job_error(error: crate::web::error::AppError) -> JobError {
    JobError::retry(error.full_detail())
}
