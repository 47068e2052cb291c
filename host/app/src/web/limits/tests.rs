use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use portolan_core::{Duration, Instant, ManualClock};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Allowances, MOST, RequestLimits, Whose};

fn limits(per_client: u32, per_caller: u32) -> (RequestLimits, ManualClock) {
    let clock = ManualClock::at(Instant(0));
    (RequestLimits::new(Arc::new(clock.clone()), Allowances { per_client, per_caller }), clock)
}

fn address(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(number))
}

#[test]
fn a_client_has_its_allowance_and_gets_one_back_at_a_time() {
    let (limits, clock) = limits(60, 0);
    for left in (0..60).rev() {
        let standing = limits.take_of_client(address(1)).expect("some are left").expect("a limit");
        assert_eq!((standing.left, standing.per_minute), (left, 60));
    }
    let none = limits.take_of_client(address(1)).expect_err("none is left");
    assert_eq!((none.left, none.wait), (0, Duration::from_secs(1)));
    assert!(limits.take_of_client(address(2)).is_ok(), "a neighbour has their own");
    clock.advance(Duration::from_ms(999));
    assert_eq!(limits.take_of_client(address(1)).expect_err("not yet").wait, Duration::from_ms(1));
    clock.advance(Duration::from_ms(1));
    assert!(limits.take_of_client(address(1)).is_ok());
    assert!(limits.take_of_client(address(1)).is_err());
    clock.advance(Duration::from_hours(24));
    let standing = limits.take_of_client(address(1)).expect("rested").expect("a limit");
    assert_eq!(standing.left, 59, "nothing is saved up beyond the whole");
}

#[test]
fn who_turns_out_to_be_known_does_not_spend_what_strangers_have() {
    let (limits, _) = limits(2, 0);
    for _ in 0..10 {
        assert!(limits.take_of_client(address(1)).is_ok());
        limits.give_back_to_client(address(1));
    }
    assert!(limits.take_of_client(address(1)).is_ok());
    assert!(limits.take_of_client(address(1)).is_ok());
    assert!(limits.take_of_client(address(1)).is_err());
}

#[test]
fn without_a_figure_there_is_no_limit() {
    let (limits, _) = limits(0, 0);
    for _ in 0..10_000 {
        assert_eq!(limits.take_of_client(address(1)), Ok(None));
    }
    assert_eq!(limits.kept.lock().expect("lock").full_at.len(), 0);
}

#[test]
fn the_addresses_of_one_subscriber_share_one() {
    let (limits, _) = limits(10, 0);
    let of = |number: u64| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | u128::from(number)));
    for number in 0..10 {
        assert!(limits.take_of_client(of(number)).is_ok());
    }
    assert!(limits.take_of_client(of(77)).is_err());
}

#[test]
fn memory_is_bounded_and_a_flood_of_newcomers_frees_nobody() {
    let (limits, clock) = limits(2, 100);
    let spent = address(7);
    assert!(limits.take_of_client(spent).is_ok() && limits.take_of_client(spent).is_ok());
    for number in 0..u32::try_from(MOST + 10_000).expect("small") {
        let _most_of_them = limits.take_of_client(address(0x0a00_0000 + number));
    }
    let kept = || limits.kept.lock().expect("lock").full_at.len();
    assert!(kept() <= MOST + 2, "{}", kept());
    assert!(limits.take_of_client(spent).is_err(), "what they spent is known still");
    assert!(limits.take_of_client(address(1)).is_err(), "newcomers share one, and it is spent");
    assert!(limits.take(Whose::Caller(Uuid::nil())).is_ok(), "who is known is none of them");
    clock.advance(Duration::from_minutes(1));
    assert!(limits.take_of_client(address(1)).is_ok());
    assert!(kept() <= 3, "what is full is forgotten: {}", kept());
}

proptest! {
    /// Within any span no more than the whole at once and what it refills with.
    #[test]
    fn no_span_has_more_than_the_allowance(
        per_minute in 1_u32..50,
        pauses_ms in vec(0_i64..4_000, 1..300),
    ) {
        let (limits, clock) = limits(per_minute, 0);
        let (mut now_ms, mut admitted) = (0, Vec::new());
        for pause_ms in pauses_ms {
            clock.advance(Duration::from_ms(pause_ms));
            now_ms += pause_ms;
            if limits.take_of_client(address(1)).is_ok() {
                admitted.push(now_ms);
            }
        }
        for (first, from) in admitted.iter().enumerate() {
            for (last, until) in admitted.iter().enumerate().skip(first) {
                // One more for what a microsecond's fraction of each refill adds up to.
                let refilled = (until - from) * i64::from(per_minute) / 60_000 + 1;
                let most = i64::from(per_minute) + refilled;
                prop_assert!(i64::try_from(last - first + 1).expect("small") <= most);
            }
        }
    }

    /// Whoever waits as long as they are told is let in.
    #[test]
    fn waiting_as_told_is_enough(per_minute in 1_u32..500, burst in 1_usize..600) {
        let (limits, clock) = limits(per_minute, 0);
        for _ in 0..burst {
            if let Err(none) = limits.take_of_client(address(1)) {
                prop_assert!(none.wait.0 > 0);
                clock.advance(none.wait);
                prop_assert!(limits.take_of_client(address(1)).is_ok());
            }
        }
    }
}
