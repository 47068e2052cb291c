//! Schedules, without a leader: every process looks, the unique key of (schedule, moment) lets one fire.

use portolan_core::{Duration, Instant, TenantId};
use portolan_db::entity::schedule::{self, CatchUp};
use portolan_db::{DbError, SystemTx, TenantTx, WriteClass};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DbErr, IntoActiveModel, QueryFilter,
};
use serde_json::Value as Json;

use crate::enqueue::Origin;
use crate::lane::{open_lane, stored_lane};
use crate::{CronSchedule, InvalidSchedule, Lane, NewJob, Queue};

/// A moment that is at most this late still fires where missed ones are skipped.
const PUNCTUAL: Duration = Duration::from_minutes(1);
/// How many missed moments fire at once where all of them shall.
const MOST_MISSED: usize = 100;

/// What is due again and again.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// Chosen by the caller, unique in the house: `stream:<connection>:<name>`. Putting it again changes it.
    pub id: String,
    pub lane: Lane,
    pub kind: String,
    pub payload: Json,
    pub cron: String,
    /// IANA zone in which `cron` is read.
    pub time_zone: String,
    /// The job runs up to this much later, always by the same amount, so that not everything starts at
    /// the full hour.
    pub jitter: Duration,
    pub catch_up: CatchUp,
}

impl Queue {
    /// Sets a schedule of the tenant up, or changes it. It fires for the first time at the next due
    /// moment from now; the same expression put again keeps its place. One transaction puts its schedules in
    /// the order of their ids.
    pub async fn put_schedule(&self, tx: &TenantTx, new: NewSchedule) -> Result<Instant, PutScheduleError> {
        let due = CronSchedule::parse(&new.cron, &new.time_zone)?;
        let next =
            due.next_after(self.clock.now()).ok_or_else(|| InvalidSchedule::Never(new.cron.clone()))?;
        open_lane(tx.host_wide(), Some(tx.tenant()), &new.lane, None);
        let existing = tx.find::<schedule::Entity>().filter(schedule::Column::Id.eq(&new.id)).one(tx).await?;
        let same_rhythm = |old: &&schedule::Model| old.cron == new.cron && old.time_zone == new.time_zone;
        let kept = existing.as_ref().filter(same_rhythm).map(|old| old.next_fire_at);
        let row = schedule::Model {
            id: new.id,
            tenant_id: Some(tx.tenant().0),
            lane_id: new.lane.id,
            kind: new.kind,
            payload: new.payload.to_string(),
            cron: new.cron,
            time_zone: new.time_zone,
            jitter_seconds: i32::try_from(new.jitter.as_ms() / 1_000).unwrap_or_default(),
            catch_up: new.catch_up,
            next_fire_at: kept.unwrap_or(next.0),
            enabled: true,
        };
        let next_fire_at = Instant(row.next_fire_at);
        if existing.is_some() {
            tx.update(row.into_active_model().reset_all()).await?;
        } else {
            tx.insert(row.into_active_model()).await?;
        }
        Ok(next_fire_at)
    }

    /// Ends a schedule of the tenant; jobs that it has made stay.
    pub async fn remove_schedule(&self, tx: &TenantTx, id: &str) -> Result<bool, DbError> {
        let removed =
            tx.delete_many::<schedule::Entity>().filter(schedule::Column::Id.eq(id)).exec(tx).await?;
        Ok(removed.rows_affected == 1)
    }

