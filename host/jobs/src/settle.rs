//! The end of a claim: every transition is one conditional update by job, token and state.
//! Where it changes no row, the claim is another's, and the result is discarded.

use portolan_core::{Duration, Instant, JobId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::{DbError, SystemTx, TenantTx, WriteClass};
use sea_orm::{ConnectionTrait, Value};

use crate::backoff::patience;
use crate::enqueue::Origin;
use crate::lane::{leave_lane, pause_lane, stored_lane, unpause_lane};
use crate::{ClaimedJob, Enqueued, JobError, Lane, LeaseLost, NewJob, Queue, RetryPolicy};

/// A job whose worker vanished this often in a row, without progress in between, is a dead letter: it may be
/// what kills them.
const MAX_CRASHES: i32 = 3;

/// Keeps a lane paused until somebody resumes it.
const UNTIL_RESUMED: i64 = i64::MAX;

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// Waits until then.
    Ready {
        run_at: Instant,
    },
    Dead,
    Cancelled,
}

/// A transition, before it is written.
struct Transition {
    settled: Settled,
    /// The attempt did not count.
    refund: bool,
    crashed: bool,
    pause_lane_until: Option<i64>,
    error: Option<(&'static str, String)>,
    outcome: &'static str,
}

impl Queue {
    /// Writes down how a claim ended. [`LeaseLost`] when it was no longer this worker's to end.
    pub async fn settle(
        &self,
        job: &ClaimedJob,
        result: Result<(), JobError>,
        policy: RetryPolicy,
    ) -> Result<Result<Settled, LeaseLost>, DbError> {
        match result {
            Ok(()) => self.apply(job, Transition::done()).await,
            Err(JobError::LeaseLost(lost)) => Ok(Err(lost)),
            Err(JobError::Retry { after, message }) => self.after_failure(job, after, message, policy).await,
            Err(error) => self.apply(job, self.after_error(error)).await,
        }
    }

