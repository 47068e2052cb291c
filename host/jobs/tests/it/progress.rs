//! Failures and crashes count in a row: progress forgives those before it, and nothing else does.

use portolan_core::Duration;
use portolan_db::entity::job::JobState;
use portolan_db::testing::TestDatabase;
use portolan_jobs::{ClaimedJob, JobError, LONGEST_PATIENCE, NewJob, RetryPolicy, Settled};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::{Bench, Effect, migrate, on_both};

const MAX_ATTEMPTS: i32 = 4;
const MAX_CRASHES: i32 = 3;

#[derive(Debug, Clone, Copy)]
enum Step {
    Claim,
    Write(Effect),
    /// The job's code says that it failed for now, and how long it shall rest at least.
    Transient {
        after_secs: Option<i64>,
    },
    /// The worker vanishes.
    Crash,
    /// The channel asks for patience.
    RateLimited,
    /// The worker stops.
    Release,
    Success,
    /// A worker that lost the job long ago wakes up.
    Stale {
        pick: usize,
        effect: Effect,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let after_secs = prop_oneof![3 => Just(None), 1 => (0_i64..200_000).prop_map(Some)];
    let effect = prop_oneof![Just(Effect::Progress), Just(Effect::Note)];
    prop_oneof![
        10 => Just(Step::Claim),
        2 => Just(Step::Write(Effect::Progress)),
        3 => Just(Step::Write(Effect::Note)),
        5 => after_secs.prop_map(|after_secs| Step::Transient { after_secs }),
        4 => Just(Step::Crash),
        1 => Just(Step::RateLimited),
        1 => Just(Step::Release),
        1 => Just(Step::Success),
        3 => (any::<usize>(), effect).prop_map(|(pick, effect)| Step::Stale { pick, effect }),
    ]
}

/// One job as it should be.
#[derive(Default)]
struct Model {
    /// The claim that holds it.
    held: Option<ClaimedJob>,
    /// Claims that have ended.
    stale: Vec<ClaimedJob>,
    token: i64,
    failures: i32,
    crashes: i32,
    /// Claims that failed or crashed since the last progress.
    fruitless: i32,
    ended: Option<JobState>,
    written: u64,
}

impl Model {
    fn end_claim(&mut self) {
        self.stale.extend(self.held.take());
    }

    fn fail(&mut self) {
        self.failures += 1;
        self.fruitless += 1;
        self.ended = (self.failures == MAX_ATTEMPTS).then_some(JobState::Dead);
        self.end_claim();
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.fruitless += 1;
        self.ended = (self.crashes == MAX_CRASHES).then_some(JobState::Dead);
        self.end_claim();
    }

