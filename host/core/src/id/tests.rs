use std::collections::BTreeSet;

use super::{EventId, uuids_in_order};
use crate::{Duration, Instant, ManualClock, SeededRandom};

#[test]
fn identifiers_sort_by_the_moment_of_their_creation() {
    let clock = ManualClock::at(Instant::from_unix_ms(1_777_593_600_000));
    let random = SeededRandom::new(7);
    let mut last = EventId::generate(&clock, &random);
    for _ in 0..100 {
        clock.advance(Duration::from_ms(1));
        let next = EventId::generate(&clock, &random);
        assert!(last < next);
        last = next;
    }
}

#[test]
fn identifiers_of_one_moment_differ_and_a_seed_repeats_them() {
    let clock = ManualClock::at(Instant(0));
    let generate = |seed| {
        let random = SeededRandom::new(seed);
        (0..1_000).map(|_| EventId::generate(&clock, &random)).collect::<BTreeSet<_>>()
    };
    assert_eq!(generate(1).len(), 1_000);
    assert_eq!(generate(1), generate(1));
    assert!(generate(1).is_disjoint(&generate(2)));
}

#[test]
fn identifiers_in_order_sort_as_they_are_given_and_meet_no_others() {
    let clock = ManualClock::at(Instant::from_unix_ms(1_777_593_600_000));
    let mut all = BTreeSet::new();
    for seed in 0..50 {
        let mut id = uuids_in_order(&clock, &SeededRandom::new(seed));
        let given: Vec<_> = (0..100).map(|_| id()).collect();
        assert!(given.is_sorted());
        assert!(
            given.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122)
        );
        all.extend(given);
    }
    assert_eq!(all.len(), 5_000);
}

#[test]
fn identifiers_survive_text() {
    let id = EventId::generate(&ManualClock::at(Instant(0)), &SeededRandom::new(3));
    assert_eq!(id.to_string().parse(), Ok(id));
}
