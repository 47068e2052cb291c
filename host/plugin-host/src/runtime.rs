//! [`SandboxRuntime`]: plugins installed, and the calls into them. A fresh store for every call: no
//! tenant's data outlives it, and a plugin that failed left nothing behind.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;
use portolan_connector::rate::LocalBudgets;
use portolan_connector::{
    CheckReport, ConnectionContext, Fault, FetchRequest, InstalledPlugin, Manifest, NormalizeRequest,
    Normalized, Page, Partition, Payload, PluginKind, PluginRef, PluginRuntime,
};
use portolan_core::Instant;
use tokio::sync::Semaphore;
use wasmtime::Engine;

use crate::cache::ArtefactCache;
use crate::call::{Call, Prepared};
use crate::capability::http::{Clients, Seats, SharedHttp, Tape};
use crate::linker::{Linked, Linkers};
use crate::options::Options;
use crate::{cache, convert, engine, load};

/// Ids of downloads begin far above those of uploads, which the caller counts.
const FIRST_DOWNLOAD_ID: u64 = 1 << 62;

/// Runs plugins in the sandbox. Cheap to clone.
#[derive(Clone)]
pub struct SandboxRuntime {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    linkers: Linkers,
    cache: ArtefactCache,
    options: Options,
    http: Arc<SharedHttp>,
    calls: Arc<Semaphore>,
    /// One at a time: compiling takes a core and much memory, and whoever uploads decides how much.
    compiling: tokio::sync::Mutex<()>,
    plugins: RwLock<Registry>,
}

#[derive(Default)]
struct Registry {
    by_hash: HashMap<String, Arc<Loaded>>,
    /// In the order of installation.
    order: Vec<String>,
}

/// A compiled plugin.
pub(crate) struct Loaded {
    pub installed: InstalledPlugin,
    pub linked: Linked,
    /// Calls of this plugin that run at once: fewer than all places, so that however many calls of one
    /// plugin hang, others find room.
    pub places: Arc<Semaphore>,
}

/// Why the sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the WebAssembly engine did not start: {0}")]
    Engine(String),
    #[error("the plugin data folder {path} cannot be used: {error}")]
    Folder { path: String, error: std::io::Error },
}

