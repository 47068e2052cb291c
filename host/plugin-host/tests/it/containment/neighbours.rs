//! While one misbehaves, others are answered; whatever happens to a call, its place is given back.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use portolan_core::{Clock, SystemClock};

use crate::support::{Sandbox, behaving, limit_of, options};

const CALLS: usize = 60;

async fn latencies_us(sandbox: &Sandbox) -> Vec<i64> {
    let mut measured = Vec::new();
    for _ in 0..CALLS {
        let start = SystemClock.monotonic();
        assert_eq!(sandbox.fetched_text(behaving("echo", "well")).await, "well");
        measured.push(SystemClock.monotonic().0 - start.0);
    }
    measured.sort_unstable();
    measured
}

/// The bound is wide, for a loaded machine: that a neighbour waits for a hostile call to end (half a second)
/// is what it would catch. `cargo xtask bench containment` measures the ratio.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_is_answered_while_one_loops() {
    let sandbox = Arc::new(Sandbox::new().await);
    let alone = latencies_us(&sandbox).await;
    let looping = sandbox.clone();
    let offender = tokio::spawn(async move {
        loop {
            assert_eq!(limit_of(looping.fetch(behaving("loop", "")).await), "cpu");
        }
    });
    let beside = latencies_us(&sandbox).await;
    offender.abort();
    let (p50, p95) = (beside[CALLS / 2], beside[CALLS * 95 / 100]);
    let quiet = alone[CALLS * 95 / 100];
    assert!(p50 < 2 * quiet + 100_000, "half of the calls took {p50} µs and more, alone {quiet} µs");
    assert!(p95 < 2 * quiet + 400_000, "one call in twenty took {p95} µs and more, alone {quiet} µs");
}

/// More calls than there are places, all of them hostile: each is ended, and an honest one gets its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_are_all_ended() {
    let sandbox = Arc::new(Sandbox::new().await);
    let ways = ["trap", "memory", "huge-token", "exit", "recursion"];
    let calls = (0..200).map(|number| {
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            let behaviour = ways[number % ways.len()];
            limit_of(sandbox.fetch(behaving(behaviour, "")).await)
        })
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!(sandbox.fetched_text(behaving("echo", "between")).await, "between");
    for (number, call) in calls.into_iter().enumerate() {
        let limit = call.await.expect("the host does not panic");
        assert!(["trap", "memory", "output"].contains(&limit.as_str()), "{number}: {limit}");
    }
    assert_eq!(sandbox.fetched_text(behaving("echo", "after")).await, "after");
}

/// However many calls of one plugin hang, another plugin finds a place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_takes_every_place_leaves_some_to_others() {
    use portolan_connector::PluginRuntime;
    let mut options = options();
    options.limits.concurrent_calls = 4;
    let sandbox = Arc::new(Sandbox::with(options).await);
    let other = sandbox.runtime.install(crate::support::full_component()).await.expect("it installs").plugin;
    let hanging: Vec<_> = (0..16)
        .map(|_| {
            let sandbox = sandbox.clone();
            tokio::spawn(async move { sandbox.fetch(behaving("sleep", "")).await })
        })
        .collect();
    // All of them have begun or wait before the other one asks.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let answer = tokio::time::timeout(Duration::from_secs(15), sandbox.runtime.instantiate(&other)).await;
    answer.expect("the other plugin finds a place").expect("it starts");
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

/// A call's future may be dropped at any of its awaits: the client went away, a run was cancelled.
#[tokio::test]
async fn a_call_that_is_dropped_half_way_leaves_nothing_behind() {
    let mut options = options();
    options.limits.concurrent_calls = 2;
    let sandbox = Sandbox::with(options).await;
    for behaviour in ["loop", "sleep", "short-sleeps", "memory", "calls", "trap"] {
        for turns in 0..12 {
            let mut call = Box::pin(sandbox.fetch(behaving(behaviour, "")));
            for _ in 0..turns {
                // A waker that does nothing: each turn is one await further, whatever it waited for.
                if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(call);
        }
        let after =
            tokio::time::timeout(Duration::from_secs(20), sandbox.fetched_text(behaving("echo", "after")));
        assert_eq!(after.await.expect("its places were given back"), "after", "{behaviour}");
    }
}
