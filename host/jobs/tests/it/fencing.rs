//! A worker that was paused past its lease can compute, but never write.

use portolan_db::entity::job::JobState;
use portolan_db::entity::quarantine;
use portolan_db::sea_orm::PaginatorTrait;
use portolan_jobs::{ClaimedJob, JobError, LeaseLost, RetryPolicy, Settled};
use uuid::Uuid;

use crate::support::{Bench, migrate, on_both};

async fn write_note(bench: &Bench, job: &ClaimedJob) -> Result<(), JobError> {
    let tenant = bench.tenant;
    bench
        .queue
        .fenced_write(job, tenant, move |tx| {
            Box::pin(async move {
                let row = quarantine::Model {
                    tenant_id: tenant.0,
                    id: portolan_core::id::new_uuid(
                        &portolan_core::SystemClock,
                        &portolan_core::SystemRandom,
                    ),
                    connection_id: Uuid::nil(),
                    stream: String::new(),
                    chunk_id: Uuid::nil(),
                    src: 0,
                    path: None,
                    reason: String::new(),
                    created_at: 0,
                };
                tx.insert(quarantine::ActiveModel::from(row)).await?;
                Ok(())
            })
        })
        .await
}

async fn notes(bench: &Bench) -> u64 {
    let tx = bench.queue.database().read(bench.tenant).await.expect("read");
    tx.find::<quarantine::Entity>().count(&tx).await.expect("count")
}

#[tokio::test]
async fn a_zombie_cannot_write_once_its_lease_is_lost() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(1, &bench.lane(1)).await;
        let zombie = bench.claim_one().await;
        write_note(&bench, &zombie).await.expect("still its job");

        bench.advance_secs(31);
        assert_eq!(bench.queue.reap().await.expect("reap"), 1);
        assert!(matches!(write_note(&bench, &zombie).await, Err(JobError::LeaseLost(_))), "nobody has it");

        bench.advance_secs(10);
        let heir = bench.claim_one().await;
        assert_eq!(heir.id, zombie.id);
        assert!(heir.lease_token > zombie.lease_token);
        assert_eq!(write_note(&bench, &zombie).await, Err(JobError::LeaseLost(LeaseLost(zombie.id))));
        assert!(bench.queue.heartbeat(&zombie).await.expect("heartbeat").is_err());
        assert!(bench.queue.settle(&zombie, Ok(()), RetryPolicy::default()).await.expect("settle").is_err());

        write_note(&bench, &heir).await.expect("its job now");
        let settled = bench.queue.settle(&heir, Ok(()), RetryPolicy::default()).await.expect("settle");
        assert_eq!(settled, Ok(Settled::Done));
        assert!(write_note(&bench, &heir).await.is_err(), "the job has ended");
        assert_eq!(notes(&bench).await, 2);
    })
    .await;
}

#[tokio::test]
async fn writing_keeps_the_lease_alive() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(1, &bench.lane(1)).await;
        let job = bench.claim_one().await;
        for _ in 0..5 {
            bench.advance_secs(20);
            write_note(&bench, &job).await.expect("still its job");
            assert_eq!(bench.queue.reap().await.expect("reap"), 0);
        }
        bench.advance_secs(20);
        bench.queue.heartbeat(&job).await.expect("heartbeat").expect("still its job");
        bench.advance_secs(20);
        assert_eq!(bench.queue.reap().await.expect("reap"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_failed_fenced_write_keeps_nothing() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(1, &bench.lane(1)).await;
        let job = bench.claim_one().await;
        let tenant = bench.tenant;
        let failed: Result<(), JobError> = bench
            .queue
            .fenced_write(&job, tenant, |tx| {
                Box::pin(async move {
                    tx.lock_ledger().await?;
                    Err(JobError::fail("no"))
                })
            })
            .await;
        assert_eq!(failed, Err(JobError::Fail("no".to_owned())));
        let head =
            bench.queue.database().read(tenant).await.expect("read").ledger_head().await.expect("head");
        assert_eq!(head.posting_version, 0);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_kills_its_workers_becomes_a_dead_letter_and_can_be_replayed() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let id = bench.enqueue_many(1, &bench.lane(1)).await[0];
        for _ in 0..3 {
            bench.claim_one().await;
            bench.advance_secs(40);
            assert_eq!(bench.queue.reap().await.expect("reap"), 1);
            bench.advance_secs(10);
        }
        let dead = bench.job(id).await;
        assert_eq!((dead.state, dead.crash_count), (JobState::Dead, 3));
        assert!(bench.claim(1).await.is_empty());

        let queue = bench.queue.clone();
        let replayed = bench
            .queue
            .database()
            .write(bench.tenant, move |tx| Box::pin(async move { queue.replay(tx, id).await }))
            .await
            .expect("replay")
            .expect("a dead job");
        let again = bench.claim_one().await;
        assert_eq!((again.id, again.attempt, again.crash_count), (replayed.id, 1, 0));
        assert_eq!(bench.job(again.id).await.replay_of, Some(id.0));
    })
    .await;
}

#[tokio::test]
async fn a_job_that_gets_on_survives_any_number_of_crashes() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let id = bench.enqueue_many(1, &bench.lane(1)).await[0];
        for _ in 0..50 {
            let job = bench.claim_one().await;
            assert_eq!(job.attempt, 1, "a crash costs no attempt");
            write_note(&bench, &job).await.expect("progress");
            bench.advance_secs(40);
            assert_eq!(bench.queue.reap().await.expect("reap"), 1);
            bench.advance_secs(10);
        }
        assert_eq!(bench.job(id).await.crash_count, 1);
    })
    .await;
}
