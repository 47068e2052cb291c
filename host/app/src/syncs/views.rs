//! Syncs as pages show them.

use std::collections::BTreeMap;

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{HeldRow, QuarantineRow, SliceRow, SyncBody, SyncRow};
use portolan_admin_ui::parts::{ActionStyle, Badge, Fact, Link, Notice, PostAction, Progress, Tone};
use portolan_core::{Duration, Instant};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::sync::{self, RequestedAction, SyncState};
use portolan_db::entity::{held_delete, quarantine};

use super::ops::{Trigger, is_open};
use super::progress::SyncProgress;
use super::run::{WAITING, is_waiting};
use super::vanish::DELETES_HELD;
use crate::web::viewer::Viewer;

const MISSING: &str = "–";

pub fn state_badge(row: &sync::Model) -> Badge {
    if row.state == SyncState::Running {
        return match row.requested_action {
            Some(RequestedAction::Pause) => Badge::new("pausing", Tone::Warn),
            Some(RequestedAction::Cancel) => Badge::new("cancelling", Tone::Warn),
            None => Badge::new("running", Tone::Active),
        };
    }
    let tone = match row.state {
        SyncState::Queued | SyncState::Cancelled => Tone::Neutral,
        SyncState::Running => Tone::Active,
        SyncState::Paused => Tone::Warn,
        SyncState::Succeeded => Tone::Good,
        SyncState::Failed => Tone::Bad,
    };
    Badge::new(row.state.as_str(), tone)
}

fn trigger_text(trigger: &str) -> String {
    match (trigger, Trigger::stream_of(trigger)) {
        (_, Some(stream)) => format!("schedule of {stream}"),
        ("upload", None) => "a file was uploaded".to_owned(),
        _ => "by hand".to_owned(),
    }
}

fn duration_text(viewer: &Viewer, row: &sync::Model) -> String {
    let Some(started) = row.started_at else { return MISSING.to_owned() };
    let until = row.finished_at.map_or(viewer.now(), Instant);
    format::span(until.since(Instant(started)))
}

/// A sync in a list.
pub fn sync_row(
    viewer: &Viewer,
    row: &sync::Model,
    connection: &str,
    progress: Option<&SyncProgress>,
) -> SyncRow {
    SyncRow {
        id: row.id.to_string(),
        href: format!("/syncs/{}", row.id),
        connection: connection.to_owned(),
        trigger: trigger_text(&row.trigger),
        state: state_badge(row),
        started: viewer.when_us(row.started_at.or(Some(row.created_at))),
        duration: duration_text(viewer, row),
        seen: format::count(row.seen),
        documents: format::count(row.documents),
        events: format::count(row.events_posted),
        quarantined: format::count(row.skipped),
        progress: progress.map(progress_view),
        error: row.error_detail.clone(),
    }
}

fn progress_view(progress: &SyncProgress) -> Progress {
    let done = match progress.records_expected {
        Some(expected) => {
            format!("{} of {} records", format::count(progress.records_done), format::count(expected))
        }
        None => format!("{} records", format::count(progress.records_done)),
    };
    Progress {
        percent: progress.percent,
        done,
        rate: progress.records_per_second.map(|rate| format!("{} records/s", format::count(rate))),
        eta: progress.eta_ms.map(|eta_ms| format!("{} left", format::span(Duration::from_ms(eta_ms)))),
    }
}

/// Everything of one sync.
pub struct SyncParts<'a> {
    pub row: &'a sync::Model,
    pub connection: &'a str,
    pub progress: Option<SyncProgress>,
    pub slices: &'a [slice::Model],
    /// By the number of the upload.
    pub file_names: &'a BTreeMap<i64, String>,
    pub quarantine: &'a [quarantine::Model],
    pub quarantine_total: u64,
}

pub fn sync_body(viewer: &Viewer, parts: &SyncParts<'_>) -> SyncBody {
    let row = parts.row;
    let fact = |label: &str, number: i64| Fact::new(label, format::count(number));
    SyncBody {
        id: row.id.to_string(),
        connection: Link::new(parts.connection, format!("/connections/{}", row.connection_id)),
        trigger: trigger_text(&row.trigger),
        state: state_badge(row),
        started: viewer.when_us(row.started_at),
        finished: viewer.when_us(row.finished_at),
        duration: duration_text(viewer, row),
        progress: parts.progress.as_ref().map(progress_view),
        counts: vec![
            fact("Records seen", row.seen),
            fact("Mapped", row.emitted),
            fact("Rejected", row.skipped),
            fact("Documents", row.documents),
            fact("Ledger events", row.events_posted),
            Fact::new("Fetched", format::bytes(row.bytes_fetched.unsigned_abs())),
        ],
        problem: problem(row),
        actions: actions(row),
        slices: parts.slices.iter().map(|slice| slice_row(viewer, slice, parts.file_names)).collect(),
        quarantine: parts.quarantine.iter().map(|record| quarantine_row(viewer, record)).collect(),
        quarantine_note: quarantine_note(parts),
        announcement: announcement(row, parts.progress.as_ref()),
    }
}

