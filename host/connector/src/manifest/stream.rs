//! A stream: one kind of thing that a connection delivers, with the facts the planner needs.

use portolan_commerce::document::Entity;
use portolan_core::Duration;
use serde::{Deserialize, Serialize};

use super::subject::SubjectPlace;

/// One kind of thing that a connection delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamDeclaration {
    pub name: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// The document that its records make.
    pub entity: Entity,
    /// Documents that its records make besides.
    #[serde(default)]
    pub further_entities: Vec<Entity>,
    pub mode: StreamMode,
    /// How chunks are cut into raw records: `json:/orders`, `ndjson`, `csv`, …
    pub framing: String,
    /// Where a raw record carries its identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_key: Option<String>,
    /// The field that the API *filters* on; the watermark stands on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor_field: Option<String>,
    #[serde(default)]
    pub cursor_kind: CursorKind,
    /// The finest step of the filter.
    #[serde(default = "one_second")]
    pub granularity_seconds: u64,
    /// The widest window that the API accepts; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_window_seconds: Option<u64>,
    /// How far behind the watermark each run starts again.
    #[serde(default)]
    pub lookback_seconds: u64,
    /// How far before now a window has to end.
    #[serde(default)]
    pub lag_seconds: u64,
    /// How far back the channel answers; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_seconds: Option<u64>,
    /// Cron expression of five fields, UTC; absent: every 6 hours with jitter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_schedule: Option<String>,
    /// Whether `partitions` is asked and the stream is planned per partition.
    #[serde(default)]
    pub partitioned: bool,
    /// Whether a new connection starts with it.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Paths of personal data inside a raw record: taken out before staging.
    #[serde(default)]
    pub personal_data: Vec<String>,
    /// JSON pointer into the connection's configuration to further such paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_data_from: Option<String>,
    /// Where the customer's id stands: a pseudonym is put in its place before staging.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<SubjectPlace>,
    /// What the channel writes in front of such an id in some places and leaves out in others: taken off before the
    /// pseudonym is made, so that both are the same customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_prefix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// Asked by windows of its cursor field.
    Incremental,
    /// Asked as a whole.
    Snapshot,
    /// Fed by whatever files wait for it.
    Files,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorKind {
    #[default]
    Updated,
    /// Later edits do not come back by themselves.
    Created,
}

impl StreamDeclaration {
    pub fn granularity(&self) -> Duration {
        seconds(self.granularity_seconds)
    }
    pub fn largest_window(&self) -> Option<Duration> {
        self.largest_window_seconds.map(seconds)
    }
    pub fn lookback(&self) -> Duration {
        seconds(self.lookback_seconds)
    }
    pub fn lag(&self) -> Duration {
        seconds(self.lag_seconds)
    }
    pub fn retention(&self) -> Option<Duration> {
        self.retention_seconds.map(seconds)
    }
}

/// Capped at a thousand years: a manifest's number must not overflow arithmetic on instants.
fn seconds(seconds: u64) -> Duration {
    const THOUSAND_YEARS: u64 = 31_536_000_000;
    Duration::from_secs(seconds.min(THOUSAND_YEARS) as i64)
}

const fn one_second() -> u64 {
    1
}

const fn enabled() -> bool {
    true
}
