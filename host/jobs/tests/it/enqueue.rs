//! A job exists if and only if its transaction commits.

use portolan_core::Duration;
use portolan_db::DbError;
use portolan_db::entity::job::JobState;
use portolan_jobs::{NewJob, RetryPolicy};
use serde_json::json;

use crate::support::{Bench, migrate, on_both};

#[tokio::test]
async fn a_rolled_back_transaction_leaves_no_job() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let queue = bench.queue.clone();
        let job = NewJob::new("test", bench.lane(1), json!({}));
        let failed: Result<(), DbError> = bench
            .queue
            .database()
            .write(bench.tenant, move |tx| {
                Box::pin(async move {
                    queue.enqueue(tx, job).await?;
                    Err(DbError::Unsafe("changed my mind".to_owned()))
                })
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(bench.queue.unfinished().await.expect("count"), 0);
        assert!(bench.claim(5).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_unique_key_gives_the_job_that_waits_and_is_free_when_it_ended() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let job = || NewJob::new("test", bench.lane(5), json!({})).unique("orders");
        let first = bench.enqueue(job()).await.expect("enqueue");
        let second = bench.enqueue(job()).await.expect("enqueue");
        assert!(first.fresh && !second.fresh);
        assert_eq!(first.id, second.id);

        let claimed = bench.claim_one().await;
        assert!(!bench.enqueue(job()).await.expect("enqueue").fresh, "it still runs");
        bench.queue.settle(&claimed, Ok(()), RetryPolicy::default()).await.expect("settle").expect("ours");
        assert!(bench.enqueue(job()).await.expect("enqueue").fresh);

        let other = Bench::new(test);
        let theirs = NewJob::new("test", other.lane(5), json!({})).unique("orders");
        assert!(other.enqueue(theirs).await.expect("enqueue").fresh, "keys of two tenants never meet");
    })
    .await;
}

#[tokio::test]
async fn many_callers_with_one_unique_key_make_one_job() {
    on_both(migrate, async |test| {
        let bench = std::sync::Arc::new(Bench::new(test));
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let bench = bench.clone();
                tokio::spawn(async move {
                    bench.enqueue(NewJob::new("test", bench.lane(5), json!({})).unique("one")).await
                })
            })
            .collect();
        let mut fresh = 0;
        for caller in callers {
            fresh += usize::from(caller.await.expect("task").expect("enqueue").fresh);
        }
        assert_eq!(fresh, 1);
        assert_eq!(bench.queue.unfinished().await.expect("count"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_waits_for_its_time_and_smaller_priorities_go_first() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let later = bench.clock_in(Duration::from_secs(60));
        let late = NewJob::new("late", bench.lane(5), json!({})).at(later);
        let urgent = NewJob { priority: 1, ..NewJob::new("urgent", bench.lane(5), json!({})) };
        bench.enqueue(late).await.expect("enqueue");
        bench.enqueue(NewJob::new("plain", bench.lane(5), json!({}))).await.expect("enqueue");
        bench.enqueue(urgent).await.expect("enqueue");
        let kinds: Vec<String> = bench.claim(5).await.into_iter().map(|job| job.kind).collect();
        assert_eq!(kinds, ["urgent", "plain"]);
        bench.advance_secs(60);
        assert_eq!(bench.claim_one().await.kind, "late");
    })
    .await;
}

#[tokio::test]
async fn a_payload_that_is_too_large_is_refused() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let job = NewJob::new("test", bench.lane(1), json!("x".repeat(70_000)));
        assert!(bench.enqueue(job).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_waiting_job_can_be_cancelled_by_its_tenant_only() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let id = bench.enqueue_many(1, &bench.lane(1)).await[0];
        let stranger = Bench::new(test);
        for (tenant, expected) in [(stranger.tenant, false), (bench.tenant, true), (bench.tenant, false)] {
            let queue = bench.queue.clone();
            let cancelled = bench
                .queue
                .database()
                .write(tenant, move |tx| Box::pin(async move { queue.cancel(tx, id).await }))
                .await;
            assert_eq!(cancelled.expect("cancel"), expected);
        }
        assert_eq!(bench.job(id).await.state, JobState::Cancelled);
        assert!(bench.claim(1).await.is_empty());
    })
    .await;
}
