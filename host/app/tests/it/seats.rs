//! Seats among the requests in flight that several processes share through their database.

use std::sync::Arc;

use portolan_app::channels::seats::SharedSeats;
use portolan_connector::rate::{Holder, RateSeats};
use portolan_core::{Duration, ManualClock, SeededRandom};

use crate::support::*;

const HELD: Duration = Duration::from_secs(70);

fn worker(test: &TestDatabase, clock: &ManualClock, seed: u64) -> SharedSeats {
    SharedSeats::new(test.database.clone(), Arc::new(clock.clone()), Arc::new(SeededRandom::new(seed)))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_seats_of_one_account() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let (one, two) = (worker(test, &clock, 1), worker(test, &clock, 2));
        let (harbour, other) = (Holder("harbour".into()), Holder("other".into()));
        let [first, second, third] = [one.ticket(), two.ticket(), two.ticket()];
        assert!(one.sit(&harbour, first, 2, HELD).await && two.sit(&harbour, second, 2, HELD).await);
        assert!(!two.sit(&harbour, third, 2, HELD).await);
        assert!(two.sit(&other, third, 2, HELD).await, "another account has its own");
        one.rise(&harbour, first).await;
        let late = one.ticket();
        assert!(!one.sit(&harbour, late, 2, HELD).await, "the other worker was there before");
        assert!(two.sit(&harbour, third, 2, HELD).await);
        // The second worker dies: its seats are free when their time is over.
        clock.advance(HELD);
        assert!(one.sit(&harbour, late, 2, HELD).await && one.sit(&harbour, one.ticket(), 2, HELD).await);
        assert!(!one.sit(&harbour, one.ticket(), 2, HELD).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_ask_at_the_same_moment_get_no_more_than_there_are() {
    on_both(migrate, async |test| {
        let clock = ManualClock::at(START);
        let asking: Vec<_> = (0..12)
            .map(|number| {
                let one = worker(test, &clock, number);
                tokio::spawn(async move { one.sit(&Holder("harbour".into()), one.ticket(), 5, HELD).await })
            })
            .collect();
        let mut sitting = 0;
        for sits in asking {
            sitting += usize::from(sits.await.expect("no panic"));
        }
        assert_eq!(sitting, 5);
    })
    .await;
}
