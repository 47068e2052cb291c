//! A worker that was paused past its lease can compute, but never write.

use portolan_db::entity::job::JobState;
use portolan_jobs::{JobError, LeaseLost, RetryPolicy, Settled};

use crate::support::{Bench, Effect, migrate, on_both};

#[tokio::test]
async fn a_zombie_cannot_write_once_its_lease_is_lost() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(1, &bench.lane(1)).await;
        let zombie = bench.claim_one().await;
        bench.write(&zombie, Effect::Note).await.expect("still its job");

        bench.advance_secs(31);
        assert_eq!(bench.queue.reap().await.expect("reap"), 1);
        assert!(
            matches!(bench.write(&zombie, Effect::Note).await, Err(JobError::LeaseLost(_))),
            "nobody has it"
        );

        bench.advance_secs(10);
        let heir = bench.claim_one().await;
        assert_eq!(heir.id, zombie.id);
        assert!(heir.lease_token > zombie.lease_token);
        assert_eq!(bench.write(&zombie, Effect::Note).await, Err(JobError::LeaseLost(LeaseLost(zombie.id))));
        assert!(bench.queue.heartbeat(&zombie).await.expect("heartbeat").is_err());
        assert!(bench.queue.settle(&zombie, Ok(()), RetryPolicy::default()).await.expect("settle").is_err());

        bench.write(&heir, Effect::Note).await.expect("its job now");
        let settled = bench.queue.settle(&heir, Ok(()), RetryPolicy::default()).await.expect("settle");
        assert_eq!(settled, Ok(Settled::Done));
        assert!(bench.write(&heir, Effect::Note).await.is_err(), "the job has ended");
        assert_eq!(bench.notes().await, 2);
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
            bench.write(&job, Effect::Note).await.expect("still its job");
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
            let killer = bench.claim_one().await;
            bench.write(&killer, Effect::Note).await.expect("what every attempt writes anew is no progress");
            bench.advance_secs(40);
            assert_eq!(bench.queue.reap().await.expect("reap"), 1);
            bench.advance_secs(10);
        }
        let dead = bench.job(id).await;
        assert_eq!((dead.state, dead.crash_count), (JobState::Dead, 3));
        assert!(dead.last_error.expect("a reason").contains("3 times in a row without getting on"));
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
        for _ in 0..250 {
            let job = bench.claim_one().await;
            assert_eq!(job.attempt, 1, "a crash costs no attempt");
            bench.write(&job, Effect::Progress).await.expect("progress");
            bench.advance_secs(40);
            assert_eq!(bench.queue.reap().await.expect("reap"), 1);
            bench.advance_secs(10);
        }
        assert_eq!(bench.job(id).await.crash_count, 1);
    })
    .await;
}
