//! Failures mean what the job says they mean.

use portolan_core::Duration;
use portolan_db::entity::job::JobState;
use portolan_jobs::{JobError, NewJob, RetryPolicy, Settled};
use serde_json::json;

use crate::support::{Bench, migrate, on_both};

#[tokio::test]
async fn a_retry_comes_back_later_and_later_until_its_attempts_are_used_up() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let job = NewJob { max_attempts: 4, ..NewJob::new("test", bench.lane(1), json!({})) };
        let id = bench.enqueue(job).await.expect("enqueue").id;
        for attempt in 1..=4 {
            let claimed = bench.claim_one().await;
            assert_eq!(claimed.attempt, attempt);
            let failed = Err(JobError::retry("connection reset"));
            let settled = bench
                .queue
                .settle(&claimed, failed, RetryPolicy::default())
                .await
                .expect("settle")
                .expect("ours");
            if attempt == 4 {
                assert_eq!(settled, Settled::Dead);
                break;
            }
            let Settled::Ready { run_at } = settled else { panic!("{settled:?}") };
            let delay = run_at.since(bench.clock_in(Duration::ZERO));
            let full = Duration::from_secs(10 << (attempt - 1));
            assert!(delay.0 >= full.0 / 2 && delay <= full, "{delay:?} after attempt {attempt}");
            assert!(bench.claim(1).await.is_empty());
            bench.clock.advance(delay);
        }
        let dead = bench.job(id).await;
        assert_eq!(dead.state, JobState::Dead);
        assert_eq!(dead.last_error.as_deref(), Some("connection reset"));
    })
    .await;
}

#[tokio::test]
async fn a_hopeless_failure_is_not_tried_again() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let id = bench.enqueue_many(1, &bench.lane(1)).await[0];
        let claimed = bench.claim_one().await;
        let settled =
            bench.queue.settle(&claimed, Err(JobError::fail("bad plan")), RetryPolicy::default()).await;
        assert_eq!(settled.expect("settle"), Ok(Settled::Dead));
        assert_eq!(bench.job(id).await.last_error_class.as_deref(), Some("fail"));
        assert_eq!(bench.queue.unfinished().await.expect("count"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_goes_on_later_or_is_given_back_has_its_attempt_refunded() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(1, &bench.lane(1)).await;
        for _ in 0..20 {
            let claimed = bench.claim_one().await;
            assert_eq!(claimed.attempt, 1);
            let later = Err(JobError::snooze(Duration::from_secs(5)));
            bench.queue.settle(&claimed, later, RetryPolicy::default()).await.expect("settle").expect("ours");
            assert!(bench.claim(1).await.is_empty());
            bench.advance_secs(5);
            let claimed = bench.claim_one().await;
            bench.queue.release(&claimed).await.expect("release").expect("ours");
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_job_ends() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let id = bench.enqueue_many(1, &bench.lane(1)).await[0];
        let claimed = bench.claim_one().await;
        let settled = bench.queue.settle(&claimed, Err(JobError::cancelled()), RetryPolicy::default()).await;
        assert_eq!(settled.expect("settle"), Ok(Settled::Cancelled));
        assert_eq!(bench.job(id).await.state, JobState::Cancelled);
    })
    .await;
}

#[tokio::test]
async fn ended_jobs_are_forgotten_after_two_weeks_and_dead_letters_are_not() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.enqueue_many(2, &bench.lane(2)).await;
        let claimed = bench.claim(2).await;
        bench.queue.settle(&claimed[0], Ok(()), RetryPolicy::default()).await.expect("settle").expect("ours");
        let failed = Err(JobError::fail("no"));
        bench.queue.settle(&claimed[1], failed, RetryPolicy::default()).await.expect("settle").expect("ours");
        assert_eq!(bench.queue.forget_ended().await.expect("forget"), 0);
        bench.clock.advance(Duration::from_days(15));
        assert_eq!(bench.queue.forget_ended().await.expect("forget"), 1);
        assert_eq!(bench.job(claimed[1].id).await.state, JobState::Dead);
    })
    .await;
}
