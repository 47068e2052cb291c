//! Claiming: which job runs next, under which lease.

use std::sync::Arc;

use portolan_core::{Clock, Duration, Instant, JobId, Random, TenantId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::{job_attempt, lane};
use portolan_db::{Database, DbError, SystemTx, TenantTx, Work, WriteClass};
use sea_orm::{ActiveValue, ConnectionTrait, QueryResult};
use tokio::sync::Notify;
use uuid::Uuid;

/// The queue. Cheap to clone; all clones in a process wake each other's workers.
#[derive(Clone)]
pub struct Queue {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) lease: Duration,
}

/// A job under this worker's lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    pub id: JobId,
    pub tenant: Option<TenantId>,
    pub lane_id: String,
    pub kind: String,
    /// JSON.
    pub payload: String,
    /// 1 for the first.
    pub attempt: i32,
    pub max_attempts: i32,
    pub crash_count: i32,
    /// Fences every write of this claim.
    pub lease_token: i64,
}

/// The job is no longer this worker's: its lease ran out and another may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease on job {0} is lost")]
pub struct LeaseLost(pub JobId);

impl Queue {
    pub fn new(database: Database, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { database, clock, random, wake: Arc::new(Notify::new()), lease: Duration::from_secs(30) }
    }

    /// The same queue with another length of lease.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Tells idle workers of this process that there is work.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Takes up to `limit` due jobs for this worker: the lanes that were served longest ago first, each
    /// up to its own limit.
    pub async fn claim(&self, worker: Uuid, limit: usize) -> Result<Vec<ClaimedJob>, DbError> {
        if limit == 0 || !self.has_due_lane().await? {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let lease_until = now + self.lease;
        self.database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move {
                    let mut claimed = Vec::new();
                    for lane in due_lanes(tx, now, limit).await? {
                        let free = usize::try_from(lane.max_running - lane.running).unwrap_or_default();
                        let wanted = free.min(limit - claimed.len());
                        if wanted == 0 {
                            break;
                        }
                        let jobs = claim_in_lane(tx, &lane, now, lease_until, worker, wanted).await?;
                        serve_lane(tx, &lane, now, jobs.len()).await?;
                        claimed.extend(jobs);
                    }
                    record_attempts(tx, &claimed, worker, now).await?;
                    Ok::<_, DbError>(claimed)
                })
            })
            .await
    }

    /// A look without a lock, so that idle workers write nothing.
    async fn has_due_lane(&self) -> Result<bool, DbError> {
        let tx = self.database.system_read().await?;
        let sql = format!("SELECT 1 FROM lane WHERE {DUE_LANE} LIMIT 1");
        Ok(tx.query_one_raw(tx.statement(sql, [self.clock.now().0.into()])).await?.is_some())
    }

    /// Extends the lease. [`LeaseLost`] when it is another's by now.
    pub async fn heartbeat(&self, job: &ClaimedJob) -> Result<Result<(), LeaseLost>, DbError> {
        let job = job.clone();
        let lease_until = self.clock.now() + self.lease;
        self.database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move { extend_lease(tx, &job, lease_until, Progress::Unknown).await })
            })
            .await
    }

    /// Runs `work` in one transaction of the job's tenant, if the lease still stands, and extends it:
    /// the token is checked and held in the same transaction as the effects. What is written counts as
    /// progress: crashes before it are forgiven.
    pub async fn fenced_write<T, E, F>(&self, job: &ClaimedJob, tenant: TenantId, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<LeaseLost> + Send + 'static,
    {
        let job = job.clone();
        let lease_until = self.clock.now() + self.lease;
        self.database
            .write_as(WriteClass::Background, tenant, move |tx| {
                Box::pin(async move {
                    extend_lease(tx.host_wide(), &job, lease_until, Progress::Made).await??;
                    work(tx).await
                })
            })
            .await
    }
}

/// `$1` is now.
const DUE_LANE: &str = "running < max_running AND next_at IS NOT NULL AND next_at <= $1 \
                        AND (paused_until IS NULL OR paused_until <= $1)";

/// The lanes to serve, locked; lanes that another worker is serving are passed over.
async fn due_lanes(tx: &SystemTx, now: Instant, limit: usize) -> Result<Vec<lane::Model>, DbError> {
    let sql = format!(
        "SELECT * FROM lane WHERE {DUE_LANE} ORDER BY last_served, id LIMIT {limit}{}",
        tx.dialect().for_update_skip_locked()
    );
    Ok(tx.find::<lane::Entity>().from_raw_sql(tx.statement(sql, [now.0.into()])).all(tx).await?)
}

