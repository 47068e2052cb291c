//! What has been fetched of each stream: a part of a connection's page.

use super::EXTREME_TEXT;
use crate::parts::Tone;

/// One month on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageMonth {
    /// "May 2026: complete".
    pub label: String,
    pub tone: Tone,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    pub stream: String,
    /// "complete 4 min ago".
    pub freshness: String,
    /// "changes known up to 12 min ago".
    pub lag: Option<String>,
    /// "each fetch reaches back 10 min".
    pub overlap: Option<String>,
    /// The map in words.
    pub summary: String,
    /// Oldest first; empty where the stream has no windows.
    pub months: Vec<CoverageMonth>,
}

impl CoverageRow {
    pub fn samples() -> Vec<Self> {
        let month = |label: &str, tone: Tone| CoverageMonth { label: label.into(), tone };
        let mut months = vec![month("Jan 2025: complete", Tone::Good); 16];
        months.push(month("May 2026: 40 % in, part failed", Tone::Bad));
        months.push(month("June 2026: 80 % in, part is missing", Tone::Warn));
        months.push(month("July 2026: under way, 30 % in", Tone::Active));
        vec![
            Self {
                stream: "orders".into(),
                freshness: "complete 4 min ago".into(),
                lag: Some("changes known up to 14 min ago".into()),
                overlap: Some("each fetch reaches back 10 min".into()),
                summary: "Complete from 1 Jan 2025 00:00 to 3 Mar 2026 14:05. The last 30 days are in."
                    .into(),
                months,
            },
            Self {
                stream: "products".into(),
                freshness: "not complete yet".into(),
                lag: None,
                overlap: None,
                summary: "Taken whole each time.".into(),
                months: Vec::new(),
            },
        ]
    }

    pub fn sample_extreme() -> Self {
        Self { stream: EXTREME_TEXT.into(), summary: EXTREME_TEXT.into(), ..Self::samples().remove(0) }
    }
}
