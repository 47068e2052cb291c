//! Claiming: which job runs next, under which lease.

use std::sync::Arc;

use portolan_core::{Clock, Duration, Instant, JobId, Random, TenantId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::{job_attempt, lane};
use portolan_db::{Database, DbError, SystemTx, WriteClass};
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
    /// In a row without getting on, this one included: 1 for the first.
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

/// Jobs that somebody is just cancelling are passed over: a claim holds its lane and must wait for nobody.
async fn claim_in_lane(
    tx: &SystemTx,
    lane: &lane::Model,
    now: Instant,
    lease_until: Instant,
    worker: Uuid,
    wanted: usize,
) -> Result<Vec<ClaimedJob>, DbError> {
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT id FROM job WHERE lane_id = $1 AND state = 'ready' \
         AND run_at <= $2 ORDER BY priority, run_at, id LIMIT {wanted}{locked}) \
         UPDATE job SET state = 'running', attempt = attempt + 1, lease_token = lease_token + 1, \
         lease_until = $3, worker_id = $4 \
         WHERE state = 'ready' AND id IN (SELECT id FROM due) RETURNING *",
        locked = tx.dialect().for_update_skip_locked()
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
