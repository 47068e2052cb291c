//! Whatever works in one lane at the same moment, nobody waits for each other in a circle.

use std::sync::Arc;

use portolan_core::Duration;
use portolan_db::DbError;
use portolan_db::entity::schedule::CatchUp;
use portolan_db::testing::TestDatabase;
use portolan_jobs::{JobError, NewJob, NewSchedule, PutScheduleError, RetryPolicy};
use serde_json::json;

use crate::support::{Bench, migrate, on_both};

const ROUNDS: usize = 40;

/// Asks for jobs that mostly wait or run already.
async fn enqueue(bench: &Bench, who: usize) -> Result<(), DbError> {
    for round in 0..ROUNDS {
        let key = format!("key-{}", (who + round) % 5);
        bench.enqueue(NewJob::new("test", bench.lane(3), json!({})).unique(key)).await?;
    }
    Ok(())
}

/// Works: some jobs end, some come back, some ask for another.
async fn work(bench: &Bench, who: usize) -> Result<(), JobError> {
    for round in 0..ROUNDS {
        for job in bench.queue.claim(bench.worker, 3).await? {
            let (queue, lane) = (bench.queue.clone(), bench.lane(3));
            let next = NewJob::new("next", lane, json!({})).unique(format!("next-{}", round % 3));
            let written: Result<(), JobError> = bench
                .queue
                .fenced_write(&job, bench.tenant, move |tx| {
                    Box::pin(async move {
                        queue.enqueue(tx, next).await?;
                        Ok(())
                    })
                })
                .await;
            if matches!(written, Err(JobError::LeaseLost(_))) {
                continue;
            }
            written?;
            let result = match (who + round) % 4 {
                0 => Err(JobError::retry("busy")),
                1 => Err(JobError::snooze(Duration::ZERO)),
                _ => Ok(()),
            };
            // It may have been reaped meanwhile: then it is another's to end.
            let _ours = bench.queue.settle(&job, result, RetryPolicy::default()).await?;
        }
        bench.advance_secs(7);
    }
    Ok(())
}

/// Puts the same schedules as everybody else, which fire all the time.
async fn put_schedules(bench: &Bench, rounds: usize) -> Result<(), PutScheduleError> {
    for round in 0..rounds {
        let (queue, tenant, lane) = (bench.queue.clone(), bench.tenant, bench.lane(3));
        let database = bench.queue.database();
        let put = database.write(bench.tenant, move |tx| {
            Box::pin(async move {
                for number in 0..4 {
                    let schedule = NewSchedule {
                        id: format!("stream:{tenant}:{number}"),
                        lane: lane.clone(),
                        kind: "test".to_owned(),
                        payload: json!({}),
                        cron: if round % 2 == 0 { "* * * * *" } else { "*/2 * * * *" }.to_owned(),
                        time_zone: "UTC".to_owned(),
                        jitter: Duration::ZERO,
                        catch_up: CatchUp::All,
                    };
                    queue.put_schedule(tx, schedule).await?;
                }
                Ok::<_, PutScheduleError>(())
            })
        });
        put.await?;
    }
    Ok(())
}

async fn keep_house(bench: &Bench) -> Result<(), DbError> {
    for _ in 0..ROUNDS {
        bench.advance_secs(20);
        bench.queue.fire_due().await?;
        bench.queue.reap().await?;
        bench.queue.audit_lanes().await?;
        bench.queue.forget_ended().await?;
    }
    Ok(())
}

async fn crowd(test: &TestDatabase) {
    let bench = Arc::new(Bench::new(test));
    put_schedules(&bench, 1).await.expect("schedules that are there");
    let mut tasks = Vec::new();
    for who in 0..4 {
        let b = bench.clone();
        tasks.push(tokio::spawn(async move { enqueue(&b, who).await.map_err(|error| error.to_string()) }));
        let b = bench.clone();
        tasks.push(tokio::spawn(async move { work(&b, who).await.map_err(|error| error.to_string()) }));
        let b = bench.clone();
        tasks.push(tokio::spawn(async move {
            put_schedules(&b, ROUNDS).await.map_err(|error| error.to_string())
        }));
        let b = bench.clone();
        tasks.push(tokio::spawn(async move { keep_house(&b).await.map_err(|error| error.to_string()) }));
    }
    for task in tasks {
        assert_eq!(task.await.expect("task"), Ok(()), "nobody was in anybody's way");
    }
    bench.queue.audit_lanes().await.expect("audit");
    assert_eq!(bench.queue.audit_lanes().await.expect("audit"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_in_one_lane_never_waits_in_a_circle() {
    on_both(migrate, crowd).await;
}
