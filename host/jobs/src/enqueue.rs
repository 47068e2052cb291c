//! Asking for work, in the transaction that makes it necessary.

use portolan_core::{Instant, JobId, TenantId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::{DbError, SystemTx, TenantTx};
use sea_orm::{ColumnTrait, DbErr, IntoActiveModel, QueryFilter};
use serde_json::Value as Json;

use crate::lane::open_lane;
use crate::{Lane, Queue};

const MAX_PAYLOAD_BYTES: usize = 64 << 10;
const DEFAULT_MAX_ATTEMPTS: i32 = 8;

/// What to do, where, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    pub kind: String,
    pub lane: Lane,
    /// At most 64 KiB of JSON, and no secrets: rows are kept.
    pub payload: Json,
    /// Now, where absent.
    pub run_at: Option<Instant>,
    /// Smaller goes first.
    pub priority: i32,
    /// How often it may fail in a row without getting on.
    pub max_attempts: i32,
    /// While a job of this kind and key waits or runs, asking again gives that job.
    pub unique_key: Option<String>,
}

impl NewJob {
    pub fn new(kind: impl Into<String>, lane: Lane, payload: Json) -> Self {
        Self {
            kind: kind.into(),
            lane,
            payload,
            run_at: None,
            priority: 100,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            unique_key: None,
        }
    }

    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    #[must_use]
    pub fn at(mut self, run_at: Instant) -> Self {
        self.run_at = Some(run_at);
        self
    }
}

/// What became of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    pub id: JobId,
    /// False when a job with the same unique key was there already.
    pub fresh: bool,
}

/// Where an automatic job comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub schedule: Option<(String, Instant)>,
    pub replay_of: Option<JobId>,
}

impl Queue {
    /// Asks for a job of the transaction's tenant. It exists if and only if the transaction commits;
    /// idle workers are woken then.
    pub async fn enqueue(&self, tx: &TenantTx, job: NewJob) -> Result<Enqueued, DbError> {
        self.insert_job(tx.host_wide(), Some(tx.tenant()), job, Origin::default()).await
    }

    /// Asks for a job of the house.
    pub async fn enqueue_system(&self, tx: &SystemTx, job: NewJob) -> Result<Enqueued, DbError> {
        self.insert_job(tx, None, job, Origin::default()).await
    }

    pub(crate) async fn insert_job(
        &self,
        tx: &SystemTx,
        tenant: Option<TenantId>,
        job: NewJob,
        origin: Origin,
    ) -> Result<Enqueued, DbError> {
        let row = self.row(tenant, &job, origin)?;
        let id = JobId(row.id);
        let run_at = Instant(row.run_at);
        let unique_key = row.unique_key.clone();
        // Twice at most: the job in the way may end between the insert and the look.
        for _ in 0..2 {
            if tx.insert_many_on_conflict_do_nothing(vec![row.clone().into_active_model()]).await? == 1 {
                open_lane(tx, tenant, &job.lane, Some(run_at));
                let wake = self.wake.clone();
                tx.after_commit(move || wake.notify_one());
                return Ok(Enqueued { id, fresh: true });
            }
            if let Some(existing) = active_job(tx, &job.kind, unique_key.as_deref()).await? {
                return Ok(Enqueued { id: existing, fresh: false });
            }
        }
        // A schedule's moment has fired already.
        Ok(Enqueued { id, fresh: false })
    }

    fn row(&self, tenant: Option<TenantId>, job: &NewJob, origin: Origin) -> Result<job::Model, DbError> {
        let payload = job.payload.to_string();
        if payload.len() > MAX_PAYLOAD_BYTES {
            let message =
                format!("a job's payload may have {MAX_PAYLOAD_BYTES} bytes, this one has {}", payload.len());
            return Err(DbError::Other(DbErr::Custom(message)));
        }
        let now = self.clock.now();
        let (schedule_id, fire_at) = origin.schedule.unzip();
        Ok(job::Model {
            id: JobId::generate(&*self.clock, &*self.random).0,
            tenant_id: tenant.map(|tenant| tenant.0),
            lane_id: job.lane.id.clone(),
            kind: job.kind.clone(),
            payload,
            state: JobState::Ready,
            priority: job.priority,
            run_at: job.run_at.unwrap_or(now).0,
            attempt: 0,
            crash_count: 0,
            max_attempts: job.max_attempts.max(1),
            lease_token: 0,
            lease_until: None,
            worker_id: None,
            unique_key: job.unique_key.as_ref().map(|key| scoped_key(tenant, key)),
            schedule_id,
            fire_at: fire_at.map(|instant| instant.0),
            replay_of: origin.replay_of.map(|id| id.0),
            last_error_class: None,
            last_error: None,
            created_at: now.0,
            finished_at: None,
        })
    }
}

/// Keys of different tenants never meet.
fn scoped_key(tenant: Option<TenantId>, key: &str) -> String {
    match tenant {
        Some(tenant) => format!("{tenant}:{key}"),
        None => format!("house:{key}"),
    }
}

async fn active_job(tx: &SystemTx, kind: &str, unique_key: Option<&str>) -> Result<Option<JobId>, DbError> {
    let Some(unique_key) = unique_key else { return Ok(None) };
    let found = tx
        .find_across_tenants::<job::Entity>()
        .filter(job::Column::Kind.eq(kind))
        .filter(job::Column::UniqueKey.eq(unique_key))
        .filter(job::Column::State.is_in([JobState::Ready, JobState::Running]))
        .one(tx)
        .await?;
    Ok(found.map(|job| JobId(job.id)))
}
