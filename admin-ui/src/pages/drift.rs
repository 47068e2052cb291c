//! How the raw records of each stream have changed: a part of a connection's page.

use super::EXTREME_TEXT;
use crate::parts::{Badge, Tone};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftPath {
    /// "lines[].price".
    pub path: String,
    /// "new", "vanished", "changed".
    pub state: Badge,
    /// "was string, now number".
    pub text: String,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftRow {
    pub stream: String,
    pub summary: String,
    pub paths: Vec<DriftPath>,
    /// "12 more".
    pub left_out: Option<String>,
}

impl DriftRow {
    pub fn samples() -> Vec<Self> {
        let path = |path: &str, what: &str, tone: Tone, text: &str| DriftPath {
            path: path.into(),
            state: Badge::new(what, tone),
            text: text.into(),
        };
        vec![
            Self {
                stream: "orders".into(),
                summary: "3 differ from the days before 3 Mar 2026.".into(),
                paths: vec![
                    path("lines[].price", "changed", Tone::Warn, "was string, now number"),
                    path("customer.tier", "new", Tone::Active, "string"),
                    path("landing_site", "vanished", Tone::Bad, "was null or string"),
                ],
                left_out: None,
            },
            Self {
                stream: "products".into(),
                summary: "41 fields, as on the days before.".into(),
                paths: Vec::new(),
                left_out: None,
            },
        ]
    }

    pub fn sample_extreme() -> Self {
        let mut row = Self::samples().remove(0);
        row.stream = EXTREME_TEXT.into();
        row.paths = vec![DriftPath { path: EXTREME_TEXT.into(), ..row.paths[0].clone() }; 20];
        row.left_out = Some("1 980 more".into());
        row
    }
}
