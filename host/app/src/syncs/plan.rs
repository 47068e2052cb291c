//! Which slices a sync fetches: decided by the host, never by a plugin.
//!
//! Newest first, so that the last days are usable while older history still comes. A watermark
//! moves only over finished slices, and every incremental slice overlaps the one before by the
//! stream's lookback, so that equal timestamps and late edits are never lost.

use portolan_connector::{Partition, SliceMode, SliceSpec};
use portolan_core::{Duration, Instant};

/// What the plan needs to know of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFacts {
    pub name: String,
    /// Files and small catalogues are taken whole.
    pub snapshot: bool,
    /// Everything updated before this has been fetched.
    pub watermark: Option<Instant>,
    /// Largest window that the channel answers in one slice.
    pub largest_window: Option<Duration>,
    /// How far each incremental slice reaches back before the watermark.
    pub lookback: Duration,
    /// How long the channel may take to show a change.
    pub lag: Duration,
    /// How far back the channel keeps history.
    pub retention: Option<Duration>,
}

/// How far back a first sync reaches when the channel sets no limit: before any of them existed.
const BEGINNING: Instant = Instant::from_unix_ms(946_684_800_000);

/// A first sync's newest slice, fetched before all else.
const RECENT: Duration = Duration::from_days(30);

/// The slices of one stream and partition, in the order in which they are fetched.
pub fn plan_slices(stream: &StreamFacts, partition: Option<Partition>, now: Instant) -> Vec<SliceSpec> {
    if stream.snapshot {
        return vec![slice(stream, partition, None, SliceMode::Snapshot)];
    }
    let until = now - stream.lag;
    let earliest = stream.retention.map_or(BEGINNING, |retention| now - retention);
    match stream.watermark {
        Some(watermark) => {
            let since = (watermark - stream.lookback).max(earliest);
            windows(since, until, stream.largest_window)
                .into_iter()
                .map(|window| slice(stream, partition.clone(), Some(window), SliceMode::Incremental))
                .collect()
        }
        None => {
            let recent = (until - RECENT).max(earliest);
            let mut planned = windows(recent, until, stream.largest_window);
            planned.extend(windows(earliest, recent, stream.largest_window));
            planned
                .into_iter()
                .map(|window| slice(stream, partition.clone(), Some(window), SliceMode::Backfill))
                .collect()
        }
    }
}

/// Where the watermark stands once all of a plan's slices are finished.
pub fn watermark_after(slices: &[SliceSpec]) -> Option<Instant> {
    slices.iter().filter_map(|slice| slice.until).max()
}

fn slice(
    stream: &StreamFacts,
    partition: Option<Partition>,
    window: Option<(Instant, Instant)>,
    mode: SliceMode,
) -> SliceSpec {
    SliceSpec {
        stream: stream.name.clone(),
        partition,
        since: window.map(|window| window.0),
        until: window.map(|window| window.1),
        mode,
    }
}

/// Half-open windows that tile [since, until), newest first.
fn windows(since: Instant, until: Instant, largest: Option<Duration>) -> Vec<(Instant, Instant)> {
    let mut tiled = Vec::new();
    let mut end = until;
    while end > since {
        let start = match largest {
            Some(largest) if largest > Duration::ZERO => (end - largest).max(since),
            _ => since,
        };
        tiled.push((start, end));
        end = start;
    }
    tiled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn orders() -> StreamFacts {
        StreamFacts {
            name: "orders".into(),
            snapshot: false,
            watermark: None,
            largest_window: None,
            lookback: Duration::from_minutes(10),
            lag: Duration::ZERO,
            retention: None,
        }
    }

    #[test]
    fn a_first_sync_fetches_the_last_thirty_days_before_anything_else() {
        let now = Instant::parse_rfc3339("2026-06-30T00:00:00Z").expect("instant");
        let slices = plan_slices(&orders(), None, now);
        assert_eq!(slices.len(), 2);
        assert_eq!(slices[0].since, Some(now - Duration::from_days(30)));
        assert_eq!(slices[0].until, Some(now));
        assert_eq!(slices[1].since, Some(BEGINNING));
        assert_eq!(slices[1].until, slices[0].since);
    }

    #[test]
    fn a_later_sync_overlaps_the_watermark_by_the_lookback() {
        let now = Instant::parse_rfc3339("2026-06-30T00:00:00Z").expect("instant");
        let watermark = now - Duration::from_hours(6);
        let stream = StreamFacts { watermark: Some(watermark), ..orders() };
        let slices = plan_slices(&stream, None, now);
        assert_eq!(slices.len(), 1);
        assert_eq!(slices[0].since, Some(watermark - Duration::from_minutes(10)));
        assert_eq!(slices[0].mode, SliceMode::Incremental);
    }

    #[test]
    fn history_beyond_the_channels_retention_is_not_asked_for() {
        let now = Instant::parse_rfc3339("2026-06-30T00:00:00Z").expect("instant");
        let stream = StreamFacts { retention: Some(Duration::from_days(60)), ..orders() };
        let earliest = plan_slices(&stream, None, now).iter().filter_map(|slice| slice.since).min();
        assert_eq!(earliest, Some(now - Duration::from_days(60)));
    }

    proptest! {
        #[test]
        fn windows_tile_the_range_without_gap_or_overlap(length in 1_i64..10_000, largest in proptest::option::of(1_i64..500)) {
            let until = Instant(length);
            let tiled = windows(Instant(0), until, largest.map(Duration));
            prop_assert_eq!(tiled.first().map(|window| window.1), Some(until));
            prop_assert_eq!(tiled.last().map(|window| window.0), Some(Instant(0)));
            for pair in tiled.windows(2) {
                prop_assert_eq!(pair[0].0, pair[1].1);
            }
        }
    }
}
