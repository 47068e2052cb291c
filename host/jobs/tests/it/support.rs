//! A queue with a clock that the test moves.

use std::sync::Arc;

use portolan_core::{Duration, Instant, JobId, ManualClock, SeededRandom, SystemRandom, TenantId, id};
use portolan_db::DbError;
use portolan_db::entity::{job, quarantine};
use portolan_db::sea_orm::sea_query::Query;
use portolan_db::sea_orm::{ColumnTrait, ConnectionTrait, PaginatorTrait, QueryFilter};
use portolan_db::testing::TestDatabase;
use portolan_jobs::{ClaimedJob, Enqueued, JobError, Lane, NewJob, Queue};
use serde_json::json;
use uuid::Uuid;

pub use portolan_db::testing::on_both;
pub use portolan_migrations::migrate;

pub const START: Instant = Instant::from_unix_ms(1_780_000_000_000);

/// What a job writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Something that brings it nearer to its end.
    Progress,
    /// Something that every attempt writes anew.
    Note,
}

pub struct Bench {
    pub queue: Queue,
    pub clock: ManualClock,
    pub tenant: TenantId,
    pub worker: Uuid,
}

impl Bench {
    pub fn new(test: &TestDatabase) -> Self {
        let clock = ManualClock::at(START);
        let queue = Queue::new(
            test.database.clone(),
            Arc::new(clock.clone()),
            Arc::new(SeededRandom::new(id_seed())),
        );
        let fresh = || id::new_uuid(&clock, &SystemRandom);
        Self { queue, tenant: TenantId(fresh()), worker: fresh(), clock }
    }

    pub fn lane(&self, max_running: i32) -> Lane {
        Lane::tenant(self.tenant, "work", max_running)
    }

    pub async fn enqueue(&self, job: NewJob) -> Result<Enqueued, DbError> {
        let queue = self.queue.clone();
        self.queue
            .database()
            .write(self.tenant, move |tx| Box::pin(async move { queue.enqueue(tx, job).await }))
            .await
    }

    /// Asks for plain jobs and gives their ids.
    pub async fn enqueue_many(&self, count: usize, lane: &Lane) -> Vec<JobId> {
        let mut ids = Vec::new();
        for number in 0..count {
            let job = NewJob::new("test", lane.clone(), json!({ "number": number }));
            ids.push(self.enqueue(job).await.expect("enqueue").id);
        }
        ids
    }

    pub async fn claim(&self, limit: usize) -> Vec<ClaimedJob> {
        self.queue.claim(self.worker, limit).await.expect("claim")
    }

    pub async fn claim_one(&self) -> ClaimedJob {
        let mut claimed = self.claim(1).await;
        assert_eq!(claimed.len(), 1, "exactly one job is due");
        claimed.remove(0)
    }

    pub fn advance_secs(&self, secs: i64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    pub async fn job(&self, id: JobId) -> job::Model {
        let tx = self.queue.database().system_read().await.expect("read");
        tx.find_across_tenants::<job::Entity>()
            .filter(job::Column::Id.eq(id.0))
            .one(&tx)
            .await
            .expect("query")
            .expect("job")
    }
}

fn id_seed() -> u64 {
    portolan_core::Random::next_u64(&SystemRandom)
}

impl Bench {
    pub fn clock_in(&self, span: Duration) -> Instant {
        portolan_core::Clock::now(&self.clock) + span
    }
}

impl Bench {
    /// Writes a row as the holder of this claim.
    pub async fn write(&self, job: &ClaimedJob, effect: Effect) -> Result<(), JobError> {
        let row = quarantine::Model {
            tenant_id: self.tenant.0,
            id: id::new_uuid(&self.clock, &SystemRandom),
            connection_id: Uuid::nil(),
            stream: String::new(),
            chunk_id: Uuid::nil(),
            src: 0,
            path: None,
            reason: String::new(),
            created_at: 0,
        };
        let row = quarantine::ActiveModel::from(row);
        match effect {
            Effect::Progress => {
                let write = self.queue.fenced_progress(job, self.tenant, move |tx| Box::pin(insert(tx, row)));
                write.await
            }
            Effect::Note => {
                let write = self.queue.fenced_write(job, self.tenant, move |tx| Box::pin(insert(tx, row)));
                write.await
            }
        }
    }

    /// An empty queue: what an earlier history left is nobody's business.
    pub async fn forget_everything(&self) {
        let forgotten = self.queue.database().system_write(|tx| {
            Box::pin(async move {
                for table in ["job_attempt", "job", "lane"] {
                    tx.execute(Query::delete().from_table(table)).await?;
                }
                Ok::<_, DbError>(())
            })
        });
        forgotten.await.expect("an empty queue");
    }

    /// How many rows [`Self::write`] has left.
    pub async fn notes(&self) -> u64 {
        let tx = self.queue.database().read(self.tenant).await.expect("read");
        tx.find::<quarantine::Entity>().count(&tx).await.expect("count")
    }
}

async fn insert(tx: &portolan_db::TenantTx, row: quarantine::ActiveModel) -> Result<(), JobError> {
    tx.insert(row).await?;
    Ok(())
}
