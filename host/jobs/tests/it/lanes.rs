//! Limits and fairness between lanes.

use std::collections::BTreeSet;

use portolan_core::Duration;
use portolan_db::sea_orm::ConnectionTrait;
use portolan_jobs::{JobError, Lane, RetryPolicy};

use crate::support::{Bench, migrate, on_both};

#[tokio::test]
async fn a_lane_runs_no_more_jobs_than_it_may() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(5, &bench.lane(2)).await;
        let claimed = bench.claim(10).await;
        assert_eq!(claimed.len(), 2);
        assert!(bench.claim(10).await.is_empty());
        bench.queue.settle(&claimed[0], Ok(()), RetryPolicy::default()).await.expect("settle").expect("ours");
        assert_eq!(bench.claim(10).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_busy_lane_does_not_starve_a_quiet_one() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let busy = Lane::tenant(bench.tenant, "busy", 1);
        let quiet = Lane::tenant(bench.tenant, "quiet", 1);
        bench.enqueue_many(20, &busy).await;
        bench.enqueue_many(2, &quiet).await;
        let mut served = Vec::new();
        for _ in 0..4 {
            bench.advance_secs(1);
            let job = bench.claim_one().await;
            bench.queue.settle(&job, Ok(()), RetryPolicy::default()).await.expect("settle").expect("ours");
            served.push(job.lane_id);
        }
        assert_eq!(served.iter().filter(|lane| **lane == quiet.id).count(), 2, "{served:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_at_once_never_claim_one_job_twice() {
    on_both(migrate, async |test| {
        let bench = std::sync::Arc::new(Bench::new(test));
        for number in 0..4 {
            bench.enqueue_many(10, &Lane::tenant(bench.tenant, &number.to_string(), 3)).await;
        }
        let workers: Vec<_> = (0..6)
            .map(|_| {
                let bench = bench.clone();
                tokio::spawn(async move {
                    let mut done = Vec::new();
                    let mut idle = 0;
                    while idle < 5 {
                        let claimed = bench.claim(3).await;
                        idle = if claimed.is_empty() { idle + 1 } else { 0 };
                        for job in claimed {
                            let settled = bench.queue.settle(&job, Ok(()), RetryPolicy::default()).await;
                            settled.expect("settle").expect("ours");
                            done.push(job.id);
                        }
                    }
                    done
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.expect("worker"));
        }
        assert_eq!(all.len(), 40);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 40);
        assert_eq!(bench.queue.audit_lanes().await.expect("audit"), 0, "the lanes counted right");
    })
    .await;
}

#[tokio::test]
async fn a_rate_limited_lane_rests_and_its_neighbour_does_not() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let limited = Lane::tenant(bench.tenant, "limited", 5);
        bench.enqueue_many(2, &limited).await;
        let job = bench.claim_one().await;
        let error = JobError::rate_limited(Duration::from_secs(90), "429");
        bench.queue.settle(&job, Err(error), RetryPolicy::default()).await.expect("settle").expect("ours");
        let neighbour = Lane::tenant(bench.tenant, "neighbour", 5);
        bench.enqueue_many(1, &neighbour).await;
        assert_eq!(
            bench.claim(9).await.iter().map(|job| job.lane_id.clone()).collect::<Vec<_>>(),
            [neighbour.id]
        );
        bench.advance_secs(91);
        let again = bench.claim(9).await;
        assert_eq!(again.len(), 2);
        assert!(again.iter().all(|job| job.attempt == 1), "waiting for the channel is no failed attempt");
    })
    .await;
}

#[tokio::test]
async fn a_parked_lane_waits_until_it_is_resumed() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(1, &bench.lane(1)).await;
        let job = bench.claim_one().await;
        let refused = Err(JobError::park("the channel refused the credential"));
        bench.queue.settle(&job, refused, RetryPolicy::default()).await.expect("settle").expect("ours");
        bench.advance_secs(1_000_000);
        assert!(bench.claim(1).await.is_empty());

        let (queue, lane) = (bench.queue.clone(), bench.lane(1));
        let resumed = bench
            .queue
            .database()
            .write(bench.tenant, move |tx| {
                Box::pin(async move {
                    queue.resume_lane(tx, &lane);
                    Ok::<_, portolan_db::DbError>(())
                })
            })
            .await;
        resumed.expect("resume");
        assert_eq!(bench.claim_one().await.attempt, 1);
    })
    .await;
}

#[tokio::test]
async fn the_auditor_repairs_counts_that_drifted() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(1, &bench.lane(1)).await;
        let drift =
            |tx: &portolan_db::SystemTx| tx.statement("UPDATE lane SET running = 7, next_at = NULL", []);
        test.database
            .system_write(move |tx| {
                Box::pin(async move {
                    tx.execute_raw(drift(tx)).await?;
                    Ok::<_, portolan_db::DbError>(())
                })
            })
            .await
            .expect("drift");
        assert!(bench.claim(1).await.is_empty());
        assert_eq!(bench.queue.audit_lanes().await.expect("audit"), 1);
        bench.claim_one().await;
    })
    .await;
}
