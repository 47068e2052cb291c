//! Drift as a connection's page shows it.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{DriftPath, DriftRow};
use portolan_admin_ui::parts::{Badge, Tone};

use super::compare::PathDrift;
use super::queries::StreamDrift;

/// Paths that a page lists of one stream.
const SHOWN: usize = 20;

/// A row for each stream that sends JSON.
pub fn drift_rows(streams: &[StreamDrift]) -> Vec<DriftRow> {
    streams.iter().map(row).collect()
}

fn row(stream: &StreamDrift) -> DriftRow {
    let left = stream.drift.len().saturating_sub(SHOWN);
    DriftRow {
        stream: stream.stream.clone(),
        summary: if stream.records_before == 0 {
            format!(
                "{} fields; the first day, so there is nothing to compare with.",
                format::count(stream.paths as u64)
            )
        } else if stream.drift.is_empty() {
            format!("{} fields, as on the days before.", format::count(stream.paths as u64))
        } else {
            format!(
                "{} differ from the days before {}.",
                format::count(stream.drift.len() as u64),
                format::date(stream.day)
            )
        },
        paths: stream.drift.iter().take(SHOWN).map(path).collect(),
        left_out: (left > 0).then(|| format!("{} more", format::count(left as u64))),
    }
}

fn path(drift: &PathDrift) -> DriftPath {
    let words = |types: &[String]| types.join(" or ");
    let (tone, text) = match drift.what.as_str() {
        "vanished" => (Tone::Bad, format!("was {}", words(&drift.before))),
        "changed" => (Tone::Warn, format!("was {}, now {}", words(&drift.before), words(&drift.now))),
        _ => (Tone::Active, words(&drift.now)),
    };
    DriftPath { path: drift.path.clone(), state: Badge::new(drift.what.as_str(), tone), text }
}