fn problem(row: &sync::Model) -> Option<Notice> {
    let detail = row.error_detail.as_deref()?;
    let goes_on = matches!(row.error_code.as_deref(), Some("retrying" | WAITING));
    let (tone, title) = match row.error_code.as_deref() {
        Some("retrying") => (Tone::Warn, "Waiting, then trying again"),
        Some(WAITING) => (Tone::Warn, "The channel is preparing what was asked for"),
        Some("file_refused") => (Tone::Bad, "A file was set aside"),
        Some(DELETES_HELD) => (Tone::Warn, "A person has to decide"),
        Some("left_unread") => (Tone::Bad, "Something stored earlier can't be read"),
        _ => (Tone::Bad, "The sync did not finish"),
    };
    let text = if goes_on {
        format!("{detail} Nothing is lost; it goes on where it stands.")
    } else {
        format!("{detail} What was imported stays; the next sync goes on from there.")
    };
    Some(Notice::new(tone, title, text))
}

fn actions(row: &sync::Model) -> Vec<PostAction> {
    let href = |action: &str| format!("/syncs/{}/{action}", row.id);
    let mut actions = Vec::new();
    match row.state {
        SyncState::Queued | SyncState::Running if row.requested_action.is_none() => {
            actions.push(PostAction::new("Pause", href("pause")));
        }
        SyncState::Paused => actions.push(PostAction::primary("Resume", href("resume"))),
        SyncState::Failed => {
            actions.push(PostAction::new("Try again", format!("/connections/{}/sync", row.connection_id)));
        }
        _ => {}
    }
    if is_open(row.state) && row.requested_action != Some(RequestedAction::Cancel) {
        actions.push(PostAction { style: ActionStyle::Danger, ..PostAction::new("Cancel", href("cancel")) });
    }
    actions
}

fn slice_row(viewer: &Viewer, slice: &slice::Model, file_names: &BTreeMap<i64, String>) -> SliceRow {
    let waits = is_waiting(slice, viewer.now());
    let tone = match slice.state {
        _ if waits => Tone::Warn,
        SliceState::Pending | SliceState::Cancelled | SliceState::Split => Tone::Neutral,
        SliceState::Running => Tone::Active,
        SliceState::Done => Tone::Good,
        SliceState::Failed => Tone::Bad,
    };
    let range = match (slice.since, slice.until) {
        _ if slice.file.is_some() => {
            let name = slice.file.and_then(|number| file_names.get(&number));
            name.map_or("a file that was taken away", String::as_str).to_owned()
        }
        (Some(since), Some(until)) => {
            format!("{} – {}", viewer.date_and_time(Instant(since)), viewer.date_and_time(Instant(until)))
        }
        _ => "everything".to_owned(),
    };
    SliceRow {
        stream: slice.stream.clone(),
        range,
        mode: slice.mode.clone(),
        state: Badge::new(if waits { WAITING } else { slice.state.as_str() }, tone),
        note: waits.then(|| {
            let when =
                slice.waiting_until.map(|until| viewer.date_and_time(Instant(until))).unwrap_or_default();
            format!("{} · asked again {when}", slice.waiting_why.as_deref().unwrap_or_default())
        }),
        pages: format::count(slice.pages),
        seen: format::count(slice.seen),
        emitted: format::count(slice.emitted),
        skipped: format::count(slice.skipped),
        expected: slice.expected.map_or_else(|| MISSING.to_owned(), format::count),
        error: slice.error_detail.clone(),
    }
}

fn quarantine_row(viewer: &Viewer, record: &quarantine::Model) -> QuarantineRow {
    let place = match &record.path {
        Some(path) => format!("record {} · {path}", record.src + 1),
        None => format!("record {}", record.src + 1),
    };
    QuarantineRow {
        stream: record.stream.clone(),
        place,
        reason: record.reason.clone(),
        when: viewer.when(Instant(record.created_at)),
    }
}

fn quarantine_note(parts: &SyncParts<'_>) -> String {
    if parts.quarantine_total == 0 {
        return String::new();
    }
    let shown = parts.quarantine.len() as u64;
    if shown == parts.quarantine_total {
        return format!("{} records were rejected; the raw records are kept.", format::count(shown));
    }
    format!(
        "{} records were rejected; the newest {} are shown. The raw records are kept.",
        format::count(parts.quarantine_total),
        format::count(shown)
    )
}

fn announcement(row: &sync::Model, progress: Option<&SyncProgress>) -> String {
    match progress.and_then(|progress| progress.percent) {
        Some(percent) => format!("Sync {}, {percent} percent", row.state.as_str()),
        None => format!("Sync {}, {} records", row.state.as_str(), row.seen),
    }
}

/// What waits for a person's word.
pub fn held_rows(held: &[held_delete::Model]) -> Vec<HeldRow> {
    let rows = held.iter().map(|held| HeldRow {
        text: format!(
            "{} of {} documents of {} are missing from what the channel shows. If they are gone there, say so; if \
             it had trouble, sync again.",
            format::count(held.vanished),
            format::count(held.total),
            held.stream
        ),
        confirm: PostAction {
            style: ActionStyle::Danger,
            ..PostAction::new(
                "They are gone",
                format!("/connections/{}/streams/{}/deletes", held.connection_id, held.stream),
            )
        },
    });
    rows.collect()
}
