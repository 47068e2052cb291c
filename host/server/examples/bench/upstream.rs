//! The sandbox, watched: how long is spent in fetching and in normalising, and, where it is asked to,
//! prepared pages instead of what the shop answers.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use portolan_connector::{
    CheckReport, ConnectionContext, Continuation, Fault, FetchRequest, InstalledPlugin, NormalizeRequest,
    Normalized, Page, Partition, Payload, PluginRef, PluginRuntime, RawChunk,
};
use portolan_core::Instant;
use portolan_plugin_host::SandboxRuntime;

use crate::figure::now_us;
use crate::orders;

pub struct Watched {
    sandbox: SandboxRuntime,
    /// Handed out from the end, one a fetch; `None` where the shop itself is asked.
    prepared: Option<Mutex<Vec<Bytes>>>,
    fetch_us: AtomicU64,
    normalize_us: AtomicU64,
}

impl Watched {
    pub fn new(sandbox: SandboxRuntime, prepared: Option<Vec<Bytes>>) -> Self {
        Self {
            sandbox,
            prepared: prepared.map(Mutex::new),
            fetch_us: AtomicU64::new(0),
            normalize_us: AtomicU64::new(0),
        }
    }

    pub fn fetch_us(&self) -> u64 {
        self.fetch_us.load(Ordering::Relaxed)
    }

    pub fn normalize_us(&self) -> u64 {
        self.normalize_us.load(Ordering::Relaxed)
    }
}

/// The next prepared page; a further one follows while there is one.
fn next_page(pages: &Mutex<Vec<Bytes>>) -> Page {
    let mut pages = pages.lock().unwrap_or_else(PoisonError::into_inner);
    let chunk = |body| RawChunk { info: orders::chunk_info(), payload: Payload::Inline(body) };
    let chunks: Vec<RawChunk> = pages.pop().map(chunk).into_iter().collect();
    let next = match pages.len() {
        0 => Continuation::Done,
        left => Continuation::More(Bytes::from(left.to_string())),
    };
    Page::new(chunks, next)
}

#[async_trait]
impl PluginRuntime for Watched {
    async fn install(&self, component: Bytes) -> Result<InstalledPlugin, Fault> {
        self.sandbox.install(component).await
    }

    fn plugins(&self) -> Vec<InstalledPlugin> {
        self.sandbox.plugins()
    }

    fn find(&self, plugin_id: &str) -> Option<InstalledPlugin> {
        self.sandbox.find(plugin_id)
    }

    async fn check(
        &self,
        plugin: &PluginRef,
        connection: ConnectionContext,
        now: Instant,
    ) -> Result<CheckReport, Fault> {
        self.sandbox.check(plugin, connection, now).await
    }

    async fn partitions(
        &self,
        plugin: &PluginRef,
        connection: ConnectionContext,
        stream: &str,
        now: Instant,
    ) -> Result<Vec<Partition>, Fault> {
        self.sandbox.partitions(plugin, connection, stream, now).await
    }

    async fn fetch(&self, plugin: &PluginRef, request: FetchRequest) -> Result<Page, Fault> {
        if let Some(pages) = &self.prepared {
            return Ok(next_page(pages));
        }
        let start_us = now_us();
        let page = self.sandbox.fetch(plugin, request).await;
        self.fetch_us.fetch_add((now_us() - start_us) as u64, Ordering::Relaxed);
        page
    }

    async fn normalize(&self, plugin: &PluginRef, request: NormalizeRequest) -> Result<Normalized, Fault> {
        let start_us = now_us();
        let normalized = self.sandbox.normalize(plugin, request).await;
        self.normalize_us.fetch_add((now_us() - start_us) as u64, Ordering::Relaxed);
        normalized
    }
}