    /// Whether the job runs again depends on how far it has come, so that is read where it is written.
    async fn after_failure(
        &self,
        job: &ClaimedJob,
        after: Option<Duration>,
        message: String,
        policy: RetryPolicy,
    ) -> Result<Result<Settled, LeaseLost>, DbError> {
        let (queue, job) = (self.clone(), job.clone());
        let settled = self
            .database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move {
                    let Some(held) = held_job(tx, &job).await? else { return Ok(Err(LeaseLost(job.id))) };
                    let now = queue.clock.now();
                    let settled = if held.attempt < held.max_attempts {
                        Settled::Ready { run_at: now + policy.delay(held.attempt, after, &*queue.random) }
                    } else {
                        Settled::Dead
                    };
                    let failed = Transition {
                        error: Some(("retry", message)),
                        outcome: "retry",
                        ..Transition::plain(settled)
                    };
                    apply_transition(tx, &job, &failed, now).await
                })
            })
            .await?;
        self.wake();
        Ok(settled)
    }

    /// Gives an unfinished job back, unharmed: this worker is stopping.
    pub async fn release(&self, job: &ClaimedJob) -> Result<Result<Settled, LeaseLost>, DbError> {
        let settled = Settled::Ready { run_at: self.clock.now() };
        let transition = Transition { refund: true, outcome: "released", ..Transition::plain(settled) };
        self.apply(job, transition).await
    }

    fn after_error(&self, error: JobError) -> Transition {
        let now = self.clock.now();
        let class = error.class();
        let message = error.to_string();
        let later = |delay: Duration| Settled::Ready { run_at: now + delay };
        let transition = match error {
            JobError::Retry { .. } | JobError::Fail(_) | JobError::LeaseLost(_) => {
                Transition::plain(Settled::Dead)
            }
            JobError::RateLimited { after, .. } => Transition {
                refund: true,
                pause_lane_until: Some((now + patience(after)).0),
                ..Transition::plain(later(patience(after)))
            },
            JobError::Park(_) => Transition {
                refund: true,
                pause_lane_until: Some(UNTIL_RESUMED),
                ..Transition::plain(later(Duration::ZERO))
            },
            JobError::Snooze { after } => {
                return Transition { refund: true, outcome: class, ..Transition::plain(later(after)) };
            }
            JobError::Cancelled => Transition::plain(Settled::Cancelled),
        };
        Transition { error: Some((class, message)), outcome: class, ..transition }
    }

    /// Crashes have a budget of their own and cost no attempt.
    fn after_crash(&self, job: &ClaimedJob, longest_rest: Duration) -> Transition {
        let crashes = job.crash_count + 1;
        let (settled, message) = if crashes >= MAX_CRASHES {
            let message = format!(
                "its worker vanished {crashes} times in a row without getting on, so nobody tries it again by itself"
            );
            (Settled::Dead, message)
        } else {
            let jitter = crate::backoff::below(&*self.random, longest_rest.0);
            let run_at = self.clock.now() + Duration(jitter);
            (Settled::Ready { run_at }, "its worker vanished".to_owned())
        };
        Transition {
            refund: true,
            crashed: true,
            error: Some(("crash", message)),
            outcome: "crash",
            ..Transition::plain(settled)
        }
    }

    async fn apply(
        &self,
        job: &ClaimedJob,
        transition: Transition,
    ) -> Result<Result<Settled, LeaseLost>, DbError> {
        let job = job.clone();
        let now = self.clock.now();
        let settled = self
            .database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move { apply_transition(tx, &job, &transition, now).await })
            })
            .await?;
        // A place in the lane is free: somebody may be waiting for it.
        self.wake();
        Ok(settled)
    }

    /// Takes back jobs whose leases ran out: their workers vanished. Gives their number.
    pub async fn reap(&self) -> Result<usize, DbError> {
        self.take_back(self.clock.now(), Duration::from_secs(5)).await
    }

    /// Takes back every running job at once. For the only worker of a database as it starts: whatever
    /// runs was left by a predecessor that is gone. Safe even if it is not, because of the fencing.
    pub(crate) async fn take_back_all(&self) -> Result<usize, DbError> {
        self.take_back(Instant(i64::MAX), Duration::ZERO).await
    }

    /// Takes back the jobs whose leases end before this moment, up to a hundred.
    async fn take_back(&self, lease_before: Instant, longest_rest: Duration) -> Result<usize, DbError> {
        let queue = self.clone();
        let now = self.clock.now();
        let reaped = self
            .database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move {
                    let sql = format!(
                        "SELECT * FROM job WHERE state = 'running' AND lease_until < $1 \
                         ORDER BY lease_until LIMIT 100{}",
                        tx.dialect().for_update_skip_locked()
                    );
                    let expired =
                        tx.find_across_tenants::<job::Entity>().from_raw_sql(tx.statement(sql, [lease_before.0.into()])).all(tx).await?;
                    let mut reaped = 0;
                    for job in expired {
                        let job = ClaimedJob::from(job);
                        let transition = queue.after_crash(&job, longest_rest);
                        let settled = apply_transition(tx, &job, &transition, now).await?;
                        tracing::warn!(job.id = %job.id, job.kind, ?settled, "took a job back from a vanished worker");
                        reaped += 1;
                    }
                    Ok::<usize, DbError>(reaped)
                })
            })
            .await?;
        if reaped > 0 {
            self.wake();
        }
        Ok(reaped)
    }

    /// Cancels a job of the tenant that waits. A running one is told by its own means (a sync has a
    /// requested action). Whether it was waiting.
    pub async fn cancel(&self, tx: &TenantTx, id: JobId) -> Result<bool, DbError> {
        let sql = "UPDATE job SET state = 'cancelled', finished_at = $3 \
                   WHERE id = $1 AND tenant_id = $2 AND state = 'ready'";
        let values = [id.0.into(), tx.tenant().0.into(), self.clock.now().0.into()];
        Ok(tx.execute_raw(tx.statement(sql, values)).await?.rows_affected() == 1)
    }

    /// Asks again for what a dead job of the tenant was to do. `None` where there is no such dead job.
    pub async fn replay(&self, tx: &TenantTx, id: JobId) -> Result<Option<Enqueued>, DbError> {
        let dead = tx.find::<job::Entity>().from_raw_sql(tx.statement(
            "SELECT * FROM job WHERE id = $1 AND tenant_id = $2 AND state = 'dead'",
            [id.0.into(), tx.tenant().0.into()],
        ));
        let Some(dead) = dead.one(tx).await? else { return Ok(None) };
        let Some(lane) = stored_lane(tx.host_wide(), &dead.lane_id).await? else { return Ok(None) };
        let job = NewJob {
            priority: dead.priority,
            max_attempts: dead.max_attempts,
            unique_key: dead
                .unique_key
                .map(|key| key.split_once(':').map_or(key.clone(), |(_, key)| key.to_owned())),
            ..NewJob::new(dead.kind, lane, serde_json::from_str(&dead.payload).unwrap_or_default())
        };
        let origin = Origin { replay_of: Some(id), ..Origin::default() };
        Ok(Some(self.insert_job(tx.host_wide(), Some(tx.tenant()), job, origin).await?))
    }

    /// Ends the pause of a lane, whoever began it.
    pub fn resume_lane(&self, tx: &TenantTx, lane: &Lane) {
        unpause_lane(tx.host_wide(), tx.tenant(), &lane.id);
        let wake = self.wake.clone();
        tx.after_commit(move || wake.notify_one());
    }
}

