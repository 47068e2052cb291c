//! Who of a quota holder has requests in flight, where several processes share the quota: so many seats, and a queue
//! of those who wait for one.
//!
//! A seat is held for so long and no longer: a process that dies gives nothing back. Whoever waits has to ask again and
//! again, and is forgotten when it no longer does.

use portolan_core::{Duration, Instant};
use serde::{Deserialize, Serialize};

/// Whoever has not asked again for so long waits no more.
const WAITS: Duration = Duration::from_secs(2);
/// The rest of a queue asks again and finds the end of it.
const LONGEST_QUEUE: usize = 1_000;
/// A state from further ahead than this was written by a clock that was wrong.
const SKEW: Duration = Duration::from_secs(10);

/// Names a request among all that ask for a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket(pub u64);

/// The seats of one holder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seating {
    /// The latest moment of those who asked: one clock for all, so that nobody's lags behind it.
    at: Instant,
    sitting: Vec<Place>,
    /// In the order in which they came.
    waiting: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    ticket: Ticket,
    until: Instant,
}

impl Seating {
    /// Whether there is a seat among so many: then it is taken for so long. Who finds none is in the queue.
    pub fn sit(&mut self, ticket: Ticket, most: u32, held: Duration, now: Instant) -> bool {
        let now = self.advance(now);
        if self.sitting.iter().any(|place| place.ticket == ticket) {
            return true;
        }
        let known = self.waiting.iter().position(|place| place.ticket == ticket);
        let before = known.unwrap_or(self.waiting.len());
        if self.sitting.len() + before < most as usize {
            self.waiting.retain(|place| place.ticket != ticket);
            self.sitting.push(Place { ticket, until: now + held });
            return true;
        }
        let place = Place { ticket, until: now + WAITS };
        match known {
            Some(position) => self.waiting[position] = place,
            None if self.waiting.len() < LONGEST_QUEUE => self.waiting.push(place),
            None => {}
        }
        false
    }

    /// Gives a seat back, or leaves the queue.
    pub fn rise(&mut self, ticket: Ticket, now: Instant) {
        self.advance(now);
        self.sitting.retain(|place| place.ticket != ticket);
        self.waiting.retain(|place| place.ticket != ticket);
    }

    /// Brings it up to now; who was to be gone by then, is.
    fn advance(&mut self, now: Instant) -> Instant {
        self.at = if self.at.since(now) > SKEW { now } else { self.at.max(now) };
        let at = self.at;
        self.sitting.retain(|place| place.until > at);
        self.waiting.retain(|place| place.until > at);
        at
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const HELD: Duration = Duration::from_secs(60);

    fn at(ms: i64) -> Instant {
        Instant(0) + Duration::from_ms(ms)
    }

    #[test]
    fn those_who_wait_are_served_in_their_order() {
        let mut seats = Seating::default();
        let sit = |seats: &mut Seating, ticket, ms| seats.sit(Ticket(ticket), 2, HELD, at(ms));
        assert!(
            sit(&mut seats, 1, 0) && sit(&mut seats, 2, 0) && sit(&mut seats, 1, 1),
            "asked twice is one seat"
        );
        assert!(!sit(&mut seats, 3, 2) && !sit(&mut seats, 4, 3));
        seats.rise(Ticket(1), at(4));
        assert!(!sit(&mut seats, 5, 5), "others were there before");
        assert!(!sit(&mut seats, 4, 6));
        assert!(sit(&mut seats, 3, 7));
        seats.rise(Ticket(2), at(8));
        assert!(!sit(&mut seats, 5, 9) && sit(&mut seats, 4, 10));
        // Whoever left the queue, or stopped asking, keeps nobody waiting.
        assert!(!sit(&mut seats, 6, 11));
        seats.rise(Ticket(5), at(12));
        seats.rise(Ticket(3), at(13));
        assert!(!sit(&mut seats, 7, 14));
        assert!(sit(&mut seats, 7, 3_000), "the sixth asked no more");
    }

    #[test]
    fn a_process_that_dies_keeps_its_seat_no_longer_than_it_was_to() {
        let mut seats = Seating::default();
        assert!(seats.sit(Ticket(1), 1, HELD, at(0)));
        assert!(!seats.sit(Ticket(2), 1, HELD, at(59_999)));
        assert!(seats.sit(Ticket(2), 1, HELD, at(60_000)));
    }

    #[test]
    fn clocks_may_differ() {
        let mut seats = Seating::default();
        assert!(seats.sit(Ticket(1), 1, HELD, at(9_000)));
        assert!(!seats.sit(Ticket(2), 1, HELD, at(0)), "nine seconds behind");
        assert!(!seats.sit(Ticket(3), 1, HELD, at(9_100)));
        seats.rise(Ticket(1), at(9_200));
        assert!(!seats.sit(Ticket(3), 1, HELD, at(9_300)), "who lags was there before all the same");
        assert!(seats.sit(Ticket(2), 1, HELD, at(300)));
        // A clock that was hours ahead: what it wrote does not hold for hours.
        let mut seats = Seating::default();
        assert!(seats.sit(Ticket(1), 1, HELD, at(7_200_000)));
        seats.rise(Ticket(1), at(7_200_000));
        assert!(seats.sit(Ticket(2), 1, HELD, at(0)) && !seats.sit(Ticket(3), 1, HELD, at(1)));
        assert!(seats.sit(Ticket(3), 1, HELD, at(60_001)));
    }

    proptest! {
        #[test]
        fn never_more_sit_than_there_are_seats_and_a_free_one_is_found(
            most in 1_u32..5, steps in proptest::collection::vec((0_u64..8, 0_i64..700, any::<bool>()), 1..200)
        ) {
            let (mut seats, mut now_ms) = (Seating::default(), 0);
            let mut sitting: BTreeMap<u64, i64> = BTreeMap::new();
            for (ticket, pause_ms, rises) in steps {
                now_ms += pause_ms;
                sitting.retain(|_, until_ms| *until_ms > now_ms);
                if rises {
                    seats.rise(Ticket(ticket), at(now_ms));
                    sitting.remove(&ticket);
                } else if seats.sit(Ticket(ticket), most, HELD, at(now_ms)) {
                    sitting.entry(ticket).or_insert(now_ms + HELD.as_ms());
                }
                prop_assert!(sitting.len() <= most as usize, "{:?}", sitting);
            }
            // Once all others are gone or have stopped asking, whoever comes finds a seat.
            sitting.keys().for_each(|ticket| seats.rise(Ticket(*ticket), at(now_ms)));
            prop_assert!(seats.sit(Ticket(99), most, HELD, at(now_ms + 2_001)));
        }
    }
}
