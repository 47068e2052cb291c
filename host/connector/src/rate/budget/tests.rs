use portolan_core::{Duration, Instant};
use proptest::prelude::*;

use super::{Budget, HIGHEST_LEARNT, RateLimit, SMALLEST_SHARE, Told};

const START: Instant = Instant(1_780_000_000_000_000);
const LIMIT: RateLimit = RateLimit { capacity: 10.0, refill_per_second: 2.0 };

fn at_ms(ms: i64) -> Instant {
    START + Duration::from_ms(ms)
}

#[test]
fn a_spent_budget_says_how_long_to_wait() {
    let mut budget = Budget::full(LIMIT, START);
    assert_eq!(budget.draw(LIMIT, 10.0, START), Ok(()));
    assert_eq!(budget.draw(LIMIT, 1.0, START), Err(500));
    assert_eq!(budget.draw(LIMIT, 1.0, at_ms(499)), Err(1));
    assert_eq!(budget.draw(LIMIT, 1.0, at_ms(500)), Ok(()));
}

#[test]
fn what_costs_more_than_the_whole_waits_for_a_full_budget_and_leaves_a_debt() {
    let mut budget = Budget::full(LIMIT, START);
    assert_eq!(budget.draw(LIMIT, 30.0, START), Ok(()));
    assert_eq!(budget.draw(LIMIT, 1.0, START), Err(10_500));
    assert_eq!(budget.draw(LIMIT, 30.0, START), Err(15_000));
    assert_eq!(budget.draw(LIMIT, 30.0, at_ms(15_000)), Ok(()));
}

#[test]
fn the_channels_word_is_believed_up_to_a_bound() {
    let mut budget = Budget::full(LIMIT, START);
    budget.observe(LIMIT, Told::Left { remaining: 2, reset_ms: 0 }, START);
    assert_eq!(budget.draw(LIMIT, 3.0, START), Err(500));
    budget.observe(LIMIT, Told::Left { remaining: 1_000_000, reset_ms: 0 }, START);
    assert_eq!(budget.draw(LIMIT, 10.0, at_ms(1)), Ok(()));
    budget.observe(LIMIT, Told::AtMost { remaining: 1_000_000, reset_ms: 0 }, at_ms(1));
    for _ in 0..3 {
        assert_eq!(
            budget.draw(LIMIT, 10.0, at_ms(1)),
            Ok(()),
            "a header takes nothing back and adds nothing"
        );
    }
    assert!(budget.draw(LIMIT, 10.0, at_ms(1)).is_err());
}

#[test]
fn an_empty_quota_rests_until_its_reset() {
    for told in
        [Told::Left { remaining: 0, reset_ms: 60_000 }, Told::AtMost { remaining: 0, reset_ms: 60_000 }]
    {
        let mut budget = Budget::full(LIMIT, START);
        budget.observe(LIMIT, told, START);
        assert_eq!(budget.draw(LIMIT, 1.0, at_ms(1_000)), Err(59_000));
        assert_eq!(budget.draw(LIMIT, 10.0, at_ms(60_000)), Ok(()));
    }
}

#[test]
fn a_refusal_halves_once_and_grows_back_slowly() {
    let mut budget = Budget::full(LIMIT, START);
    for ms in [0, 10, 20] {
        budget.refused(LIMIT, None, at_ms(ms));
    }
    // Half of everything: five tokens, one each second.
    assert_eq!(budget.draw(LIMIT, 5.0, at_ms(20)), Err(5_000));
    assert_eq!(budget.draw(LIMIT, 5.0, at_ms(5_020)), Ok(()));
    budget.refused(LIMIT, Some(7_000), at_ms(5_020));
    assert_eq!(budget.draw(LIMIT, 1.0, at_ms(5_020)), Err(7_000), "and it rests as long as it was told to");
    // A quarter, plus a sixteenth every half minute: whole again after twelve of them.
    let mut later = budget;
    assert_eq!(later.draw(LIMIT, 10.0, at_ms(5_020 + 11 * 30_000)), Ok(()), "what is there, as a debt");
    assert!(!budget.is_as_new(LIMIT, at_ms(5_020 + 11 * 30_000)));
    assert!(budget.is_as_new(LIMIT, at_ms(5_020 + 12 * 30_000 + 10_000)));
}

#[test]
fn a_state_from_a_clock_that_was_wrong_keeps_nobody_waiting() {
    let mut budget = Budget::full(LIMIT, START + Duration::from_hours(5));
    assert_eq!(budget.draw(LIMIT, 10.0, START), Ok(()));
    assert_eq!(budget.draw(LIMIT, 1.0, START), Err(500));
    assert_eq!(budget.draw(LIMIT, 1.0, at_ms(500)), Ok(()));
}

#[test]
fn it_reads_as_it_was_written() {
    let mut budget = Budget::full(LIMIT, START);
    budget.refused(LIMIT, Some(5), START);
    let text = serde_json::to_string(&budget).expect("JSON");
    assert_eq!(serde_json::from_str::<Budget>(&text).expect("a budget"), budget);
}