    fn write(&mut self, effect: Effect) {
        self.written += 1;
        if effect == Effect::Progress {
            (self.failures, self.crashes, self.fruitless) = (0, 0, 0);
        }
    }
}

async fn play(test: &TestDatabase, steps: Vec<Step>) {
    let bench = Bench::new(test);
    bench.forget_everything().await;
    let job = NewJob { max_attempts: MAX_ATTEMPTS, ..NewJob::new("test", bench.lane(1), json!({})) };
    let id = bench.enqueue(job).await.expect("enqueue").id;
    let mut model = Model::default();
    for step in steps {
        take(&bench, &mut model, step).await;
        let job = bench.job(id).await;
        let expected = match (model.ended, &model.held) {
            (Some(ended), _) => ended,
            (None, Some(_)) => JobState::Running,
            (None, None) => JobState::Ready,
        };
        assert_eq!(job.state, expected);
        assert_eq!((job.lease_token, job.crash_count), (model.token, model.crashes));
        assert_eq!(bench.notes().await, model.written, "a write came from nowhere or was lost");
        assert!(model.fruitless < MAX_ATTEMPTS + MAX_CRASHES, "it is tried without end");
        assert!(model.fruitless > 0 || model.ended != Some(JobState::Dead), "it got on and was ended");
    }
}

async fn take(bench: &Bench, model: &mut Model, step: Step) {
    match (step, model.held.clone()) {
        (Step::Claim, None) => {
            bench.clock.advance(Duration::from_hours(27));
            let claimed = bench.claim(1).await;
            assert_eq!(claimed.len(), usize::from(model.ended.is_none()));
            for job in claimed {
                assert!(job.lease_token > model.token, "tokens must grow");
                assert_eq!(job.attempt, model.failures + 1);
                model.token = job.lease_token;
                model.held = Some(job);
            }
        }
        (Step::Write(effect), Some(job)) => {
            bench.write(&job, effect).await.expect("its job");
            model.write(effect);
        }
        (Step::Transient { after_secs }, Some(job)) => {
            let after = after_secs.map(Duration::from_secs);
            let error = JobError::Retry { after, message: "busy".to_owned() };
            let settled = settle(bench, &job, Err(error)).await;
            model.fail();
            match settled {
                Settled::Ready { run_at } => {
                    assert_eq!(model.ended, None);
                    let rest = run_at.since(bench.clock_in(Duration::ZERO));
                    assert!(rest >= after.unwrap_or_default().min(LONGEST_PATIENCE), "{rest:?} of {after:?}");
                }
                settled => assert_eq!((settled, model.ended), (Settled::Dead, Some(JobState::Dead))),
            }
        }
        (Step::Crash, Some(_)) => {
            bench.advance_secs(40);
            assert_eq!(bench.queue.reap().await.expect("reap"), 1);
            model.crash();
        }
        (Step::RateLimited, Some(job)) => {
            let error = JobError::rate_limited(Duration::from_days(400), "slow down");
            let settled = settle(bench, &job, Err(error)).await;
            assert_eq!(settled, Settled::Ready { run_at: bench.clock_in(LONGEST_PATIENCE) });
            model.end_claim();
        }
        (Step::Release, Some(job)) => {
            bench.queue.release(&job).await.expect("release").expect("ours");
            model.end_claim();
        }
        (Step::Success, Some(job)) => {
            assert_eq!(settle(bench, &job, Ok(())).await, Settled::Done);
            model.ended = Some(JobState::Done);
            model.end_claim();
        }
        (Step::Stale { pick, effect }, _) if !model.stale.is_empty() => {
            let stale = &model.stale[pick % model.stale.len()];
            assert!(matches!(bench.write(stale, effect).await, Err(JobError::LeaseLost(_))));
            assert!(bench.queue.heartbeat(stale).await.expect("heartbeat").is_err());
            for result in [Ok(()), Err(JobError::retry("late")), Err(JobError::fail("late"))] {
                let settled = bench.queue.settle(stale, result, RetryPolicy::default()).await;
                assert!(settled.expect("settle").is_err(), "a stale claim ended the job");
            }
        }
        _ => {}
    }
}

async fn settle(bench: &Bench, job: &ClaimedJob, result: Result<(), JobError>) -> Settled {
    let settled = bench.queue.settle(job, result, RetryPolicy::default()).await;
    settled.expect("settle").expect("ours")
}

fn histories(cases: u32, test: &TestDatabase, runtime: &tokio::runtime::Runtime) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..60), |steps| {
            runtime.block_on(play(test, steps));
            Ok(())
        })
        .expect("every history is as it should be");
}

#[test]
fn a_job_ends_when_it_gets_nowhere_and_never_while_it_gets_on() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let sqlite = runtime.block_on(TestDatabase::sqlite(migrate));
    histories(60, &sqlite, &runtime);
    runtime.block_on(sqlite.discard());
    match runtime.block_on(TestDatabase::postgres(migrate)) {
        Some(postgres) => {
            histories(25, &postgres, &runtime);
            runtime.block_on(postgres.discard());
        }
        None => portolan_db::testing::say_skipped(),
    }
}

#[tokio::test]
async fn unrelated_faults_do_not_add_up_over_a_long_life() {
    on_both(migrate, async |test| {
        let bench = Bench::new(test);
        let id = bench.enqueue_many(1, &bench.lane(1)).await[0];
        for _ in 0..40 {
            let job = bench.claim_one().await;
            assert!(job.attempt <= 2, "{}", job.attempt);
            bench.write(&job, Effect::Progress).await.expect("its job");
            settle(&bench, &job, Err(JobError::retry("busy"))).await;
            bench.clock.advance(Duration::from_hours(1));
        }
        assert_eq!(bench.job(id).await.state, JobState::Ready);
    })
    .await;
}
