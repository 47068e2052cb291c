//! How far a sync is, how fast, and when it will be done.

use portolan_core::{Duration, Instant};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::sync::{self, SyncState};
use serde::Serialize;
use utoipa::ToSchema;

use super::run::is_waiting;

/// Progress of a sync that is at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SyncProgress {
    /// 0 to 100; absent while nobody knows how much there is.
    pub percent: Option<u8>,
    pub records_done: i64,
    /// As the channel announced it; absent where it does not.
    pub records_expected: Option<i64>,
    pub records_per_second: Option<i64>,
    /// Milliseconds until the end at the present rate.
    pub eta_ms: Option<i64>,
    /// Parts that wait for the channel to prepare what they asked for; the others go on.
    pub waiting: Vec<WaitingPart>,
}

/// A part of a sync that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WaitingPart {
    pub stream: String,
    /// A sentence of the plugin.
    pub why: String,
    /// When the channel is asked again; RFC 3339.
    pub until: String,
}

/// Below this nobody can say how fast a sync is.
const SHORTEST_MEASURE: Duration = Duration::from_ms(500);

/// Measures a sync; `None` once it is over.
///
/// `waiting_chunks` of `chunks` are staged and not yet documents: where the channel announces no
/// number, the share of a file's chunks that are done is the progress.
pub fn measure(
    sync: &sync::Model,
    slices: &[slice::Model],
    (waiting_chunks, chunks): (u64, u64),
    now: Instant,
) -> Option<SyncProgress> {
    if !matches!(sync.state, SyncState::Queued | SyncState::Running | SyncState::Paused) {
        return None;
    }
    let records_expected = expected_records(slices);
    let percent = match records_expected {
        Some(expected) => share(sync.seen, expected),
        None if chunks > 0 && fetched_all(slices) => share((chunks - waiting_chunks) as i64, chunks as i64),
        None => None,
    };
    let elapsed = sync.started_at.map(|started| now.since(Instant(started)));
    let elapsed_ms = elapsed.filter(|elapsed| *elapsed >= SHORTEST_MEASURE).map(Duration::as_ms);
    let records_per_second = elapsed_ms.map(|elapsed| sync.seen.saturating_mul(1_000) / elapsed);
    let eta_ms = match (percent, elapsed_ms) {
        (Some(percent), Some(elapsed)) if percent > 0 && sync.state == SyncState::Running => {
            Some(elapsed * i64::from(100 - percent) / i64::from(percent))
        }
        _ => None,
    };
    let waiting = slices.iter().filter(|slice| is_waiting(slice, now)).map(waiting_part).collect();
    let records_done = sync.seen;
    Some(SyncProgress { percent, records_done, records_expected, records_per_second, eta_ms, waiting })
}

fn waiting_part(slice: &slice::Model) -> WaitingPart {
    WaitingPart {
        stream: slice.stream.clone(),
        why: slice.waiting_why.clone().unwrap_or_default(),
        until: slice.waiting_until.map(|until| Instant(until).to_rfc3339()).unwrap_or_default(),
    }
}

/// Known only once every slice has announced its number.
fn expected_records(slices: &[slice::Model]) -> Option<i64> {
    if slices.is_empty() {
        return None;
    }
    slices
        .iter()
        .map(|slice| match slice.state {
            SliceState::Done | SliceState::Split => Some(slice.seen),
            _ => slice.expected,
        })
        .sum()
}

fn fetched_all(slices: &[slice::Model]) -> bool {
    slices.iter().all(|slice| {
        matches!(slice.state, SliceState::Done | SliceState::Split)
            || (slice.pages > 0 && slice.token.is_none())
    })
}

fn share(done: i64, whole: i64) -> Option<u8> {
    let percent = done.saturating_mul(100).checked_div(whole)?;
    u8::try_from(percent.clamp(0, 100)).ok()
}