impl Transition {
    fn plain(settled: Settled) -> Self {
        Self { settled, refund: false, crashed: false, pause_lane_until: None, error: None, outcome: "" }
    }

    fn done() -> Self {
        Self { outcome: "done", ..Self::plain(Settled::Done) }
    }
}

/// The job as it is now, locked, if this claim still holds it.
async fn held_job(tx: &SystemTx, job: &ClaimedJob) -> Result<Option<job::Model>, DbError> {
    let sql = format!(
        "SELECT * FROM job WHERE id = $1 AND lease_token = $2 AND state = 'running'{}",
        tx.dialect().for_update()
    );
    let held = tx.statement(sql, [job.id.0.into(), job.lease_token.into()]);
    Ok(tx.find_across_tenants::<job::Entity>().from_raw_sql(held).one(tx).await?)
}

async fn apply_transition(
    tx: &SystemTx,
    job: &ClaimedJob,
    transition: &Transition,
    now: Instant,
) -> Result<Result<Settled, LeaseLost>, DbError> {
    let (state, run_at) = match transition.settled {
        Settled::Done => (JobState::Done, None),
        Settled::Ready { run_at } => (JobState::Ready, Some(run_at)),
        Settled::Dead => (JobState::Dead, None),
        Settled::Cancelled => (JobState::Cancelled, None),
    };
    let finished_at = run_at.is_none().then_some(now.0);
    let (class, message) = transition.error.clone().unzip();
    let sql = "UPDATE job SET state = $3, run_at = COALESCE($4, run_at), finished_at = $5, \
               attempt = attempt - $6, crash_count = crash_count + $7, \
               last_error_class = COALESCE($8, last_error_class), last_error = COALESCE($9, last_error), \
               lease_until = NULL, worker_id = NULL \
               WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    let values: [Value; 9] = [
        job.id.0.into(),
        job.lease_token.into(),
        state.as_str().into(),
        run_at.map(|instant| instant.0).into(),
        finished_at.into(),
        i32::from(transition.refund).into(),
        i32::from(transition.crashed).into(),
        class.into(),
        message.clone().into(),
    ];
    if tx.execute_raw(tx.statement(sql, values)).await?.rows_affected() != 1 {
        return Ok(Err(LeaseLost(job.id)));
    }
    leave_lane(tx, &job.lane_id, run_at);
    if let Some(paused_until) = transition.pause_lane_until {
        pause_lane(tx, &job.lane_id, paused_until, message.clone());
    }
    let sql = "UPDATE job_attempt SET ended_at = $3, outcome = $4, error_class = $5, error = $6 \
               WHERE job_id = $1 AND lease_token = $2";
    let values: [Value; 6] = [
        job.id.0.into(),
        job.lease_token.into(),
        now.0.into(),
        transition.outcome.into(),
        class.into(),
        message.into(),
    ];
    tx.execute_raw(tx.statement(sql, values)).await?;
    Ok(Ok(transition.settled))
}