#[derive(Debug, Clone)]
enum Step {
    Draw(u32),
    Left(u32, u64),
    AtMost(u32, u64),
    Refused(Option<u64>),
}

fn steps(learning: bool) -> impl Strategy<Value = Vec<(i64, Step)>> {
    let draw = (1_u32..=10).prop_map(Step::Draw);
    let lower = (0_u32..50, 0_u64..5_000).prop_map(|(left, reset)| Step::AtMost(left, reset));
    let refused = proptest::option::of(0_u64..10_000).prop_map(Step::Refused);
    let step = if learning {
        let raise = (0_u32..1_000, 0_u64..5_000).prop_map(|(left, reset)| Step::Left(left, reset));
        prop_oneof![6 => draw, 1 => lower, 1 => refused, 1 => raise].boxed()
    } else {
        prop_oneof![8 => draw, 1 => lower, 1 => refused].boxed()
    };
    proptest::collection::vec((0_i64..3_000, step), 1..120)
}

/// Plays the steps; gives what was drawn, and when.
fn play(budget: &mut Budget, limit: RateLimit, steps: &[(i64, Step)], skews: &[i64]) -> Vec<(i64, f64)> {
    let (mut ms, mut drawn) = (0, Vec::new());
    for (index, (pause, step)) in steps.iter().enumerate() {
        ms += pause;
        // Workers whose clocks differ by a little take turns.
        let now = at_ms(ms - skews.get(index).copied().unwrap_or_default());
        match *step {
            Step::Draw(cost) => {
                if budget.draw(limit, f64::from(cost), now).is_ok() {
                    drawn.push((ms, f64::from(cost)));
                }
            }
            Step::Left(remaining, reset_ms) => budget.observe(limit, Told::Left { remaining, reset_ms }, now),
            Step::AtMost(remaining, reset_ms) => {
                budget.observe(limit, Told::AtMost { remaining, reset_ms }, now)
            }
            Step::Refused(after_ms) => budget.refused(limit, after_ms, now),
        }
    }
    drawn
}

proptest! {
    #[test]
    fn no_window_holds_more_than_the_limit(steps in steps(false), skews in proptest::collection::vec(0_i64..3_000, 120)) {
        for skews in [vec![], skews] {
            let slack_s = if skews.is_empty() { 0.0 } else { 3.0 };
            let drawn = play(&mut Budget::full(LIMIT, START), LIMIT, &steps, &skews);
            for first in 0..drawn.len() {
                let mut sum = 0.0;
                for (ms, cost) in &drawn[first..] {
                    sum += cost;
                    let window_s = (ms - drawn[first].0) as f64 / 1_000.0 + slack_s;
                    prop_assert!(sum <= LIMIT.capacity + window_s * LIMIT.refill_per_second + 1e-3, "{:?}", drawn);
                }
            }
        }
    }

    #[test]
    fn what_is_learnt_stays_within_its_bounds(steps in steps(true)) {
        let mut budget = Budget::full(LIMIT, START);
        for step in &steps {
            play(&mut budget, LIMIT, std::slice::from_ref(step), &[]);
            prop_assert!(budget.tokens <= LIMIT.capacity * HIGHEST_LEARNT + 1e-6);
            prop_assert!((SMALLEST_SHARE..=1.0).contains(&budget.share));
        }
    }

    #[test]
    fn who_waits_as_long_as_told_is_served(steps in steps(true)) {
        // Small enough to fit into the smallest share.
        let cost = LIMIT.capacity * SMALLEST_SHARE;
        let mut budget = Budget::full(LIMIT, START);
        play(&mut budget, LIMIT, &steps, &[]);
        let now = budget.at();
        if let Err(wait_ms) = budget.draw(LIMIT, cost, now) {
            prop_assert!(wait_ms <= 24 * 3_600_000);
            prop_assert_eq!(budget.draw(LIMIT, cost, now + Duration::from_ms(wait_ms as i64)), Ok(()));
        }
    }

    #[test]
    fn left_alone_it_becomes_as_new(steps in steps(true)) {
        let mut budget = Budget::full(LIMIT, START);
        play(&mut budget, LIMIT, &steps, &[]);
        // What was granted above the capacity is never taken back unspent.
        prop_assume!(budget.tokens <= LIMIT.capacity);
        prop_assert!(budget.is_as_new(LIMIT, budget.at() + Duration::from_hours(1)));
    }

    #[test]
    fn giving_back_never_makes_more_than_was_there(drawn in 1_u32..=10, back in 0.0_f64..20.0, ms in 0_i64..20_000) {
        let mut budget = Budget::full(LIMIT, START);
        prop_assert!(budget.draw(LIMIT, f64::from(drawn), START).is_ok());
        budget.give_back(LIMIT, back, at_ms(ms));
        prop_assert!(budget.tokens <= LIMIT.capacity + 1e-9);
    }
}
