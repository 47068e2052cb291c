//! What the product asks of a plugin, without knowing how it runs.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use portolan_commerce::document::{Document, Skipped};
use portolan_core::{ConnectionId, Currency, Instant, TenantId};
use serde::{Deserialize, Serialize};

use crate::{Fault, Manifest};

/// A plugin in one exact version: what a run is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PluginRef {
    pub id: String,
    pub version: String,
    /// SHA-256 of the component, lower-case hex.
    pub sha256: String,
}

/// A plugin that has been read, checked and compiled.
#[derive(Debug, Clone)]
pub struct InstalledPlugin {
    pub plugin: PluginRef,
    pub manifest: Arc<Manifest>,
    /// Size of the component in bytes.
    pub size_bytes: u64,
}

/// A secret as the runtime injects it; never reaches the guest.
#[derive(Clone)]
pub struct SecretValue(Arc<str>);

impl SecretValue {
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretValue(…)")
    }
}

/// An operator's permission to reach what plugins may not reach by themselves: plain http or a
/// loopback or private address. Exact match on all three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressGrant {
    pub scheme: String,
    pub host: String,
    pub port: u16,
}

/// A connection as the runtime needs it for a call.
#[derive(Debug, Clone)]
pub struct ConnectionContext {
    pub tenant: TenantId,
    pub id: ConnectionId,
    /// JSON object, valid against the manifest's schema; secret fields absent.
    pub config: Arc<str>,
    /// Secrets by field name of the manifest's config schema.
    pub secrets: Vec<(String, SecretValue)>,
    pub egress_grants: Vec<EgressGrant>,
    /// IANA zone of the connection.
    pub time_zone: String,
    /// Files staged for this connection (uploads), oldest first.
    pub files: Vec<StagedFile>,
}

/// A file that the host staged for the plugin to look into, already decompressed.
#[derive(Debug, Clone)]
pub struct StagedFile {
    pub id: u64,
    pub stream: String,
    pub name: String,
    pub size_bytes: u64,
    pub content_type: String,
    pub received_at: Instant,
    pub path: PathBuf,
}

/// What the channel says about the account behind a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    pub account: String,
    pub display_name: String,
    pub currency: Option<Currency>,
    pub time_zone: Option<String>,
    pub notes: Vec<String>,
}

/// An independent part of a stream (a shop of an account).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    pub key: String,
    pub label: String,
    pub data: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SliceMode {
    Incremental,
    Backfill,
    Snapshot,
}

/// One unit of fetching: half-open [since, until), absent for snapshot streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceSpec {
    pub stream: String,
    pub partition: Option<Partition>,
    pub since: Option<Instant>,
    pub until: Option<Instant>,
    pub mode: SliceMode,
}

/// Ask for one page of a slice.
#[derive(Debug, Clone)]
pub struct FetchRequest {
    pub connection: ConnectionContext,
    pub slice: SliceSpec,
    /// Opaque; from the page before.
    pub token: Option<Bytes>,
    /// The run's clock, frozen for the guest.
    pub now: Instant,
    pub deadline: Instant,
}

/// How the host cuts a chunk's body into raw records: "json", "json:/orders", "ndjson", "csv", "tsv".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkInfo {
    pub stream: String,
    pub framing: String,
    pub content_type: String,
}

#[derive(Debug, Clone)]
pub enum Payload {
    Inline(Bytes),
    /// Id of a [`StagedFile`] or of a download.
    Staged(u64),
}

#[derive(Debug, Clone)]
pub struct RawChunk {
    pub info: ChunkInfo,
    pub payload: Payload,
}

/// The channel is still preparing the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitFor {
    pub token: Bytes,
    pub wait_ms: u64,
    pub why: String,
}

#[derive(Debug, Clone)]
pub enum Continuation {
    Done,
    More(Bytes),
    Wait(WaitFor),
    Split(Vec<SliceSpec>),
}

/// One page of a slice.
#[derive(Debug, Clone)]
pub struct Page {
    pub chunks: Vec<RawChunk>,
    pub next: Continuation,
    /// How many raw records the channel says the slice has.
    pub expected: Option<u64>,
    pub progress_percent: Option<u8>,
    pub logs: Vec<LogLine>,
    /// What the channel said about its limits during the call, in order.
    pub limits: Vec<ObservedLimit>,
    /// Files that the call streamed into raw storage; chunks name them by [`Payload::Staged`].
    /// Whoever stores the page owns and removes them.
    pub downloads: Vec<StagedFile>,
    /// Bytes of the responses that the call received.
    pub bytes_fetched: u64,
}

impl Page {
    /// A page with these chunks and nothing else to say.
    pub fn new(chunks: Vec<RawChunk>, next: Continuation) -> Self {
        Self {
            chunks,
            next,
            expected: None,
            progress_percent: None,
            logs: Vec::new(),
            limits: Vec::new(),
            downloads: Vec::new(),
            bytes_fetched: 0,
        }
    }
}

/// A quota as the channel told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedLimit {
    pub bucket: String,
    pub remaining: u32,
    pub reset_ms: u64,
}

/// A line a plugin wrote: bounded and scrubbed, still hostile text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub level: String,
    pub message: String,
    pub fields: Vec<(String, String)>,
}

/// Ask for the documents of one chunk. Pure: same bytes, same documents.
#[derive(Debug, Clone)]
pub struct NormalizeRequest {
    pub info: ChunkInfo,
    pub body: Bytes,
    /// JSON object; secret fields absent.
    pub config: Arc<str>,
    pub time_zone: String,
    pub received_at: Instant,
}

/// The documents of one chunk. `seen = emitted + skipped` counts raw records and is checked by
/// the runtime; `emitted` contributed to at least one document.
#[derive(Debug, Clone, Default)]
pub struct Normalized {
    pub documents: Vec<Document>,
    pub skipped: Vec<Skipped>,
    pub seen: u32,
    pub emitted: u32,
    pub logs: Vec<LogLine>,
}

/// Runs plugins.
#[async_trait]
pub trait PluginRuntime: Send + Sync + 'static {
    /// Reads, checks and compiles a component. Nothing of it runs before its manifest is valid.
    async fn install(&self, component: Bytes) -> Result<InstalledPlugin, Fault>;

    /// Every installed plugin.
    fn plugins(&self) -> Vec<InstalledPlugin>;

    /// The plugin with this id, in its newest installed version.
    fn find(&self, plugin_id: &str) -> Option<InstalledPlugin>;

    /// The plugin in exactly this build.
    fn build(&self, sha256: &str) -> Option<InstalledPlugin> {
        self.plugins().into_iter().find(|installed| installed.plugin.sha256 == sha256)
    }

    /// Asks the channel who is behind the connection.
    async fn check(
        &self,
        plugin: &PluginRef,
        connection: ConnectionContext,
        now: Instant,
    ) -> Result<CheckReport, Fault>;

    async fn partitions(
        &self,
        plugin: &PluginRef,
        connection: ConnectionContext,
        stream: &str,
        now: Instant,
    ) -> Result<Vec<Partition>, Fault>;

    async fn fetch(&self, plugin: &PluginRef, request: FetchRequest) -> Result<Page, Fault>;

    async fn normalize(&self, plugin: &PluginRef, request: NormalizeRequest) -> Result<Normalized, Fault>;
}
