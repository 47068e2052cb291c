//! How many requests of one quota holder are in flight at once: over all calls of this process, and over all processes
//! where they share their quotas.
//!
//! A request sits from before it is sent until its answer is read. Who finds no seat waits a moment; then nothing
//! is sent and the slice is parked, so that no guest sleeps while it holds memory and a place in the sandbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portolan_connector::rate::{Holder, RateSeats, Ticket};
use portolan_core::Duration as Span;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Holders that are remembered; beyond it those go of whom nothing is in flight.
const MOST_HOLDERS: usize = 1_000;
/// How soon a seat is asked for again that other processes have taken.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// For how much longer than its request a seat is held for a process that has died.
const GRACE: Duration = Duration::from_secs(10);

/// Whose seats, and how many: a build that declares another number has its own.
type Key = (Holder, u32);

/// The seats of the process.
pub struct Seats {
    known: Mutex<HashMap<Key, Arc<Semaphore>>>,
    /// Those that all processes have together.
    shared: Option<Arc<dyn RateSeats>>,
}

/// Given back when it is dropped, however the request ended.
pub struct Seat {
    permit: Option<OwnedSemaphorePermit>,
    shared: Option<SharedSeat>,
}

/// A seat among those of all processes, or a place in their queue.
struct SharedSeat {
    seats: Arc<dyn RateSeats>,
    holder: Holder,
    ticket: Ticket,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Where nothing runs any more the seat comes back when its time is over.
        let (Some(shared), Ok(running)) = (self.shared.take(), Handle::try_current()) else { return };
        let permit = self.permit.take();
        running.spawn(async move {
            shared.seats.rise(&shared.holder, shared.ticket).await;
            // Whoever is next in this process asks the others once this one's seat is back.
            drop(permit);
        });
    }
}

impl Seats {
    pub fn new(shared: Option<Arc<dyn RateSeats>>) -> Self {
        Self { known: Mutex::default(), shared }
    }

    /// Takes a seat for a request of at most this time. Waits for the others of this process for so long, and for other
    /// processes as long again; those who wait are served in their order.
    pub async fn take(&self, holder: &Holder, most: u32, wait: Duration, time: Duration) -> Option<Seat> {
        let waiting = self.of(holder, most).acquire_owned();
        let permit = tokio::time::timeout(wait, waiting).await.ok()?.ok()?;
        let seat = Seat { permit: Some(permit), shared: None };
        match &self.shared {
            Some(seats) => share(seat, seats, holder, most, wait, time).await,
            None => Some(seat),
        }
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

/// Takes one of all processes' seats, too. Where there is none, both are given back.
async fn share(
    mut seat: Seat,
    seats: &Arc<dyn RateSeats>,
    holder: &Holder,
    most: u32,
    wait: Duration,
    time: Duration,
) -> Option<Seat> {
    let held = Span::from_ms(i64::try_from((time + GRACE).as_millis()).unwrap_or(i64::MAX / 1_000));
    let ticket = seats.ticket();
    seat.shared = Some(SharedSeat { seats: seats.clone(), holder: holder.clone(), ticket });
    let mut left = wait;
    while !seats.sit(holder, ticket, most.max(1), held).await {
        if left.is_zero() {
            return None;
        }
        let pause = ASK_AGAIN.min(left);
        tokio::time::sleep(pause).await;
        left -= pause;
    }
    Some(seat)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use portolan_connector::rate::Seating;
    use portolan_core::Instant;

    use super::*;

    const NOT_AT_ALL: Duration = Duration::ZERO;
    const TIME: Duration = Duration::from_mins(1);

    fn holder(name: &str) -> Holder {
        Holder(Arc::from(name))
    }

    #[tokio::test]
    async fn there_are_so_many_seats_and_each_is_given_back() {
        let seats = Seats::new(None);
        let first = seats.take(&holder("a"), 2, NOT_AT_ALL, TIME).await.expect("a seat");
        let second = seats.take(&holder("a"), 2, NOT_AT_ALL, TIME).await.expect("a seat");
        assert!(seats.take(&holder("a"), 2, NOT_AT_ALL, TIME).await.is_none());
        assert!(seats.take(&holder("b"), 2, NOT_AT_ALL, TIME).await.is_some(), "another has its own");
        drop(first);
        let third = seats.take(&holder("a"), 2, NOT_AT_ALL, TIME).await.expect("the one that was given back");
        assert!(seats.take(&holder("a"), 2, NOT_AT_ALL, TIME).await.is_none());
        drop((second, third));
        assert!(seats.take(&holder("a"), 2, NOT_AT_ALL, TIME).await.is_some());
    }

    #[tokio::test]
    async fn who_waits_is_served_when_a_seat_is_given_back() {
        let seats = Arc::new(Seats::new(None));
        let taken = seats.take(&holder("a"), 1, NOT_AT_ALL, TIME).await.expect("a seat");
        let asking = seats.clone();
        let waiting =
            tokio::spawn(async move { asking.take(&holder("a"), 1, Duration::from_mins(1), TIME).await });
        tokio::task::yield_now().await;
        drop(taken);
        assert!(waiting.await.expect("no panic").is_some());
    }

    #[tokio::test]
    async fn idle_holders_are_forgotten_and_busy_ones_are_not() {
        let seats = Seats::new(None);
        let busy = seats.take(&holder("busy"), 1, NOT_AT_ALL, TIME).await.expect("a seat");
        for number in 0..3 * MOST_HOLDERS {
            assert!(seats.take(&holder(&number.to_string()), 1, NOT_AT_ALL, TIME).await.is_some());
        }
        let remembered = seats.known.lock().expect("no panic").len();
        assert!(remembered <= MOST_HOLDERS, "{remembered}");
        assert!(seats.take(&holder("busy"), 1, NOT_AT_ALL, TIME).await.is_none());
        drop(busy);
    }

    /// Seats that two processes share.
    #[derive(Default)]
    struct Shared {
        seating: Mutex<Seating>,
        tickets: AtomicU64,
    }

    #[async_trait]
    impl RateSeats for Shared {
        fn ticket(&self) -> Ticket {
            Ticket(self.tickets.fetch_add(1, Ordering::Relaxed))
        }

        async fn sit(&self, _: &Holder, ticket: Ticket, most: u32, held: Span) -> bool {
            self.seating.lock().expect("no panic").sit(ticket, most, held, Instant(0))
        }

        async fn rise(&self, _: &Holder, ticket: Ticket) {
            self.seating.lock().expect("no panic").rise(ticket, Instant(0));
        }
    }

    #[tokio::test]
    async fn a_seat_of_all_processes_is_given_back_however_its_request_ends() {
        let shared = Arc::new(Shared::default());
        let [one, two] = [(); 2].map(|()| Seats::new(Some(shared.clone())));
        let seat = one.take(&holder("a"), 1, NOT_AT_ALL, TIME).await.expect("a seat");
        assert!(two.take(&holder("a"), 1, NOT_AT_ALL, TIME).await.is_none(), "the other process has it");
        let long = Duration::from_mins(1);
        let request = tokio::spawn(async move {
            let _seat = seat;
            std::future::pending::<()>().await;
        });
        request.abort();
        assert!(request.await.expect_err("aborted").is_cancelled());
        let seat = two.take(&holder("a"), 1, long, TIME).await.expect("it is given back");
        let panics = tokio::spawn(async move {
            let _seat = seat;
            panic!("a request ends badly");
        });
        assert!(panics.await.expect_err("a panic").is_panic());
        assert!(one.take(&holder("a"), 1, long, TIME).await.is_some());
    }
}
