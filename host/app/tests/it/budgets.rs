//! Rate budgets that several processes share through their database.

use std::sync::Arc;

use portolan_app::channels::budgets::SharedBudgets;
use portolan_connector::rate::{Holder, RateBudgets, RateLimit, Told};
use portolan_core::{Duration, ManualClock, Random, SeededRandom};
use portolan_db::entity::rate_budget;

use crate::support::*;

const LIMIT: RateLimit = RateLimit { capacity: 40.0, refill_per_second: 20.0 };
/// Too little flows in to draw ahead: every request goes to the database.
const SLOW: RateLimit = RateLimit { capacity: 3.0, refill_per_second: 1.0 };

fn worker(test: &TestDatabase, clock: &ManualClock) -> SharedBudgets {
    SharedBudgets::new(test.database.clone(), Arc::new(clock.clone()))
}

fn shop(name: &str) -> Holder {
    Holder(name.into())
}

async fn rows(test: &TestDatabase) -> Vec<rate_budget::Model> {
    let tx = test.database.system_read().await.expect("read");
    tx.find::<rate_budget::Entity>().all(&tx).await.expect("budgets")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_spend_one_quota() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let (one, two) = (worker(test, &clock), worker(test, &clock));
        let harbour = shop("harbour");
        assert_eq!(one.draw(&harbour, SLOW, 2).await, Ok(()));
        assert_eq!(two.draw(&harbour, SLOW, 1).await, Ok(()));
        assert_eq!(one.draw(&harbour, SLOW, 1).await, Err(1_000));
        assert_eq!(two.draw(&harbour, SLOW, 2).await, Err(2_000));
        assert_eq!(two.draw(&shop("another"), SLOW, 3).await, Ok(()), "another shop has its own");
        clock.advance(Duration::from_secs(1));
        assert_eq!(two.draw(&harbour, SLOW, 1).await, Ok(()));
        assert_eq!(one.draw(&harbour, SLOW, 1).await, Err(1_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_channel_tells_one_worker_holds_for_all() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let (one, two) = (worker(test, &clock), worker(test, &clock));
        let harbour = shop("harbour");
        assert_eq!(one.draw(&harbour, SLOW, 1).await, Ok(()));
        one.observe(&harbour, SLOW, Told::Left { remaining: 0, reset_ms: 60_000 });
        assert_eq!(one.draw(&harbour, SLOW, 1).await, Err(60_000));
        assert_eq!(two.draw(&harbour, SLOW, 1).await, Err(60_000));
        clock.advance(Duration::from_secs(60));
        assert_eq!(two.draw(&harbour, SLOW, 1).await, Ok(()));
        two.refused(&harbour, SLOW, Some(90_000)).await;
        assert_eq!(one.draw(&harbour, SLOW, 1).await, Err(90_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_not_asked_for_each_request() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let one = worker(test, &clock);
        let harbour = shop("harbour");
        for ms in 0..10 {
            assert_eq!(one.draw(&harbour, LIMIT, 1).await, Ok(()));
            one.observe(&harbour, LIMIT, Told::Left { remaining: 39 - ms, reset_ms: 0 });
            clock.advance(Duration::from_ms(1));
        }
        assert_eq!(rows(test).await[0].updated_at, START.0, "ten were drawn at once");
        assert_eq!(one.draw(&harbour, LIMIT, 1).await, Ok(()));
        assert_eq!(rows(test).await[0].updated_at, START.0 + 10_000);
        // What was drawn and not spent in time goes back.
        clock.advance(Duration::from_secs(60));
        let two = worker(test, &clock);
        let mut spent = 0;
        while one.draw(&harbour, LIMIT, 1).await.is_ok() || two.draw(&harbour, LIMIT, 1).await.is_ok() {
            spent += 1;
        }
        assert_eq!(spent, 30, "the whole but what one process may hold");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_together_stay_within_the_limit_in_every_window() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let workers = [worker(test, &clock), worker(test, &clock), worker(test, &clock)];
        let (harbour, random) = (shop("harbour"), SeededRandom::new(7));
        let (mut ms, mut drawn): (i64, Vec<(i64, f64)>) = (0, Vec::new());
        for _ in 0..600 {
            let pause = (random.next_u64() % 60) as i64 * i64::from(random.next_u64() % 4 == 0);
            clock.advance(Duration::from_ms(pause));
            ms += pause;
            let cost = 1 + (random.next_u64() % 4) as u32;
            let worker = &workers[(random.next_u64() % 3) as usize];
            if worker.draw(&harbour, LIMIT, cost).await.is_ok() {
                drawn.push((ms, f64::from(cost)));
            }
        }
        for first in 0..drawn.len() {
            let mut sum = 0.0;
            for (at, cost) in &drawn[first..] {
                sum += cost;
                let window_s = (at - drawn[first].0) as f64 / 1_000.0;
                assert!(
                    sum <= LIMIT.capacity + window_s * LIMIT.refill_per_second + 0.1,
                    "{sum} in {window_s} s"
                );
            }
        }
        let whole: f64 = drawn.iter().map(|(_, cost)| cost).sum();
        let allowed = LIMIT.capacity + ms as f64 / 1_000.0 * LIMIT.refill_per_second;
        assert!(whole >= allowed * 0.7, "{whole} of {allowed} were used");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_meet_a_new_holder_at_the_same_moment_make_one_budget() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let drawing: Vec<_> = (0..8)
            .map(|_| {
                let one = worker(test, &clock);
                tokio::spawn(async move { one.draw(&shop("harbour"), SLOW, 1).await })
            })
            .collect();
        let mut served = 0;
        for draw in drawing {
            served += usize::from(draw.await.expect("no panic").is_ok());
        }
        assert_eq!((served, rows(test).await.len()), (3, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_that_nobody_uses_are_forgotten() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let one = worker(test, &clock);
        for number in 0..5 {
            assert_eq!(one.draw(&shop(&number.to_string()), SLOW, 1).await, Ok(()));
        }
        assert_eq!(rows(test).await.len(), 5);
        clock.advance(Duration::from_days(2));
        assert_eq!(one.draw(&shop("new"), SLOW, 1).await, Ok(()));
        assert_eq!(rows(test).await.len(), 1);
    })
    .await;
}
