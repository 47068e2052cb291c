//! Cassettes: what a connector and its channel said to each other, in a file that a test replays without network.
//!
//! Recorded on an operator's command alone. A [`Recording`] is what was said; it cannot be written. What can is the
//! [`Cassette`] that [`Recording::scrub`] makes of it, without personal data; secrets the sandbox has taken out
//! before. The format is described in docs/guides/write-a-connector.md.

mod body;
mod json;
mod personal;
mod pseudonyms;
mod scrub;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use json::Json;

use std::collections::BTreeMap;

use portolan_core::Instant;
use serde::{Deserialize, Serialize};

use crate::{Partition, SliceMode, SliceSpec};

/// Name and version of the format; a reader accepts exactly its own.
pub const FORMAT: &str = "portolan-cassette 1";

/// A larger file is no cassette that a person reviews.
const MAX_BYTES: usize = 64 << 20;

/// A file as it is kept. Nothing in it is secret or personal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    pub format: String,
    pub plugin: PluginName,
    /// The run's clock, RFC 3339: plugins see no other.
    pub now: String,
    /// IANA zone of the connection.
    pub time_zone: String,
    /// The connection's configuration without its secrets.
    pub config: Json,
    pub takes: Vec<Take>,
}

/// The build that was recorded; any build may replay it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginName {
    pub id: String,
    pub version: String,
}

/// One slice, from its first page on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Take {
    pub stream: String,
    pub mode: SliceMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// How many pages were asked for; a replay asks for no more.
    pub pages: u32,
    pub exchanges: Vec<Exchange>,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub request: Request,
    pub response: Response,
}

/// A request as the plugin wrote it, before the host added credentials. Its headers are not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub method: String,
    /// A path under the base URL, or an absolute address.
    pub url: String,
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    pub status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// What was said, with the personal data in it: held in memory, and only until it is scrubbed.
pub struct Recording(Cassette);

/// Why a file is no cassette, or cannot be replayed: a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CassetteError(pub String);

impl Cassette {
    /// Reads a file.
    ///
    /// Errors: not of this format, or of another version of it.
    pub fn read(text: &str) -> Result<Self, CassetteError> {
        if text.len() > MAX_BYTES {
            return Err(CassetteError(format!("the cassette is larger than {} MiB", MAX_BYTES >> 20)));
        }
        let broken = |error: serde_json::Error| CassetteError(format!("the file is no cassette: {error}"));
        let whole = Json::parse(text).map_err(broken)?;
        match whole.member("format") {
            Some(Json::Text(format)) if format == FORMAT => {}
            Some(Json::Text(format)) => {
                let format: String = format.chars().take(60).collect();
                return Err(CassetteError(format!(
                    "the cassette is of the format {format:?}, and this program reads {FORMAT:?}: record it anew"
                )));
            }
            _ => {
                return Err(CassetteError(format!(
                    "the file is no cassette: it has no \"format\": {FORMAT:?}"
                )));
            }
        }
        serde_json::from_str(text).map_err(broken)
    }

    /// As it is written: indented, so that two recordings can be compared line by line.
    pub fn write(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The run's clock.
    ///
    /// Errors: it is no instant.
    pub fn now(&self) -> Result<Instant, CassetteError> {
        instant(&self.now, "now")
    }
}

impl Recording {
    pub fn new(plugin: PluginName, now: Instant, time_zone: String, config: Json) -> Self {
        Self(Cassette {
            format: FORMAT.to_owned(),
            plugin,
            now: now.to_rfc3339(),
            time_zone,
            config,
            takes: Vec::new(),
        })
    }

    pub fn push(&mut self, slice: &SliceSpec, pages: u32, exchanges: Vec<Exchange>) {
        self.0.takes.push(Take {
            stream: slice.stream.clone(),
            mode: slice.mode,
            since: slice.since.map(Instant::to_rfc3339),
            until: slice.until.map(Instant::to_rfc3339),
            partition: slice.partition.clone(),
            pages,
            exchanges,
        });
    }

    /// Replaces all that is personal, the same value always by the same: who bought twice is still one buyer.
    pub fn scrub(self) -> Cassette {
        scrub::scrub(self.0)
    }
}

impl Take {
    /// The slice that was recorded.
    ///
    /// Errors: a moment that is none.
    pub fn slice(&self) -> Result<SliceSpec, CassetteError> {
        let moment = |text: &Option<String>, what: &str| match text {
            Some(text) => instant(text, what).map(Some),
            None => Ok(None),
        };
        Ok(SliceSpec {
            stream: self.stream.clone(),
            partition: self.partition.clone(),
            since: moment(&self.since, "since")?,
            until: moment(&self.until, "until")?,
            mode: self.mode,
        })
    }
}

fn instant(text: &str, what: &str) -> Result<Instant, CassetteError> {
    let wrong = || CassetteError(format!("{what} of the cassette is no moment such as 2026-01-31T08:30:00Z"));
    Instant::parse_rfc3339(text).ok_or_else(wrong)
}
