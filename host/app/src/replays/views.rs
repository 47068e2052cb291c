//! Stored data and replays as a connection's page shows them.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{ReplayRow, StoredData, StoredStream};
use portolan_admin_ui::parts::{ActionStyle, Badge, Fact, PostAction, Progress, Tone};
use portolan_core::{ConnectionId, Duration, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::replay::{self, ReplayState};

use super::ops::ReplayReason;
use super::queries;
use crate::web::error::AppResult;
use crate::web::viewer::Viewer;

/// The newest replays that a page shows.
const SHOWN: u64 = 5;
/// Below this nobody can say how fast a replay is.
const SHORTEST_MEASURE: Duration = Duration::from_secs(1);

/// What is stored of a connection, and how it was read again.
pub async fn stored_data(tx: &TenantTx, viewer: &Viewer, connection: ConnectionId) -> AppResult<StoredData> {
    let chunks = queries::stored_chunks(tx, connection).await?;
    let rejected = i64::try_from(queries::quarantined(tx, connection).await?).unwrap_or(i64::MAX);
    let replays = queries::replays_of(tx, connection, SHOWN).await?;
    let busy = replays.iter().any(|replay| replay.state.is_open());
    let href = format!("/connections/{connection}/replays");
    let total: i64 = chunks.iter().map(|(_, chunks)| chunks).sum();
    Ok(StoredData {
        facts: vec![
            Fact::new("Stored pages", format::count(total)),
            Fact::new("Rejected records", format::count(rejected)),
        ],
        streams: chunks
            .into_iter()
            .map(|(stream, chunks)| StoredStream {
                pages: format::count(chunks),
                read_again: (!busy)
                    .then(|| PostAction::new("Read again", format!("{href}?stream={}", in_query(&stream)))),
                name: stream,
            })
            .collect(),
        read_again: (!busy && total > 0).then(|| PostAction::new("Read stored data again", href)),
        replays: replay_rows(viewer, &replays),
    })
}

/// A stream's name in an address: whatever a manifest calls it.
fn in_query(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Replays in a list.
pub fn replay_rows(viewer: &Viewer, replays: &[replay::Model]) -> Vec<ReplayRow> {
    replays.iter().map(|replay| replay_row(viewer, replay)).collect()
}

fn replay_row(viewer: &Viewer, row: &replay::Model) -> ReplayRow {
    let tone = match row.state {
        ReplayState::Queued | ReplayState::Cancelled => Tone::Neutral,
        ReplayState::Running => Tone::Active,
        ReplayState::Succeeded => Tone::Good,
        ReplayState::Failed => Tone::Bad,
    };
    let cancel = format!("/connections/{}/replays/{}/cancel", row.connection_id, row.id);
    ReplayRow {
        what: what(row),
        state: Badge::new(row.state.as_str(), tone),
        when: viewer.when(Instant(row.started_at.unwrap_or(row.created_at))),
        progress: row.state.is_open().then(|| progress(viewer, row)),
        outcome: outcome(row),
        error: row.error_detail.clone(),
        cancel: row
            .state
            .is_open()
            .then(|| PostAction { style: ActionStyle::Danger, ..PostAction::new("Cancel", cancel) }),
    }
}

fn what(row: &replay::Model) -> String {
    let scope = match (&row.stream, row.chunk_id) {
        (_, Some(_)) => "one page".to_owned(),
        (Some(stream), None) => stream.clone(),
        (None, None) => "everything".to_owned(),
    };
    if row.reason == ReplayReason::Upgrade.as_str() {
        format!("{scope}, after an upgrade")
    } else if row.reason == ReplayReason::Rollback.as_str() {
        format!("{scope}, after going back")
    } else {
        scope
    }
}

fn progress(viewer: &Viewer, row: &replay::Model) -> Progress {
    let share = row.chunks_done.saturating_mul(100).checked_div(row.chunks_total);
    let percent = share.and_then(|share| u8::try_from(share.clamp(0, 100)).ok());
    let elapsed = row.started_at.map(|started| viewer.now().since(Instant(started)));
    let elapsed_ms = elapsed.filter(|elapsed| *elapsed >= SHORTEST_MEASURE).map(Duration::as_ms);
    let left = (row.chunks_total - row.chunks_done).max(0);
    let eta_ms = elapsed_ms.filter(|_| row.chunks_done > 0).map(|elapsed| elapsed * left / row.chunks_done);
    Progress {
        percent,
        done: format!("{} of {} pages", format::count(row.chunks_done), format::count(row.chunks_total)),
        rate: elapsed_ms
            .map(|elapsed| row.seen.saturating_mul(1_000) / elapsed)
            .map(|rate| format!("{} records/s", format::count(rate))),
        eta: eta_ms.map(|eta_ms| format!("{} left", format::span(Duration::from_ms(eta_ms)))),
    }
}

/// "1 200 records read; nothing changed."
fn outcome(row: &replay::Model) -> String {
    let mut told = vec![format!("{} records read", format::count(row.seen))];
    let mut tell = |count: i64, words: &str| {
        if count > 0 {
            told.push(format!("{} {words}", format::count(count)));
        }
    };
    tell(row.superseded, "versions superseded");
    tell(row.events_posted, "ledger events posted");
    tell(row.released, "left the quarantine");
    tell(row.skipped, "still rejected");
    tell(row.chunks_failed, "pages not read");
    let unchanged = row.superseded == 0 && row.events_posted == 0 && row.released == 0;
    if unchanged && row.state == ReplayState::Succeeded {
        told.push("nothing changed".to_owned());
    }
    told.join(", ")
}
