//! What is due fires once.

use std::sync::Arc;

use portolan_core::{Duration, Instant, ManualClock, SystemRandom};
use portolan_db::entity::schedule::CatchUp;
use portolan_db::testing::TestDatabase;
use portolan_jobs::{NewSchedule, PutScheduleError, Queue, RetryPolicy};
use serde_json::json;

use crate::support::{Bench, migrate, on_both};

fn every_six_hours(bench: &Bench, catch_up: CatchUp) -> NewSchedule {
    NewSchedule {
        id: format!("stream:{}", bench.tenant),
        lane: bench.lane(9),
        kind: "sync".to_owned(),
        payload: json!({ "stream": "orders" }),
        cron: "0 */6 * * *".to_owned(),
        time_zone: "Asia/Kolkata".to_owned(),
        jitter: Duration::ZERO,
        catch_up,
    }
}

async fn put(bench: &Bench, schedule: NewSchedule) -> Result<Instant, PutScheduleError> {
    let queue = bench.queue.clone();
    bench
        .queue
        .database()
        .write(bench.tenant, move |tx| Box::pin(async move { queue.put_schedule(tx, schedule).await }))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_schedule_fires_once_with_many_schedulers() {
    on_both(migrate, async |test: &TestDatabase| {
        let bench = Arc::new(Bench::new(test));
        let due = put(&bench, every_six_hours(&bench, CatchUp::Coalesce)).await.expect("put");
        assert_eq!(bench.queue.fire_due().await.expect("fire"), 0, "not due yet");
        for round in 1..=3 {
            bench.clock.advance(due.since(bench.clock_in(Duration::ZERO)));
            bench.clock.advance(Duration::from_hours(6 * (round - 1)));
            let schedulers: Vec<_> = (0..8)
                .map(|_| {
                    let bench = bench.clone();
                    tokio::spawn(async move { bench.queue.fire_due().await })
                })
                .collect();
            let mut fired = 0;
            for scheduler in schedulers {
                fired += scheduler.await.expect("task").expect("fire");
            }
            assert_eq!(fired, 1);
            let job = bench.claim_one().await;
            assert_eq!((job.kind.as_str(), job.payload.as_str()), ("sync", r#"{"stream":"orders"}"#));
            bench.queue.settle(&job, Ok(()), RetryPolicy::default()).await.expect("settle").expect("ours");
        }
    })
    .await;
}

/// Ten minutes fast and ten minutes slow, over the night on which an hour comes twice.
#[tokio::test]
async fn schedulers_whose_clocks_differ_fire_each_moment_once() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        bench.clock.advance(Duration::from_days(148)); // 2026-10-23, 22:26 in Berlin; summer time ends on the 25th
        let of_berlin = NewSchedule {
            time_zone: "Europe/Berlin".to_owned(),
            ..every_six_hours(&bench, CatchUp::Coalesce)
        };
        put(&bench, of_berlin).await.expect("put");
        let schedulers: Vec<(Queue, ManualClock)> = [-10, 0, 10]
            .into_iter()
            .map(|minutes| {
                let clock = ManualClock::at(bench.clock_in(Duration::from_minutes(minutes)));
                let random = Arc::new(SystemRandom);
                (Queue::new(test.database.clone(), Arc::new(clock.clone()), random), clock)
            })
            .collect();
        let mut fired = 0;
        // Four days, one of which has 25 hours.
        for _ in 0..97 * 2 {
            for (queue, clock) in &schedulers {
                clock.advance(Duration::from_minutes(30));
                fired += queue.fire_due().await.expect("fire");
                for job in queue.claim(bench.worker, 9).await.expect("claim") {
                    queue.settle(&job, Ok(()), RetryPolicy::default()).await.expect("settle").expect("ours");
                }
            }
        }
        assert_eq!(fired, 16, "four moments on each day");
    })
    .await;
}

#[tokio::test]
async fn missed_moments_come_as_one_as_all_or_not_at_all() {
    on_both(migrate, async |test| {
        for (catch_up, expected) in [(CatchUp::Coalesce, 1), (CatchUp::All, 4), (CatchUp::Skip, 0)] {
            let bench = Bench::new(test);
            let due = put(&bench, every_six_hours(&bench, catch_up)).await.expect("put");
            bench.clock.advance(due.since(bench.clock_in(Duration::ZERO)));
            bench.clock.advance(Duration::from_hours(19));
            assert_eq!(bench.queue.fire_due().await.expect("fire"), expected, "{catch_up:?}");
            assert_eq!(bench.queue.fire_due().await.expect("fire"), 0, "{catch_up:?}");
            assert_eq!(bench.claim(9).await.len(), expected, "{catch_up:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_schedule_does_not_pile_up_behind_a_job_that_still_runs() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let due = put(&bench, every_six_hours(&bench, CatchUp::Coalesce)).await.expect("put");
        bench.clock.advance(due.since(bench.clock_in(Duration::ZERO)));
        assert_eq!(bench.queue.fire_due().await.expect("fire"), 1);
        bench.claim_one().await;
        bench.clock.advance(Duration::from_hours(6));
        assert_eq!(bench.queue.fire_due().await.expect("fire"), 0);
        assert_eq!(bench.queue.unfinished().await.expect("count"), 1);
    })
    .await;
}

#[tokio::test]
async fn putting_a_schedule_again_keeps_its_place_and_removing_ends_it() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let first = put(&bench, every_six_hours(&bench, CatchUp::Coalesce)).await.expect("put");
        bench.clock.advance(Duration::from_hours(7));
        let again = put(&bench, every_six_hours(&bench, CatchUp::Coalesce)).await.expect("put");
        assert_eq!(first, again);
        let hourly =
            NewSchedule { cron: "0 * * * *".to_owned(), ..every_six_hours(&bench, CatchUp::Coalesce) };
        assert!(put(&bench, hourly).await.expect("put") > bench.clock_in(Duration::ZERO));
        let bad = NewSchedule { cron: "often".to_owned(), ..every_six_hours(&bench, CatchUp::Coalesce) };
        assert!(matches!(put(&bench, bad).await, Err(PutScheduleError::Invalid(_))));

        let (queue, id) = (bench.queue.clone(), format!("stream:{}", bench.tenant));
        let removed = bench
            .queue
            .database()
            .write(bench.tenant, move |tx| Box::pin(async move { queue.remove_schedule(tx, &id).await }))
            .await;
        assert!(removed.expect("remove"));
        bench.clock.advance(Duration::from_days(2));
        assert_eq!(bench.queue.fire_due().await.expect("fire"), 0);
    })
    .await;
}

#[tokio::test]
async fn jitter_is_always_the_same_for_one_schedule() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let schedule =
            NewSchedule { jitter: Duration::from_minutes(10), ..every_six_hours(&bench, CatchUp::Coalesce) };
        let due = put(&bench, schedule).await.expect("put");
        let mut offsets = Vec::new();
        for round in 0..2 {
            bench
                .clock
                .advance((due + Duration::from_hours(6 * round)).since(bench.clock_in(Duration::ZERO)));
            assert_eq!(bench.queue.fire_due().await.expect("fire"), 1);
            bench.clock.advance(Duration::from_minutes(10));
            let job = bench.claim_one().await;
            offsets.push(bench.job(job.id).await.run_at - due.0 - Duration::from_hours(6 * round).0);
            bench.queue.settle(&job, Ok(()), RetryPolicy::default()).await.expect("settle").expect("ours");
        }
        assert_eq!(offsets[0], offsets[1]);
        assert!((0..=600_000_000).contains(&offsets[0]));
    })
    .await;
}
