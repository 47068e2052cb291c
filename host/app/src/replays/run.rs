//! One replay from its first chunk to its end, as a job that may be interrupted anywhere: the chunk that was read
//! last is noted in the transaction that ends it.
//!
//! Newest first, so that the last days are right before the years behind them. It works in short turns and gives
//! its worker back in between: whatever else is due comes first, and people wait behind single batches alone.

use std::sync::Arc;

use portolan_core::{ConnectionId, Duration, TenantId};
use portolan_db::entity::replay::{self, ReplayState};
use portolan_db::entity::{chunk, connection};
use portolan_jobs::{JobContext, JobError, Lane, NewJob};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::ops::{ReplayScope, announce, sync_waits};
use super::queries::wanted_chunks;
use crate::App;
use crate::channels::build_of_connection;
use crate::channels::context::store_calendar;
use crate::ingest::CountIn;
use crate::ingest::read::{ChunkReader, ReadError};
use crate::syncs::jobs::FOLD_FACTS;

/// How long a turn takes at most, but for the chunk it is at.
const TURN: Duration = Duration::from_secs(2);
/// How long it steps back while a sync waits for a worker.
const STEP_BACK: Duration = Duration::from_ms(500);
/// What people read when Portolan itself failed; the cause is in the log alone.
const INTERNAL_FAILURE: &str = "Portolan itself failed while it read stored data. Whoever runs the server finds the \
    reason in its log; then start it again. What was read anew is right, the rest is as it was.";

/// A replay at work.
struct ReplayRun {
    app: Arc<App>,
    job: JobContext,
    tenant: TenantId,
    replay: replay::Model,
    reader: ChunkReader,
}

/// Why a turn ends.
enum Pause {
    /// Nothing is left to read.
    Done,
    /// Somebody cancelled it.
    Cancelled,
    /// Others come first.
    Yield(Duration),
}

/// Takes one turn of a replay.
pub async fn run_replay(app: &Arc<App>, job: JobContext, id: Uuid) -> Result<(), JobError> {
    let tenant = job.tenant()?;
    let outcome = turn(app, job.clone(), tenant, id).await;
    let hopeless = match &outcome {
        Err(JobError::Fail(_)) => true,
        Err(JobError::Retry { .. }) => job.is_last_attempt(),
        _ => false,
    };
    if hopeless {
        // Nobody runs the job again: the replay must not look as if somebody did.
        let failure = Some(("internal".to_owned(), INTERNAL_FAILURE.to_owned()));
        end(app, &job, tenant, id, ReplayState::Failed, failure).await?;
    }
    outcome
}

async fn turn(app: &Arc<App>, job: JobContext, tenant: TenantId, id: Uuid) -> Result<(), JobError> {
    let Some(run) = ReplayRun::load(app, job.clone(), tenant, id).await? else { return Ok(()) };
    match run.work().await? {
        Pause::Cancelled => Ok(()),
        Pause::Yield(after) => Err(JobError::snooze(after)),
        Pause::Done => {
            let failure = run.what_failed().await?;
            let state = if failure.is_some() { ReplayState::Failed } else { ReplayState::Succeeded };
            end(app, &job, tenant, id, state, failure).await
        }
    }
}

