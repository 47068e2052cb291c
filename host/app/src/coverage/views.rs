//! Coverage as a connection's page shows it: a bar of months for each stream, readable as text.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{CoverageMonth, CoverageRow};
use portolan_admin_ui::parts::Tone;
use portolan_connector::manifest::StreamMode;
use portolan_core::calendar::{DateRange, StoreCalendar};
use portolan_core::{Duration, Instant};

use super::api::RECENT;
use super::queries::StreamCoverage;
use super::spans::{Coverage, Span, SpanState};
use crate::web::viewer::Viewer;

/// Months on the map; what is older is told in words.
const MONTHS: i32 = 24;

pub fn mode_name(mode: StreamMode) -> &'static str {
    match mode {
        StreamMode::Incremental => "incremental",
        StreamMode::Snapshot => "snapshot",
        StreamMode::Files => "files",
    }
}

/// Whole minutes since a moment.
pub fn minutes_since(at_us: Option<i64>, now: Instant) -> Option<i64> {
    at_us.map(|at| now.since(Instant(at)).as_ms().max(0) / 60_000)
}

/// A row for each stream that runs.
pub fn coverage_rows(viewer: &Viewer, streams: &[StreamCoverage]) -> Vec<CoverageRow> {
    streams.iter().filter(|stream| stream.row.enabled).map(|stream| row(viewer, stream)).collect()
}

fn row(viewer: &Viewer, stream: &StreamCoverage) -> CoverageRow {
    let now = viewer.now();
    CoverageRow {
        stream: stream.row.name.clone(),
        freshness: match stream.row.last_success_at {
            None => "not complete yet".to_owned(),
            Some(at) => format!("complete {}", viewer.when(Instant(at)).text),
        },
        lag: stream
            .row
            .watermark_at
            .map(|at| format!("changes known up to {} ago", format::span(now.since(Instant(at))))),
        overlap: stream
            .lookback_seconds
            .filter(|seconds| *seconds > 0 && stream.mode == Some(StreamMode::Incremental))
            .map(|seconds| {
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX / 1_000_000);
                format!("each fetch reaches back {}", format::span(Duration::from_secs(seconds)))
            }),
        summary: summary(viewer, stream),
        months: stream.coverage.as_ref().map(|coverage| months(coverage, now)).unwrap_or_default(),
    }
}

fn summary(viewer: &Viewer, stream: &StreamCoverage) -> String {
    let Some(coverage) = &stream.coverage else {
        return match stream.mode {
            Some(StreamMode::Snapshot) => "Taken whole each time.".to_owned(),
            Some(StreamMode::Files) => "As far as files were uploaded.".to_owned(),
            _ => "The plugin does not deliver it (any more).".to_owned(),
        };
    };
    let Some(known) = coverage.newest_complete() else {
        return if coverage.spans.is_empty() {
            "Nothing has been fetched yet.".to_owned()
        } else {
            "Nothing is complete yet.".to_owned()
        };
    };
    let date = |at: Instant| viewer.date_and_time(at);
    let mut told = vec![format!("Complete from {} to {}.", date(known.from), date(known.until))];
    if coverage.knows_the_last(RECENT, viewer.now()) {
        told.push("The last 30 days are in.".to_owned());
    } else {
        told.push("The last 30 days are not all in.".to_owned());
    }
    let holes: Vec<&Span> = coverage
        .spans
        .iter()
        .filter(|span| matches!(span.state, SpanState::Gap | SpanState::Failed))
        .collect();
    if let Some(last) = holes.last() {
        let what = if last.state == SpanState::Failed { "failed" } else { "missing" };
        let more = if holes.len() > 1 { format!(", and {} earlier", holes.len() - 1) } else { String::new() };
        told.push(format!(
            "{} to {} is {what}{more}; the next sync asks again.",
            date(last.from),
            date(last.until)
        ));
    }
    told.join(" ")
}

/// The last months, oldest first; those before the first window are left out.
fn months(coverage: &Coverage, now: Instant) -> Vec<CoverageMonth> {
    let calendar = StoreCalendar::utc();
    let today = calendar.business_date(now);
    let this_month = today.plus_days(1 - i32::try_from(today.day()).unwrap_or(1));
    let first = coverage.spans.first().map(|span| span.from);
    let months = (0..MONTHS).rev().map(|back| this_month.plus_months(-back));
    months
        .filter_map(|month| {
            let (from, until) = calendar.instants(DateRange { from: month, until: month.plus_months(1) });
            first.filter(|first| *first < until)?;
            Some(month_of(coverage, from, until))
        })
        .collect()
}

fn month_of(coverage: &Coverage, from: Instant, until: Instant) -> CoverageMonth {
    let name = from.to_utc().format("%b %Y").to_string();
    let percent = coverage.percent_within(from, until);
    let (tone, words) = match coverage.worst_within(from, until) {
        None => (Tone::Neutral, "not asked for".to_owned()),
        Some(SpanState::Done) => (Tone::Good, "complete".to_owned()),
        Some(SpanState::Unavailable) => (Tone::Neutral, "the channel no longer answers for it".to_owned()),
        Some(SpanState::Running) => (Tone::Active, format!("under way, {percent} % in")),
        Some(SpanState::Gap) => (Tone::Warn, format!("{percent} % in, part is missing")),
        Some(SpanState::Failed) => (Tone::Bad, format!("{percent} % in, part failed")),
    };
    CoverageMonth { label: format!("{name}: {words}"), tone }
}
