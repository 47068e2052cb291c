use portolan_core::{Duration, Instant};
use proptest::prelude::*;

use super::spans::{Coverage, Span, SpanState, Window, WindowState};

fn window(since: i64, until: i64, state: WindowState) -> Window {
    Window { since: Instant(since), until: Instant(until), state }
}

fn told(coverage: &Coverage) -> Vec<(i64, i64, &'static str)> {
    coverage.spans.iter().map(|span| (span.from.0, span.until.0, span.state.as_str())).collect()
}

#[test]
fn gaps_failures_and_what_the_channel_forgot_are_told_apart() {
    let part = vec![
        window(0, 40, WindowState::Failed),
        window(40, 60, WindowState::Done),
        window(55, 70, WindowState::Done),
        window(80, 90, WindowState::Running),
        window(90, 100, WindowState::Done),
    ];
    let coverage = Coverage::of(&[part], Some(Instant(20)), Instant(110));
    assert_eq!(
        told(&coverage),
        [
            (0, 20, "unavailable"),
            (20, 40, "failed"),
            (40, 70, "done"),
            (70, 80, "gap"),
            (80, 90, "running"),
            (90, 100, "done"),
            (100, 110, "gap"),
        ]
    );
    assert_eq!(coverage.newest_complete().map(|span| (span.from.0, span.until.0)), Some((90, 100)));
    assert_eq!(coverage.worst_within(Instant(45), Instant(65)), Some(SpanState::Done));
    assert_eq!(coverage.worst_within(Instant(45), Instant(75)), Some(SpanState::Gap));
    assert_eq!(coverage.percent_within(Instant(60), Instant(80)), 50);
}

#[test]
fn what_failed_once_and_was_fetched_later_is_known() {
    let part = vec![window(0, 10, WindowState::Failed), window(0, 10, WindowState::Done)];
    let coverage = Coverage::of(&[part], None, Instant(10));
    assert_eq!(told(&coverage), [(0, 10, "done")]);
    assert!(coverage.knows_the_last(Duration(10), Instant(10)));
    assert!(!coverage.knows_the_last(Duration(11), Instant(10)));
}

#[test]
fn a_moment_is_known_only_where_every_part_knows_it() {
    let coverage = Coverage::of(
        &[vec![window(0, 10, WindowState::Done)], vec![window(0, 5, WindowState::Done)]],
        None,
        Instant(10),
    );
    assert_eq!(told(&coverage), [(0, 5, "done"), (5, 10, "gap")]);
    assert_eq!(told(&Coverage::of(&[], None, Instant(10))), []);
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let state = prop_oneof![Just(WindowState::Done), Just(WindowState::Running), Just(WindowState::Failed)];
    let one = (0_i64..200, 0_i64..60, state)
        .prop_map(|(since, length, state)| window(since, since + length, state));
    proptest::collection::vec(one, 0..12)
}

/// What a moment's state should be, by asking every window.
fn state_at(parts: &[Vec<Window>], horizon: Option<i64>, at: i64) -> SpanState {
    let of_part = |part: &Vec<Window>| {
        let holds = |state: WindowState| {
            part.iter().any(|window| window.state == state && window.since.0 <= at && at < window.until.0)
        };
        match () {
            () if holds(WindowState::Done) => SpanState::Done,
            () if holds(WindowState::Running) => SpanState::Running,
            () if holds(WindowState::Failed) => SpanState::Failed,
            () => SpanState::Gap,
        }
    };
    let worst = parts.iter().map(of_part).max().unwrap_or(SpanState::Gap);
    let gone = horizon.is_some_and(|horizon| at < horizon);
    if gone && worst != SpanState::Done { SpanState::Unavailable } else { worst }
}

proptest! {
    #[test]
    fn the_map_tiles_the_time_and_says_of_every_moment_what_its_windows_say(
        parts in proptest::collection::vec(windows(), 1..4),
        horizon in proptest::option::of(0_i64..250),
        until in 0_i64..300,
    ) {
        let coverage = Coverage::of(&parts, horizon.map(Instant), Instant(until));
        for pair in coverage.spans.windows(2) {
            prop_assert_eq!(pair[0].until, pair[1].from);
            prop_assert!(pair[0].state != pair[1].state);
        }
        for Span { from, until, state } in &coverage.spans {
            prop_assert!(from < until);
            for at in from.0..until.0 {
                prop_assert_eq!(*state, state_at(&parts, horizon, at), "at {}", at);
            }
        }
        let first = parts.iter().flatten().filter(|window| window.since < window.until).map(|window| window.since.0).min();
        match first.filter(|first| *first < until) {
            Some(first) => {
                prop_assert_eq!(coverage.spans.first().map(|span| span.from.0), Some(first));
                prop_assert_eq!(coverage.spans.last().map(|span| span.until.0), Some(until));
            }
            None => prop_assert!(coverage.spans.is_empty()),
        }
    }

    #[test]
    fn what_is_known_is_the_union_of_finished_windows_in_any_order(
        part in windows(),
        until in 250_i64..300,
        seed in any::<u64>(),
    ) {
        let coverage = Coverage::of(std::slice::from_ref(&part), None, Instant(until));
        let mut shuffled = part.clone();
        let length = shuffled.len().max(1) as u64;
        shuffled.rotate_left((seed % length) as usize);
        shuffled.reverse();
        prop_assert_eq!(&Coverage::of(&[shuffled], None, Instant(until)), &coverage);
        let union = (0..until)
            .filter(|at| part.iter().any(|window| {
                window.state == WindowState::Done && window.since.0 <= *at && *at < window.until.0
            }))
            .count() as i64;
        let done: i64 = coverage
            .spans
            .iter()
            .filter(|span| span.state == SpanState::Done)
            .map(|span| span.until.0 - span.from.0)
            .sum();
        prop_assert_eq!(done, union);
    }
}
