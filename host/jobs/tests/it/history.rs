//! Whatever happens to jobs and their workers, no job is lost and none ends twice.

use std::collections::{BTreeMap, BTreeSet};

use portolan_core::{Duration, JobId};
use portolan_db::entity::job::JobState;
use portolan_db::testing::TestDatabase;
use portolan_jobs::{ClaimedJob, JobError, Lane, NewJob, RetryPolicy, Settled};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::{Bench, migrate};

#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        lane: u8,
    },
    Claim {
        limit: usize,
    },
    /// Ends one of the claims made so far, whether or not it is still held.
    Settle {
        pick: usize,
        how: How,
    },
    Heartbeat {
        pick: usize,
    },
    Advance {
        secs: i64,
    },
    Reap,
    Audit,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Done,
    Retry,
    Fail,
    Snooze,
    RateLimited,
    Release,
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop_oneof![
        4 => Just(How::Done), 2 => Just(How::Retry), 1 => Just(How::Fail), 1 => Just(How::Snooze),
        1 => Just(How::RateLimited), 1 => Just(How::Release),
    ];
    prop_oneof![
        3 => (0_u8..3).prop_map(|lane| Step::Enqueue { lane }),
        4 => (1_usize..5).prop_map(|limit| Step::Claim { limit }),
        6 => (any::<usize>(), how).prop_map(|(pick, how)| Step::Settle { pick, how }),
        1 => any::<usize>().prop_map(|pick| Step::Heartbeat { pick }),
        3 => (1_i64..50).prop_map(|secs| Step::Advance { secs }),
        2 => Just(Step::Reap),
        1 => Just(Step::Audit),
    ]
}

/// What must be true, kept beside the real queue.
#[derive(Default)]
struct Ledger {
    enqueued: BTreeSet<JobId>,
    claims: Vec<ClaimedJob>,
    /// The token of the newest claim of each job.
    newest: BTreeMap<JobId, i64>,
    ended: BTreeMap<JobId, Settled>,
}

impl Ledger {
    fn claimed(&mut self, jobs: Vec<ClaimedJob>) {
        for job in jobs {
            assert!(self.enqueued.contains(&job.id), "a job that nobody asked for");
            assert!(!self.ended.contains_key(&job.id), "an ended job runs again");
            let before = self.newest.insert(job.id, job.lease_token);
            assert!(before.is_none_or(|before| before < job.lease_token), "tokens must grow");
            self.claims.push(job);
        }
    }

    fn settled(&mut self, job: &ClaimedJob, settled: Settled) {
        assert_eq!(self.newest[&job.id], job.lease_token, "a stale claim ended a job");
        if !matches!(settled, Settled::Ready { .. }) {
            let before = self.ended.insert(job.id, settled);
            assert_eq!(before, None, "a job ended twice");
        }
    }
}

async fn play(test: &TestDatabase, steps: Vec<Step>) {
    let bench = Bench::new(test);
    let mut ledger = Ledger::default();
    for step in steps {
        match step {
            Step::Enqueue { lane } => {
                let lane = Lane::tenant(bench.tenant, &lane.to_string(), i32::from(lane) + 1);
                let job = NewJob { max_attempts: 3, ..NewJob::new("test", lane, json!({})) };
                ledger.enqueued.insert(bench.enqueue(job).await.expect("enqueue").id);
            }
            Step::Claim { limit } => ledger.claimed(bench.claim(limit).await),
            Step::Settle { pick, how } if !ledger.claims.is_empty() => {
                let job = ledger.claims[pick % ledger.claims.len()].clone();
                settle(&bench, &mut ledger, &job, how).await;
            }
            Step::Heartbeat { pick } if !ledger.claims.is_empty() => {
                let job = &ledger.claims[pick % ledger.claims.len()];
                if bench.queue.heartbeat(job).await.expect("heartbeat").is_ok() {
                    assert_eq!(ledger.newest[&job.id], job.lease_token, "a stale claim lives on");
                }
            }
            Step::Advance { secs } => bench.advance_secs(secs),
            Step::Reap => {
                bench.queue.reap().await.expect("reap");
            }
            Step::Audit => assert_eq!(bench.queue.audit_lanes().await.expect("audit"), 0, "a lane miscounts"),
            Step::Settle { .. } | Step::Heartbeat { .. } => {}
        }
        note_poisoned(&bench, &mut ledger).await;
    }
    drain(&bench, &mut ledger).await;
}

/// Jobs that the reaper has given up on have ended, too.
async fn note_poisoned(bench: &Bench, ledger: &mut Ledger) {
    for id in ledger.enqueued.clone() {
        if !ledger.ended.contains_key(&id) && bench.job(id).await.state == JobState::Dead {
            ledger.ended.insert(id, Settled::Dead);
        }
    }
}

async fn settle(bench: &Bench, ledger: &mut Ledger, job: &ClaimedJob, how: How) {
    let result = match how {
        How::Done => Ok(()),
        How::Retry => Err(JobError::retry("reset")),
        How::Fail => Err(JobError::fail("no")),
        How::Snooze => Err(JobError::snooze(Duration::from_secs(3))),
        How::RateLimited => Err(JobError::rate_limited(Duration::from_secs(7), "429")),
        How::Release => {
            if let Ok(settled) = bench.queue.release(job).await.expect("release") {
                ledger.settled(job, settled);
            }
            return;
        }
    };
    if let Ok(settled) = bench.queue.settle(job, result, RetryPolicy::default()).await.expect("settle") {
        ledger.settled(job, settled);
    }
}

/// A healthy worker comes: everything that is left ends.
async fn drain(bench: &Bench, ledger: &mut Ledger) {
    for _ in 0..100 {
        bench.clock.advance(Duration::from_minutes(10));
        bench.queue.reap().await.expect("reap");
        note_poisoned(bench, ledger).await;
        let claimed = bench.claim(100).await;
        ledger.claimed(claimed.clone());
        for job in claimed {
            settle(bench, ledger, &job, How::Done).await;
        }
        if ledger.ended.len() == ledger.enqueued.len() {
            break;
        }
    }
    assert_eq!(ledger.ended.len(), ledger.enqueued.len(), "a job is lost");
    assert_eq!(bench.queue.audit_lanes().await.expect("audit"), 0, "a lane miscounts at the end");
}

fn histories(cases: u32, test: &TestDatabase, runtime: &tokio::runtime::Runtime) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let strategy = prop::collection::vec(step(), 1..60);
    TestRunner::new(config)
        .run(&strategy, |steps| {
            runtime.block_on(play(test, steps));
            Ok(())
        })
        .expect("every history keeps every job");
}

#[test]
fn no_history_loses_a_job_or_ends_it_twice() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let sqlite = runtime.block_on(TestDatabase::sqlite(migrate));
    histories(40, &sqlite, &runtime);
    runtime.block_on(sqlite.discard());
    match runtime.block_on(TestDatabase::postgres(migrate)) {
        Some(postgres) => {
            histories(15, &postgres, &runtime);
            runtime.block_on(postgres.discard());
        }
        None => portolan_db::testing::say_skipped(),
    }
}
