//! The worker end to end, on the machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use portolan_core::{Duration, JobId, SystemClock, SystemRandom, TenantId, id};
use portolan_db::entity::job::{self, JobState};
use portolan_db::sea_orm::{ColumnTrait, QueryFilter};
use portolan_db::testing::TestDatabase;
use portolan_jobs::{JobContext, JobError, JobHandler, Lane, NewJob, Queue, Registry, Worker, WorkerOptions};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{migrate, on_both};

const OPTIONS: WorkerOptions = WorkerOptions {
    concurrency: 4,
    poll: Duration::from_ms(200),
    heartbeat: Duration::from_ms(100),
    drain: Duration::from_ms(300),
};

/// Counts its runs, and does what the payload says.
struct Act {
    runs: Arc<AtomicU32>,
}

#[async_trait]
impl JobHandler for Act {
    fn kind(&self) -> &'static str {
        "act"
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        match payload.as_str().unwrap_or_default() {
            "panic" => panic!("as told"),
            "stubborn" => std::future::pending().await,
            "obedient" => {
                context.stopping().cancelled().await;
                Err(JobError::snooze(Duration::ZERO))
            }
            "post" => {
                context.write(|tx| Box::pin(async move { Ok(tx.lock_ledger().await.map(|_| ())?) })).await
            }
            _ => Ok(()),
        }
    }
}

struct House {
    queue: Queue,
    tenant: TenantId,
    runs: Arc<AtomicU32>,
    shutdown: CancellationToken,
    worker: tokio::task::JoinHandle<()>,
}

impl House {
    fn start(test: &TestDatabase) -> Self {
        let queue = Queue::new(test.database.clone(), Arc::new(SystemClock), Arc::new(SystemRandom));
        let runs = Arc::new(AtomicU32::new(0));
        let registry = Registry::new().with(Act { runs: runs.clone() });
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn(Worker::new(queue.clone(), registry, OPTIONS).run(shutdown.clone()));
        Self { queue, tenant: TenantId(id::new_uuid(&SystemClock, &SystemRandom)), runs, shutdown, worker }
    }

    async fn ask(&self, kind: &str, what: &str) -> JobId {
        let job = NewJob::new(kind, Lane::tenant(self.tenant, "work", 8), json!(what));
        let queue = self.queue.clone();
        let enqueued = self
            .queue
            .database()
            .write(self.tenant, move |tx| Box::pin(async move { queue.enqueue(tx, job).await }))
            .await;
        enqueued.expect("enqueue").id
    }

    async fn job(&self, id: JobId) -> job::Model {
        let tx = self.queue.database().system_read().await.expect("read");
        tx.find_across_tenants::<job::Entity>()
            .filter(job::Column::Id.eq(id.0))
            .one(&tx)
            .await
            .expect("query")
            .expect("job")
    }

    /// Waits until the job is as the test expects it.
    async fn until(&self, id: JobId, expected: impl Fn(&job::Model) -> bool) -> job::Model {
        for _ in 0..500 {
            let job = self.job(id).await;
            if expected(&job) {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the job stays {:?}", self.job(id).await);
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.worker.await.expect("the worker stops");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_run_and_their_writes_are_kept() {
    on_both(migrate, async |test| {
        let house = House::start(test);
        let mut ids = Vec::new();
        for _ in 0..10 {
            ids.push(house.ask("act", "post").await);
        }
        for id in ids {
            house.until(id, |job| job.state == JobState::Done).await;
        }
        let head = test.database.read(house.tenant).await.expect("read").ledger_head().await.expect("head");
        assert_eq!(head.posting_version, 10);
        assert_eq!(house.runs.load(Ordering::SeqCst), 10);
        house.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_gives_unfinished_jobs_back_with_their_attempt_refunded() {
    on_both(migrate, async |test| {
        let house = House::start(test);
        let obedient = house.ask("act", "obedient").await;
        let stubborn = house.ask("act", "stubborn").await;
        for id in [obedient, stubborn] {
            house.until(id, |job| job.state == JobState::Running).await;
        }
        house.shutdown.cancel();
        for id in [obedient, stubborn] {
            let job = house.until(id, |job| job.state == JobState::Ready).await;
            assert_eq!((job.attempt, job.crash_count, job.worker_id), (0, 0, None));
        }
        let late = house.ask("act", "late").await;
        let (queue, runs) = (house.queue.clone(), house.runs.clone());
        house.stop().await;
        assert_eq!(runs.load(Ordering::SeqCst), 2, "nothing is claimed while stopping");
        assert_eq!(queue.audit_lanes().await.expect("audit"), 0);
        let tx = queue.database().system_read().await.expect("read");
        let late = tx
            .find_across_tenants::<job::Entity>()
            .filter(job::Column::Id.eq(late.0))
            .one(&tx)
            .await
            .expect("query")
            .expect("job");
        assert_eq!(late.state, JobState::Ready);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_tried_again_later_and_an_unknown_kind_is_a_dead_letter() {
    on_both(migrate, async |test| {
        let house = House::start(test);
        let panicking = house.ask("act", "panic").await;
        let unknown = house.ask("nobody knows", "").await;
        let job = house.until(panicking, |job| job.last_error.is_some()).await;
        assert_eq!((job.state, job.attempt, job.crash_count), (JobState::Ready, 1, 0));
        let job = house.until(unknown, |job| job.state == JobState::Dead).await;
        assert!(job.last_error.expect("error").contains("nobody knows"));
        house.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_job_keeps_its_lease() {
    on_both(migrate, async |test| {
        let house = House::start(test);
        let id = house.ask("act", "obedient").await;
        let first = house.until(id, |job| job.state == JobState::Running).await.lease_until;
        house.until(id, |job| job.lease_until > first).await;
        house.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_worker_takes_up_at_once_what_its_predecessor_left_but_nothing_of_a_living_one() {
    let test = TestDatabase::sqlite(migrate).await;
    let first = House::start(&test);
    let id = first.ask("act", "obedient").await;
    first.until(id, |job| job.state == JobState::Running).await;
    let second = House::start(&test);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(first.job(id).await.crash_count, 0, "the first worker lives");
    second.stop().await;

    // Killed: no settling, no release.
    first.worker.abort();
    assert!(first.worker.await.expect_err("aborted").is_cancelled());
    let third = House::start(&test);
    let job = third.until(id, |job| job.lease_token == 2 && job.state == JobState::Running).await;
    assert_eq!((job.attempt, job.crash_count), (1, 1));
    third.stop().await;
    test.discard().await;
}
