//! What the server decides about its sandbox.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use portolan_connector::rate::{RateBudgets, RateSeats};
use portolan_core::{Clock, SystemClock};

use crate::capability::http::Lookup;

/// The server key that authenticates compiled artefacts: whoever can write one without it can run
/// nothing, whoever has it can run native code.
#[derive(Clone)]
pub struct CacheKey(Arc<[u8; 32]>);

impl CacheKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(bytes))
    }
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CacheKey(…)")
    }
}

/// How the sandbox is set up.
#[derive(Clone)]
pub struct Options {
    /// Compiled artefacts and downloads lie in folders below it.
    pub data_dir: PathBuf,
    pub cache_key: CacheKey,
    pub limits: Limits,
    pub http: HttpOptions,
    /// Where rate budgets are kept; in this process alone unless several share a database.
    pub budgets: Option<Arc<dyn RateBudgets>>,
    /// Where the requests in flight of each quota are counted beyond this process; nowhere unless several share a
    /// database.
    pub seats: Option<Arc<dyn RateSeats>>,
    pub clock: Arc<dyn Clock>,
}

impl Options {
    pub fn new(data_dir: impl Into<PathBuf>, cache_key: CacheKey) -> Self {
        Self {
            data_dir: data_dir.into(),
            cache_key,
            limits: Limits::default(),
            http: HttpOptions::default(),
            budgets: None,
            seats: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Ceilings: a manifest may ask for less than these, or for more than its own defaults up to these.
#[derive(Debug, Clone)]
pub struct Limits {
    pub component_bytes: usize,
    pub memory_bytes: u64,
    pub cpu_ms: u64,
    pub wall_ms: u64,
    /// Calls that run at once; further ones wait.
    pub concurrent_calls: usize,
    /// Bytes that one host call may carry out of the guest.
    pub hostcall_bytes: usize,
    pub log_lines: usize,
    pub log_bytes: usize,
    /// Documents and skips of one normalize call.
    pub sink_rows: usize,
    /// Text and numbers of these documents.
    pub sink_bytes: usize,
    pub token_bytes: usize,
    /// Inline chunks of one page together.
    pub page_bytes: usize,
    pub chunks: usize,
    pub split_slices: usize,
    pub partitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 64 << 20,
            memory_bytes: 256 << 20,
            cpu_ms: 60_000,
            wall_ms: 600_000,
            concurrent_calls: 32,
            hostcall_bytes: 72 << 20,
            log_lines: 500,
            log_bytes: 128 << 10,
            sink_rows: 200_000,
            sink_bytes: 128 << 20,
            token_bytes: 64 << 10,
            page_bytes: 64 << 20,
            chunks: 1_000,
            split_slices: 10_000,
            partitions: 10_000,
        }
    }
}

/// What the http capability allows itself.
#[derive(Clone)]
pub struct HttpOptions {
    pub response_bytes: u64,
    pub download_bytes: u64,
    pub request_timeout_ms: u64,
    pub connect_timeout_ms: u64,
    pub redirects: usize,
    /// Bodies of one plugin call together: they may be held at once.
    pub bodies_per_call_bytes: u64,
    /// Requests of one plugin call.
    pub requests_per_call: u32,
    /// Requests of one `send-all` that run at once.
    pub concurrent_requests: usize,
    /// The longest a request waits for its rate bucket before it is `throttled`.
    pub bucket_wait_ms: u64,
    pub user_agent: String,
    /// Where addresses come from; the operating system's resolver unless a test says otherwise.
    pub lookup: Option<Arc<dyn Lookup>>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            response_bytes: 64 << 20,
            download_bytes: 4 << 30,
            request_timeout_ms: 60_000,
            connect_timeout_ms: 10_000,
            redirects: 5,
            bodies_per_call_bytes: 256 << 20,
            requests_per_call: 1_000,
            concurrent_requests: 8,
            bucket_wait_ms: 2_000,
            user_agent: concat!("Portolan/", env!("CARGO_PKG_VERSION")).to_owned(),
            lookup: None,
        }
    }
}