    /// Makes the jobs of every schedule that is due. Gives their number.
    pub async fn fire_due(&self) -> Result<usize, DbError> {
        let now = self.clock.now();
        if !self.has_due_schedule(now).await? {
            return Ok(0);
        }
        let queue = self.clone();
        self.database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move {
                    let sql = format!(
                        "SELECT * FROM schedule WHERE enabled AND next_fire_at <= $1 \
                         ORDER BY next_fire_at LIMIT 50{}",
                        tx.dialect().for_update_skip_locked()
                    );
                    let due = tx.statement(sql, [now.0.into()]);
                    let mut fired = 0;
                    for schedule in
                        tx.find_across_tenants::<schedule::Entity>().from_raw_sql(due).all(tx).await?
                    {
                        fired += queue.fire(tx, schedule, now).await?;
                    }
                    Ok(fired)
                })
            })
            .await
    }

    async fn has_due_schedule(&self, now: Instant) -> Result<bool, DbError> {
        let tx = self.database.system_read().await?;
        let sql = "SELECT 1 FROM schedule WHERE enabled AND next_fire_at <= $1 LIMIT 1";
        Ok(tx.query_one_raw(tx.statement(sql, [now.0.into()])).await?.is_some())
    }

    async fn fire(&self, tx: &SystemTx, row: schedule::Model, now: Instant) -> Result<usize, DbError> {
        let due = match CronSchedule::parse(&row.cron, &row.time_zone) {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(schedule.id = row.id, %error, "a schedule cannot be read, it is switched off");
                return disable(tx, row).await;
            }
        };
        let mut fired = 0;
        for moment in moments(&due, Instant(row.next_fire_at), now, row.catch_up) {
            if self.fire_moment(tx, &row, moment).await? {
                fired += 1;
            }
        }
        let Some(next) = due.next_after(now) else { return disable(tx, row).await };
        let mut advanced = row.into_active_model();
        advanced.next_fire_at = ActiveValue::Set(next.0);
        tx.update(advanced).await?;
        Ok(fired)
    }

    /// Whether a job came of it: not when it fired already, nor while its last job waits or runs.
    async fn fire_moment(
        &self,
        tx: &SystemTx,
        row: &schedule::Model,
        moment: Instant,
    ) -> Result<bool, DbError> {
        let Some(lane) = stored_lane(tx, &row.lane_id).await? else {
            tracing::error!(
                schedule.id = row.id,
                lane.id = row.lane_id,
                "a schedule's lane is gone, it does not fire"
            );
            return Ok(false);
        };
        let payload = serde_json::from_str(&row.payload).unwrap_or_default();
        // One waiting job stands for all moments that pass meanwhile, unless each of them counts.
        let unique_key = match row.catch_up {
            CatchUp::All => format!("schedule:{}:{}", row.id, moment.0),
            CatchUp::Coalesce | CatchUp::Skip => format!("schedule:{}", row.id),
        };
        let job = NewJob::new(row.kind.clone(), lane, payload).unique(unique_key).at(moment + jitter(row));
        let origin = Origin { schedule: Some((row.id.clone(), moment)), replay_of: None };
        let enqueued = self.insert_job(tx, row.tenant_id.map(TenantId), job, origin).await?;
        Ok(enqueued.fresh)
    }
}

/// A refused schedule.
#[derive(Debug, thiserror::Error)]
pub enum PutScheduleError {
    #[error(transparent)]
    Invalid(#[from] InvalidSchedule),
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<DbErr> for PutScheduleError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

/// The moments that fire now, of those that have passed since `first`.
fn moments(due: &CronSchedule, first: Instant, now: Instant, catch_up: CatchUp) -> Vec<Instant> {
    let passed = std::iter::successors(Some(first), |moment| due.next_after(*moment))
        .take_while(|moment| *moment <= now);
    match catch_up {
        CatchUp::All => passed.take(MOST_MISSED).collect(),
        CatchUp::Coalesce => newest(passed).into_iter().collect(),
        CatchUp::Skip => newest(passed).filter(|moment| now.since(*moment) <= PUNCTUAL).into_iter().collect(),
    }
}

/// The last of the passed moments; a schedule that slept for years is not counted through.
fn newest(passed: impl Iterator<Item = Instant>) -> Option<Instant> {
    passed.take(100_000).last()
}

/// Always the same for one schedule.
fn jitter(row: &schedule::Model) -> Duration {
    let hash = row.id.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let seconds = u64::try_from(row.jitter_seconds).unwrap_or_default();
    Duration::from_secs(i64::try_from(hash % (seconds + 1)).unwrap_or_default())
}

async fn disable(tx: &SystemTx, row: schedule::Model) -> Result<usize, DbError> {
    let mut disabled = row.into_active_model();
    disabled.enabled = ActiveValue::Set(false);
    tx.update(disabled).await?;
    Ok(0)
}