impl ReplayRun {
    /// Reads what the run needs and marks it as running; `None` where there is nothing left to do.
    async fn load(
        app: &Arc<App>,
        job: JobContext,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Option<Self>, JobError> {
        let tx = job.read().await?;
        let Some(row) = tx.find_by_id::<replay::Entity>(id).await? else { return Ok(None) };
        if !row.state.is_open() {
            return Ok(None);
        }
        let connection = tx.find_by_id::<connection::Entity>(row.connection_id).await?;
        drop(tx);
        let Some(connection) = connection else { return Ok(None) };
        let Some(plugin) = build_of_connection(app, &connection) else {
            let detail = format!(
                "The build of the plugin {} that the connection is on is not installed. Install it, then start again.",
                connection.plugin_id
            );
            end(app, &job, tenant, id, ReplayState::Failed, Some(("plugin_missing".to_owned(), detail)))
                .await?;
            return Ok(None);
        };
        let calendar = store_calendar(&connection).map_err(|error| JobError::fail(error.detail))?;
        let (build, now) = (plugin.plugin.sha256.clone(), app.clock.now().0);
        let replay = job
            .write(move |tx| {
                Box::pin(async move {
                    tx.update_many::<replay::Entity>()
                        .set(replay::ActiveModel {
                            state: Set(ReplayState::Running),
                            plugin_sha256: Set(Some(build)),
                            started_at: Set(row.started_at.or(Some(now))),
                            updated_at: Set(now),
                            ..Default::default()
                        })
                        .filter(replay::Column::Id.eq(id))
                        .filter(replay::Column::State.is_in([ReplayState::Queued, ReplayState::Running]))
                        .exec(tx)
                        .await?;
                    Ok::<_, JobError>(tx.find_by_id::<replay::Entity>(id).await?)
                })
            })
            .await?;
        let Some(replay) = replay.filter(|replay| replay.state.is_open()) else { return Ok(None) };
        let reader = ChunkReader {
            app: Arc::clone(app),
            job: job.clone(),
            tenant,
            connection: ConnectionId(connection.id),
            plugin: plugin.plugin,
            config: Arc::from(connection.config.as_str()),
            time_zone: connection.time_zone,
            calendar,
            known_labels: Arc::default(),
            count_in: CountIn::Replay(id),
        };
        Ok(Some(Self { app: Arc::clone(app), job, tenant, replay, reader }))
    }

    async fn work(&self) -> Result<Pause, JobError> {
        let began = self.app.clock.monotonic();
        loop {
            if self.job.stopping().is_cancelled() {
                return Ok(Pause::Yield(Duration::ZERO));
            }
            let tx = self.job.read().await?;
            let Some(row) = tx.find_by_id::<replay::Entity>(self.replay.id).await? else {
                return Ok(Pause::Cancelled);
            };
            if !row.state.is_open() {
                return Ok(Pause::Cancelled);
            }
            if sync_waits(&tx, self.app.clock.now().0).await? {
                return Ok(Pause::Yield(STEP_BACK));
            }
            if self.app.clock.monotonic().0 - began.0 > TURN.0 {
                return Ok(Pause::Yield(Duration::ZERO));
            }
            let Some(chunk) = self.next_chunk(&tx, row.before_chunk_id).await? else {
                return Ok(Pause::Done);
            };
            drop(tx);
            let id = chunk.id;
            match self.reader.read(chunk).await {
                Ok(()) => {}
                Err(ReadError::Chunk { code, detail }) => self.note_failure(id, code, detail).await?,
                Err(ReadError::Job(error)) => return Err(error),
            }
            announce(&self.app, self.tenant, self.replay.id, self.reader.connection);
        }
    }

    /// Ids are in the order in which chunks were stored: the newest before the one that was read last.
    async fn next_chunk(
        &self,
        tx: &portolan_db::TenantTx,
        before: Option<Uuid>,
    ) -> Result<Option<chunk::Model>, JobError> {
        let scope = ReplayScope { stream: self.replay.stream.clone(), chunk: self.replay.chunk_id };
        let mut left = wanted_chunks(tx, self.reader.connection, &scope);
        if let Some(before) = before {
            left = left.filter(chunk::Column::Id.lt(before));
        }
        Ok(left.order_by_desc(chunk::Column::Id).limit(1).one(tx).await?)
    }

    /// The chunk stays as it was, with the documents that it made before.
    async fn note_failure(&self, chunk: Uuid, code: String, detail: String) -> Result<(), JobError> {
        use replay::Column;
        let (id, now) = (self.replay.id, self.app.clock.now().0);
        tracing::warn!(tenant.id = %self.tenant, replay.id = %id, chunk.id = %chunk, code, detail, "chunk not read");
        self.job
            .write_progress(move |tx| {
                Box::pin(async move {
                    let counted = tx
                        .update_many::<replay::Entity>()
                        .col_expr(Column::BeforeChunkId, Expr::value(chunk))
                        .col_expr(Column::ChunksDone, Expr::col(Column::ChunksDone).add(1))
                        .col_expr(Column::ChunksFailed, Expr::col(Column::ChunksFailed).add(1))
                        .col_expr(Column::UpdatedAt, Expr::value(now))
                        .filter(Column::Id.eq(id));
                    counted.exec(tx).await?;
                    // Of several reasons the first is told.
                    tx.update_many::<replay::Entity>()
                        .col_expr(Column::ErrorCode, Expr::value(code))
                        .col_expr(Column::ErrorDetail, Expr::value(detail))
                        .filter(Column::Id.eq(id))
                        .filter(Column::ErrorCode.is_null())
                        .exec(tx)
                        .await?;
                    Ok::<_, JobError>(())
                })
            })
            .await
    }

    async fn what_failed(&self) -> Result<Option<(String, String)>, JobError> {
        let tx = self.job.read().await?;
        let row = tx.find_by_id::<replay::Entity>(self.replay.id).await?;
        let Some(row) = row.filter(|row| row.chunks_failed > 0) else { return Ok(None) };
        let pages = match row.chunks_failed {
            1 => "A stored page could not be read again and stays as it was".to_owned(),
            pages => format!("{pages} stored pages could not be read again and stay as they were"),
        };
        let code = row.error_code.unwrap_or_else(|| "internal".to_owned());
        Ok(Some((code, format!("{pages}: {}", row.error_detail.unwrap_or_default()))))
    }
}

async fn end(
    app: &Arc<App>,
    job: &JobContext,
    tenant: TenantId,
    id: Uuid,
    state: ReplayState,
    failure: Option<(String, String)>,
) -> Result<(), JobError> {
    let now = app.clock.now().0;
    let (code, detail) = failure.unzip();
    match (&code, &detail) {
        (Some(code), Some(detail)) => {
            tracing::warn!(tenant.id = %tenant, replay.id = %id, code, detail, "replay failed");
        }
        _ => tracing::info!(tenant.id = %tenant, replay.id = %id, "replay finished"),
    }
    let queue = app.queue.clone();
    job.write(move |tx| {
        Box::pin(async move {
            tx.update_many::<replay::Entity>()
                .set(replay::ActiveModel {
                    state: Set(state),
                    error_code: Set(code),
                    error_detail: Set(detail),
                    finished_at: Set(Some(now)),
                    updated_at: Set(now),
                    ..Default::default()
                })
                .filter(replay::Column::Id.eq(id))
                .filter(replay::Column::State.is_in([ReplayState::Queued, ReplayState::Running]))
                .exec(tx)
                .await?;
            let fold = NewJob::new(FOLD_FACTS, Lane::tenant(tenant, "fold", 1), json!({}));
            queue.enqueue(tx, fold.unique("fold")).await?;
            Ok::<_, JobError>(())
        })
    })
    .await?;
    announce(app, tenant, id, ConnectionId(Uuid::nil()));
    Ok(())
}
