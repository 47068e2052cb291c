use portolan_connector::{Partition, SliceMode, SliceSpec};
use portolan_core::{Duration, Instant};
use proptest::prelude::*;

use super::checked_parts;
use crate::syncs::run::RunError;

fn window(since: i64, until: i64) -> SliceSpec {
    SliceSpec {
        stream: "orders".to_owned(),
        partition: None,
        since: Some(Instant(since)),
        until: Some(Instant(until)),
        mode: SliceMode::Backfill,
    }
}

fn shop(key: Option<&str>) -> SliceSpec {
    let partition = |key: &str| Partition { key: key.to_owned(), label: key.to_owned(), data: String::new() };
    SliceSpec { partition: key.map(partition), since: None, until: None, ..window(0, 1) }
}

fn refusal(whole: &SliceSpec, parts: &[SliceSpec], granularity_us: i64) -> Option<String> {
    match checked_parts(whole, parts.to_vec(), Duration(granularity_us)) {
        Err(RunError::Slice { code, .. }) => Some(code),
        Err(_) => Some("another error".to_owned()),
        Ok(_) => None,
    }
}

#[test]
fn windows_have_to_make_up_the_whole() {
    let whole = window(0, 100);
    let parts = checked_parts(&whole, vec![window(0, 50), window(50, 100)], Duration(10));
    assert_eq!(parts.ok().map(|parts| parts[0].clone()), Some(window(50, 100)), "newest first");
    for bad in [
        vec![],
        vec![window(0, 100)],
        vec![window(0, 50)],
        vec![window(0, 50), window(51, 100)],
        vec![window(0, 60), window(50, 100)],
        vec![window(0, 50), window(50, 101)],
        vec![window(1, 50), window(50, 100)],
        vec![window(0, 50), window(50, 100), window(50, 100)],
        vec![window(0, 50), SliceSpec { until: None, ..window(50, 100) }],
        vec![window(0, 50), SliceSpec { stream: "stores".to_owned(), ..window(50, 100) }],
        vec![window(0, 50), SliceSpec { partition: shop(Some("a")).partition, ..window(50, 100) }],
    ] {
        assert_eq!(refusal(&whole, &bad, 10).as_deref(), Some("bad_split"), "{bad:?}");
    }
}

#[test]
fn what_is_too_small_is_not_split_further() {
    let halves = [window(0, 5), window(5, 10)];
    assert_eq!(refusal(&window(0, 10), &halves, 6).as_deref(), Some("split_too_small"));
    assert_eq!(refusal(&window(0, 10), &halves, 5), None);
}

#[test]
fn partitions_have_to_differ() {
    let whole = shop(None);
    assert_eq!(refusal(&whole, &[shop(Some("a")), shop(Some("b"))], 1), None);
    assert_eq!(refusal(&shop(Some("all")), &[shop(Some("a"))], 1), None);
    for bad in [vec![shop(None)], vec![shop(Some("a")), shop(Some("a"))], vec![shop(Some("a")), shop(None)]] {
        assert_eq!(refusal(&whole, &bad, 1).as_deref(), Some("bad_split"), "{bad:?}");
    }
    assert_eq!(
        refusal(&shop(Some("a")), &[shop(Some("a"))], 1).as_deref(),
        Some("bad_split"),
        "it would never end"
    );
}

proptest! {
    #[test]
    fn any_cut_of_the_whole_is_taken_in_any_order_and_none_that_misses_a_piece(
        mut cuts in proptest::collection::btree_set(1_i64..1_000, 1..20),
        missing in any::<proptest::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let whole = window(0, 1_000);
        cuts.insert(0);
        cuts.insert(1_000);
        let bounds: Vec<i64> = cuts.into_iter().collect();
        let mut parts: Vec<SliceSpec> = bounds.windows(2).map(|pair| window(pair[0], pair[1])).collect();
        parts.sort_by_key(|part| part.since.map(|since| (since.0 as u64).wrapping_mul(seed | 1)));
        prop_assert_eq!(refusal(&whole, &parts, 1), None);
        parts.remove(missing.index(parts.len()));
        prop_assert_eq!(refusal(&whole, &parts, 1), Some("bad_split".to_owned()));
    }
}