async fn claim_in_lane(
    tx: &SystemTx,
    lane: &lane::Model,
    now: Instant,
    lease_until: Instant,
    worker: Uuid,
    wanted: usize,
) -> Result<Vec<ClaimedJob>, DbError> {
    let sql = format!(
        "UPDATE job SET state = 'running', attempt = attempt + 1, lease_token = lease_token + 1, \
         lease_until = $3, worker_id = $4 \
         WHERE state = 'ready' AND id IN (SELECT id FROM job WHERE lane_id = $1 AND state = 'ready' \
         AND run_at <= $2 ORDER BY priority, run_at, id LIMIT {wanted}) RETURNING *"
    );
    let values = [lane.id.clone().into(), now.0.into(), lease_until.0.into(), worker.into()];
    let mut jobs =
        tx.find_across_tenants::<job::Entity>().from_raw_sql(tx.statement(sql, values)).all(tx).await?;
    jobs.sort_by_key(|job| (job.priority, job.run_at, job.id));
    Ok(jobs.into_iter().map(ClaimedJob::from).collect())
}

/// Counts the claimed jobs and finds out when the lane has work again.
async fn serve_lane(tx: &SystemTx, lane: &lane::Model, now: Instant, claimed: usize) -> Result<(), DbError> {
    let sql = "UPDATE lane SET running = running + $2, last_served = $3, \
               next_at = (SELECT min(run_at) FROM job WHERE lane_id = $1 AND state = 'ready') WHERE id = $1";
    let claimed = i32::try_from(claimed).unwrap_or(i32::MAX);
    tx.execute_raw(tx.statement(sql, [lane.id.clone().into(), claimed.into(), now.0.into()])).await?;
    Ok(())
}

async fn record_attempts(
    tx: &SystemTx,
    jobs: &[ClaimedJob],
    worker: Uuid,
    now: Instant,
) -> Result<(), DbError> {
    let attempts = jobs.iter().map(|job| job_attempt::ActiveModel {
        job_id: ActiveValue::Set(job.id.0),
        lease_token: ActiveValue::Set(job.lease_token),
        attempt: ActiveValue::Set(job.attempt),
        worker_id: ActiveValue::Set(worker),
        started_at: ActiveValue::Set(now.0),
        ended_at: ActiveValue::Set(None),
        outcome: ActiveValue::Set(None),
        error_class: ActiveValue::Set(None),
        error: ActiveValue::Set(None),
    });
    tx.insert_many(attempts.collect()).await?;
    Ok(())
}

/// Whether a job that extends its lease has got on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Made,
    Unknown,
}

/// Locks the job's row if this claim still holds it, and moves its lease.
async fn extend_lease(
    tx: &SystemTx,
    job: &ClaimedJob,
    lease_until: Instant,
    progress: Progress,
) -> Result<Result<(), LeaseLost>, DbError> {
    let sql = match progress {
        Progress::Made => {
            "UPDATE job SET lease_until = $3, crash_count = 0 \
             WHERE id = $1 AND lease_token = $2 AND state = 'running'"
        }
        Progress::Unknown => {
            "UPDATE job SET lease_until = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'"
        }
    };
    let values = [job.id.0.into(), job.lease_token.into(), lease_until.0.into()];
    let changed = tx.execute_raw(tx.statement(sql, values)).await?.rows_affected();
    Ok(if changed == 1 { Ok(()) } else { Err(LeaseLost(job.id)) })
}

/// Whether the lane of a job has a place again, and that it may have work at `ready_at`.
pub(crate) async fn leave_lane(
    tx: &SystemTx,
    lane_id: &str,
    ready_at: Option<Instant>,
) -> Result<(), DbError> {
    let sql = "UPDATE lane SET running = CASE WHEN running > 0 THEN running - 1 ELSE 0 END WHERE id = $1";
    tx.execute_raw(tx.statement(sql, [lane_id.into()])).await?;
    match ready_at {
        Some(ready_at) => expect_work(tx, lane_id, ready_at).await,
        None => Ok(()),
    }
}

/// Makes sure that the lane is looked at when the job is due.
pub(crate) async fn expect_work(tx: &SystemTx, lane_id: &str, ready_at: Instant) -> Result<(), DbError> {
    let sql = "UPDATE lane SET next_at = $2 WHERE id = $1 AND (next_at IS NULL OR next_at > $2)";
    tx.execute_raw(tx.statement(sql, [lane_id.into(), ready_at.0.into()])).await?;
    Ok(())
}

/// The first column of a row that must be there.
pub(crate) fn first_i64(row: Option<QueryResult>) -> Result<i64, DbError> {
    match row {
        Some(row) => Ok(row.try_get_by_index(0)?),
        None => Ok(0),
    }
}

impl From<job::Model> for ClaimedJob {
    fn from(job: job::Model) -> Self {
        debug_assert_eq!(job.state, JobState::Running);
        Self {
            id: JobId(job.id),
            tenant: job.tenant_id.map(TenantId),
            lane_id: job.lane_id,
            kind: job.kind,
            payload: job.payload,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            crash_count: job.crash_count,
            lease_token: job.lease_token,
        }
    }
}
