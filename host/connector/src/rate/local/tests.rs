use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use portolan_core::{Duration, Instant, ManualClock};

use super::{LocalBudgets, MOST_HOLDERS};
use crate::rate::{Holder, RateBudgets, RateLimit, Told};

const LIMIT: RateLimit = RateLimit { capacity: 10.0, refill_per_second: 2.0 };

/// Nothing here ever waits: one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match Box::pin(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the budgets of a process wait for nothing"),
    }
}

fn holder(name: impl ToString) -> Holder {
    Holder(name.to_string().into())
}

#[test]
fn holders_have_budgets_of_their_own() {
    let clock = ManualClock::at(Instant(0));
    let budgets = LocalBudgets::new(Arc::new(clock.clone()));
    assert_eq!(now(budgets.draw(&holder("a"), LIMIT, 10)), Ok(()));
    assert_eq!(now(budgets.draw(&holder("a"), LIMIT, 1)), Err(500));
    assert_eq!(now(budgets.draw(&holder("b"), LIMIT, 1)), Ok(()));
    budgets.observe(&holder("a"), LIMIT, Told::Left { remaining: 5, reset_ms: 0 });
    assert_eq!(now(budgets.draw(&holder("a"), LIMIT, 5)), Ok(()), "what one is told counts for all");
    now(budgets.refused(&holder("b"), LIMIT, Some(90_000)));
    assert_eq!(now(budgets.draw(&holder("b"), LIMIT, 1)), Err(90_000));
    clock.advance(Duration::from_ms(500));
    assert_eq!(now(budgets.draw(&holder("a"), LIMIT, 1)), Ok(()));
}

#[test]
fn whom_it_changes_nothing_to_forget_is_forgotten() {
    let clock = ManualClock::at(Instant(0));
    let budgets = LocalBudgets::new(Arc::new(clock.clone()));
    for number in 0..100 {
        assert_eq!(now(budgets.draw(&holder(number), LIMIT, 1)), Ok(()));
    }
    now(budgets.refused(&holder("refused"), LIMIT, None));
    assert_eq!(budgets.holders(), 101);
    clock.advance(Duration::from_minutes(2));
    assert_eq!(now(budgets.draw(&holder("new"), LIMIT, 1)), Ok(()));
    assert_eq!(budgets.holders(), 2, "the new one, and the one that was refused");
}

#[test]
fn there_are_never_more_than_so_many_holders() {
    let clock = ManualClock::at(Instant(0));
    let budgets = LocalBudgets::new(Arc::new(clock.clone()));
    for number in 0..MOST_HOLDERS + 3 {
        assert_eq!(now(budgets.draw(&holder(number), LIMIT, 10)), Ok(()));
        clock.advance(Duration(1));
    }
    assert_eq!(budgets.holders(), MOST_HOLDERS);
    assert!(now(budgets.draw(&holder(MOST_HOLDERS), LIMIT, 10)).is_err(), "a late one is still known");
}
