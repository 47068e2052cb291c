//! What else a manifest declares: rate buckets, webhooks, files, mail, limits.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A quota as its holder meters it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateBucket {
    pub id: String,
    pub scope: BucketScope,
    /// The most tokens it holds.
    pub capacity: f64,
    pub refill_per_second: f64,
    /// The most requests in flight, of all who share it; absent: the host's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
}

/// Who shares a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BucketScope {
    Connection,
    Account,
    Plugin,
}

/// A topic that the channel pushes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookTopic {
    pub topic: String,
    pub streams: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id_header: Option<String>,
    #[serde(default = "three_days")]
    pub replay_window_seconds: u64,
    pub verification: Verification,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Value>,
}

/// How the host proves who sent a webhook, before it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub algorithm: String,
    /// A secret field of the configuration.
    pub secret: String,
    pub header: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    pub encoding: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_seconds: Option<u64>,
}

/// A stream that is fed by uploaded files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNeed {
    pub stream: String,
    /// What a file may end in, before `.gz` or `.xz`: `.csv`, `.tsv`. Anything, where none is named.
    #[serde(default)]
    pub extensions: Vec<String>,
    #[serde(default)]
    pub content_types: Vec<String>,
    /// Of the decompressed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_bytes: Option<u64>,
    #[serde(default)]
    pub help: String,
}

/// Reports that arrive by mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pub streams: Vec<String>,
    #[serde(default)]
    pub senders: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_contains: Option<String>,
    #[serde(default)]
    pub attachment_extensions: Vec<String>,
}

/// What the plugin needs beyond the defaults; the host's own ceilings hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestedLimits {
    /// Linear memory of one instance.
    pub memory_bytes: u64,
    /// Computing time of one call.
    pub cpu_ms: u64,
    /// Duration of one call, waiting for the network included.
    pub wall_ms: u64,
    /// Largest body of one response.
    pub response_bytes: u64,
    /// Where the host cuts staged files; a document that is larger is not cut.
    pub chunk_bytes: u64,
    /// The same, counted in records.
    pub chunk_records: u32,
    /// After so many pages a slice is taken to be a loop.
    pub pages_per_slice: u32,
    /// How often a transient fault is tried again.
    pub retries: u32,
}

impl Default for RequestedLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            cpu_ms: 10_000,
            wall_ms: 120_000,
            response_bytes: 16 << 20,
            chunk_bytes: 1 << 20,
            chunk_records: 1_000,
            pages_per_slice: 100_000,
            retries: 8,
        }
    }
}

const fn three_days() -> u64 {
    259_200
}
