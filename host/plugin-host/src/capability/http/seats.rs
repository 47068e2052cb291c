//! How many requests of one quota holder are in flight at once, over all calls of this process.
//!
//! A request sits from before it is sent until its answer is read. Who finds no seat waits a moment; then nothing
//! is sent and the slice is parked, so that no guest sleeps while it holds memory and a place in the sandbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portolan_connector::rate::Holder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Holders that are remembered; beyond it those go of whom nothing is in flight.
const MOST_HOLDERS: usize = 1_000;

/// Whose seats, and how many: a build that declares another number has its own.
type Key = (Holder, u32);

/// The seats of the process.
#[derive(Default)]
pub struct Seats {
    known: Mutex<HashMap<Key, Arc<Semaphore>>>,
}

/// Given back when it is dropped, however the request ended.
pub struct Seat {
    _permit: OwnedSemaphorePermit,
}

impl Seats {
    /// Takes a seat, waiting for so long at most; those who wait are served in their order.
    pub async fn take(&self, holder: &Holder, most: u32, wait: Duration) -> Option<Seat> {
        let waiting = self.of(holder, most).acquire_owned();
        let permit = tokio::time::timeout(wait, waiting).await.ok()?.ok()?;
        Some(Seat { _permit: permit })
    }

    fn of(&self, holder: &Holder, most: u32) -> Arc<Semaphore> {
        let key = (holder.clone(), most);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_HOLDERS && !known.contains_key(&key) {
            // Whoever sits or waits holds the seats, too.
            known.retain(|_, seats| Arc::strong_count(seats) > 1);
        }
        let seats = || Arc::new(Semaphore::new(usize::try_from(most.max(1)).unwrap_or(1)));
        known.entry(key).or_insert_with(seats).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_AT_ALL: Duration = Duration::ZERO;

    fn holder(name: &str) -> Holder {
        Holder(Arc::from(name))
    }

    #[tokio::test]
    async fn there_are_so_many_seats_and_each_is_given_back() {
        let seats = Seats::default();
        let first = seats.take(&holder("a"), 2, NOT_AT_ALL).await.expect("a seat");
        let second = seats.take(&holder("a"), 2, NOT_AT_ALL).await.expect("a seat");
        assert!(seats.take(&holder("a"), 2, NOT_AT_ALL).await.is_none());
        assert!(seats.take(&holder("b"), 2, NOT_AT_ALL).await.is_some(), "another has its own");
        drop(first);
        let third = seats.take(&holder("a"), 2, NOT_AT_ALL).await.expect("the one that was given back");
        assert!(seats.take(&holder("a"), 2, NOT_AT_ALL).await.is_none());
        drop((second, third));
        assert!(seats.take(&holder("a"), 2, NOT_AT_ALL).await.is_some());
    }

    #[tokio::test]
    async fn who_waits_is_served_when_a_seat_is_given_back() {
        let seats = Arc::new(Seats::default());
        let taken = seats.take(&holder("a"), 1, NOT_AT_ALL).await.expect("a seat");
        let asking = seats.clone();
        let waiting = tokio::spawn(async move { asking.take(&holder("a"), 1, Duration::from_mins(1)).await });
        tokio::task::yield_now().await;
        drop(taken);
        assert!(waiting.await.expect("no panic").is_some());
    }

    #[tokio::test]
    async fn idle_holders_are_forgotten_and_busy_ones_are_not() {
        let seats = Seats::default();
        let busy = seats.take(&holder("busy"), 1, NOT_AT_ALL).await.expect("a seat");
        for number in 0..3 * MOST_HOLDERS {
            assert!(seats.take(&holder(&number.to_string()), 1, NOT_AT_ALL).await.is_some());
        }
        let remembered = seats.known.lock().expect("no panic").len();
        assert!(remembered <= MOST_HOLDERS, "{remembered}");
        assert!(seats.take(&holder("busy"), 1, NOT_AT_ALL).await.is_none());
        drop(busy);
    }
}