impl SandboxRuntime {
    pub fn new(options: Options) -> Result<Self, SetupError> {
        let broken = |error: wasmtime::Error| SetupError::Engine(format!("{error:#}"));
        let engine = engine::new_engine().map_err(broken)?;
        let linkers = Linkers::new(&engine).map_err(broken)?;
        let cache_dir = options.data_dir.join("plugin-cache");
        let downloads_dir = options.data_dir.join("downloads");
        for folder in [&cache_dir, &downloads_dir] {
            std::fs::create_dir_all(folder)
                .map_err(|error| SetupError::Folder { path: folder.display().to_string(), error })?;
        }
        let http = Arc::new(SharedHttp {
            clients: Clients::new(options.http.clone(), options.clock.clone()),
            budgets: options
                .budgets
                .clone()
                .unwrap_or_else(|| Arc::new(LocalBudgets::new(options.clock.clone()))),
            seats: Seats::new(options.seats.clone()),
            options: options.http.clone(),
            clock: options.clock.clone(),
            downloads_dir,
            next_download: AtomicU64::new(FIRST_DOWNLOAD_ID),
        });
        let inner = Inner {
            engine,
            linkers,
            cache: ArtefactCache::new(cache_dir, options.cache_key.clone()),
            calls: Arc::new(Semaphore::new(options.limits.concurrent_calls.max(1))),
            compiling: tokio::sync::Mutex::new(()),
            http,
            options,
            plugins: RwLock::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Instantiates a plugin and drops it: what a call costs before it does anything.
    pub async fn instantiate(&self, plugin: &PluginRef) -> Result<(), Fault> {
        let prepared = Prepared::pure(self.loaded(plugin)?, &self.inner.options, empty_normalize());
        self.call(prepared).await?.instantiate().await
    }

    /// Where the compiled artefact of a plugin lies.
    pub fn artefact_path(&self, sha256: &str) -> std::path::PathBuf {
        self.inner.cache.path_of(&self.inner.engine, sha256)
    }

    fn loaded(&self, plugin: &PluginRef) -> Result<Arc<Loaded>, Fault> {
        let registry = self.inner.plugins.read().unwrap_or_else(PoisonError::into_inner);
        registry.by_hash.get(&plugin.sha256).cloned().ok_or_else(|| Fault::Other {
            other_code: "plugin_missing".to_owned(),
            retryable: true,
            detail: format!(
                "plugin {} {} is not installed on this server: install the same file again, or choose another version",
                plugin.id, plugin.version
            ),
        })
    }

    /// Waits for a free place, then opens the store.
    async fn call(&self, prepared: Prepared) -> Result<Call, Fault> {
        let closed =
            |_| Fault::Transient { after_ms: None, detail: "the sandbox is shutting down".to_owned() };
        // The plugin's own place first: who waits for that holds none of the others' places.
        let of_plugin = prepared.places().acquire_owned().await.map_err(closed)?;
        let of_all = self.inner.calls.clone().acquire_owned().await.map_err(closed)?;
        prepared.open(&self.inner.engine, [of_plugin, of_all])
    }

    fn prepare(
        &self,
        plugin: &PluginRef,
        connection: &ConnectionContext,
        now: Instant,
    ) -> Result<Prepared, Fault> {
        Prepared::fetching(
            self.loaded(plugin)?,
            &self.inner.options,
            self.inner.http.clone(),
            connection,
            now,
        )
    }

    /// One page, with a tape beside the network or in its place.
    pub(crate) async fn fetch_taped(
        &self,
        plugin: &PluginRef,
        request: FetchRequest,
        tape: Option<Arc<Tape>>,
    ) -> Result<Page, Fault> {
        let prepared = self
            .prepare(plugin, &request.connection, request.now)?
            .within(request.now, request.deadline)
            .taped(tape);
        let scrubber = prepared.scrubber.clone();
        let manifest = prepared.manifest();
        let (answer, state) = self.call(prepared).await?.fetch(&request).await?;
        let http = state.http;
        let staged = |id| {
            state.files.contains(id) || http.as_ref().is_some_and(|http| http.download_path(id).is_some())
        };
        let check = convert::PageCheck {
            manifest: &manifest,
            limits: &self.inner.options.limits,
            scrubber: &scrubber,
            slice: &request.slice,
            staged: &staged,
        };
        let mut page = convert::page(&check, answer)?;
        page.logs = state.log.take();
        if let Some(http) = http {
            let named = |id| {
                page.chunks.iter().any(|chunk| matches!(chunk.payload, Payload::Staged(named) if named == id))
            };
            let outcome = http.finish(&request.slice.stream, named).map_err(|error| Fault::Transient {
                after_ms: None,
                detail: format!("a download could not be kept: {error}"),
            })?;
            page.bytes_fetched = outcome.bytes_fetched;
            page.limits = outcome.limits;
            page.downloads = outcome.downloads;
        }
        Ok(page)
    }

    fn register(&self, loaded: Arc<Loaded>) {
        let mut registry = self.inner.plugins.write().unwrap_or_else(PoisonError::into_inner);
        let sha256 = loaded.installed.plugin.sha256.clone();
        registry.order.retain(|known| *known != sha256);
        registry.order.push(sha256.clone());
        registry.by_hash.insert(sha256, loaded);
    }
}

fn empty_normalize() -> NormalizeRequest {
    NormalizeRequest {
        info: portolan_connector::ChunkInfo {
            stream: String::new(),
            framing: "json".to_owned(),
            content_type: String::new(),
        },
        body: Bytes::new(),
        config: Arc::from("{}"),
        time_zone: "UTC".to_owned(),
        received_at: Instant(0),
    }
}

#[async_trait]
impl PluginRuntime for SandboxRuntime {
    async fn install(&self, component: Bytes) -> Result<InstalledPlugin, Fault> {
        let inner = self.inner.clone();
        let _turn = self.inner.compiling.lock().await;
        // Compiling takes seconds of a core: never on the threads that answer requests.
        let loaded = tokio::task::spawn_blocking(move || compile(&inner, &component))
            .await
            .map_err(|error| load::refuse("invalid_component", format!("compiling it failed: {error}")))??;
        let loaded = Arc::new(loaded);
        self.register(loaded.clone());
        Ok(loaded.installed.clone())
    }

    fn plugins(&self) -> Vec<InstalledPlugin> {
        let registry = self.inner.plugins.read().unwrap_or_else(PoisonError::into_inner);
        registry
            .order
            .iter()
            .filter_map(|sha256| registry.by_hash.get(sha256))
            .map(|loaded| loaded.installed.clone())
            .collect()
    }

    fn find(&self, plugin_id: &str) -> Option<InstalledPlugin> {
        let all = self.plugins().into_iter().filter(|installed| installed.plugin.id == plugin_id);
        // `max_by_key` keeps the last of equals: of two builds of one version, the one installed later.
        all.max_by_key(|installed| version_order(&installed.plugin.version))
    }

    async fn check(
        &self,
        plugin: &PluginRef,
        connection: ConnectionContext,
        now: Instant,
    ) -> Result<CheckReport, Fault> {
        let prepared = self.prepare(plugin, &connection, now)?;
        let scrubber = prepared.scrubber.clone();
        let report = self.call(prepared).await?.check(&connection, now).await?;
        convert::check_report(report, &scrubber)
    }

    async fn partitions(
        &self,
        plugin: &PluginRef,
        connection: ConnectionContext,
        stream: &str,
        now: Instant,
    ) -> Result<Vec<Partition>, Fault> {
        let prepared = self.prepare(plugin, &connection, now)?;
        let scrubber = prepared.scrubber.clone();
        let partitions = self.call(prepared).await?.partitions(&connection, stream, now).await?;
        convert::partitions(partitions, &self.inner.options.limits, &scrubber)
    }

    async fn fetch(&self, plugin: &PluginRef, request: FetchRequest) -> Result<Page, Fault> {
        self.fetch_taped(plugin, request, None).await
    }

    async fn normalize(&self, plugin: &PluginRef, request: NormalizeRequest) -> Result<Normalized, Fault> {
        let prepared = Prepared::pure(self.loaded(plugin)?, &self.inner.options, request);
        let (summary, state) = self.call(prepared).await?.normalize().await?;
        state.sink.reconcile(&summary).map_err(|detail| Fault::PluginBug { detail })?;
        let logs = state.log.take();
        let (documents, skipped) = state.sink.into_output();
        Ok(Normalized { documents, skipped, seen: summary.seen, emitted: summary.emitted, logs })
    }
}

fn compile(inner: &Inner, component: &[u8]) -> Result<Loaded, Fault> {
    let inspected = load::inspect(component, inner.options.limits.component_bytes)?;
    require_connector(&inspected.manifest)?;
    let words = |error: wasmtime::Error| {
        let detail: String =
            format!("{error:#}").chars().filter(|character| !character.is_control()).take(400).collect();
        load::refuse(
            "invalid_component",
            format!("it does not fit the contract ({detail}): rebuild it with the SDK"),
        )
    };
    let linked = if let Some(compiled) = inner.cache.load(&inner.engine, &inspected.sha256) {
        inner.linkers.link(&compiled).map_err(words)?
    } else {
        load::cost::check(component)?;
        let (compiled, artefact) = cache::compile(&inner.engine, component).map_err(words)?;
        let linked = inner.linkers.link(&compiled).map_err(words)?;
        inner.cache.store(&inner.engine, &inspected.sha256, &artefact);
        linked
    };
    let manifest = Arc::new(inspected.manifest);
    Ok(Loaded {
        installed: InstalledPlugin {
            plugin: PluginRef {
                id: manifest.id.clone(),
                version: manifest.version.clone(),
                sha256: inspected.sha256,
            },
            manifest,
            size_bytes: component.len() as u64,
        },
        linked,
        places: Arc::new(Semaphore::new((inner.options.limits.concurrent_calls / 2).max(1))),
    })
}

fn require_connector(manifest: &Manifest) -> Result<(), Fault> {
    if manifest.kind == PluginKind::Connector {
        return Ok(());
    }
    Err(load::refuse("unsupported_kind", "it is a report; this host runs connectors".to_owned()))
}

/// Numbers of a version; a pre-release comes before its release.
fn version_order(version: &str) -> (Vec<u64>, bool, String) {
    let (numbers, pre_release) = version.split_once('-').unwrap_or((version, ""));
    let numbers = numbers.split('.').map(|number| number.parse().unwrap_or_default()).collect();
    (numbers, pre_release.is_empty(), pre_release.to_owned())
}
