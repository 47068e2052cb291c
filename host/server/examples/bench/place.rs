//! Where a benchmark works, and the sandbox with the Shopify plugin that most of them need.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use portolan_access::oidc::{AskOutside, IncomingAnswer, OutgoingRequest, Outside, OutsideError};
use portolan_access::{KeyRing, Sessions};
use portolan_app::company::domains::lookup::NoDns;
use portolan_app::live::LiveBus;
use portolan_app::web::limits::{Allowances, RequestLimits};
use portolan_app::web::proxies::TrustedProxies;
use portolan_app::{App, CHART_BUNDLE};
use portolan_charts::ChartRenderer;
use portolan_connector::{PluginRef, PluginRuntime};
use portolan_core::{Clock, Random, SystemClock, SystemRandom};
use portolan_db::Database;
use portolan_facts::FactStore;
use portolan_jobs::Queue;
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};
use portolan_sandbox_shopify::{BulkPlan, Handle, Options as SandboxOptions, Size, ThrottlePlan, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The access token that the sandbox shop accepts.
pub const TOKEN: &str = "shpat_sandbox";

pub struct Place {
    pub data_dir: PathBuf,
    pub plugins_dir: PathBuf,
    pub small: bool,
}

impl Place {
    /// How often something is measured.
    pub fn rounds(&self, rounds: usize) -> usize {
        if self.small { (rounds / 100).max(1) } else { rounds }
    }

    /// The built Shopify plugin.
    pub fn component(&self) -> Result<Bytes> {
        let file = self.plugins_dir.join("shopify.wasm");
        let bytes = std::fs::read(&file)
            .with_context(|| format!("{} cannot be read; `cargo xtask plugins` builds it", file.display()))?;
        Ok(Bytes::from(bytes))
    }

    /// A sandbox with nothing installed, on the same cache as every other of this place.
    pub fn sandbox(&self) -> Result<SandboxRuntime> {
        Ok(SandboxRuntime::new(Options::new(self.data_dir.clone(), CacheKey::new([7; 32])))?)
    }

    /// A sandbox with the Shopify plugin.
    pub async fn sandbox_with_shopify(&self) -> Result<(SandboxRuntime, PluginRef)> {
        let runtime = self.sandbox()?;
        let plugin = runtime.install(self.component()?).await?.plugin;
        Ok((runtime, plugin))
    }
}

/// No benchmark asks an identity provider.
struct Nobody;

#[async_trait]
impl AskOutside for Nobody {
    fn permits(&self, _: &str) -> Result<(), OutsideError> {
        Err(OutsideError("benchmarks ask nobody".to_owned()))
    }

    async fn ask(&self, request: OutgoingRequest) -> Result<IncomingAnswer, OutsideError> {
        self.permits(&request.url).and_then(|()| Err(OutsideError("benchmarks ask nobody".to_owned())))
    }
}

/// A Portolan on this database, with this runtime.
pub fn open_app(
    folder: &Path,
    db: Database,
    runtime: Arc<dyn PluginRuntime>,
) -> Result<(Arc<App>, FactStore)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let facts = FactStore::new(db.clone(), &folder.join("parts"), Arc::clone(&clock), Arc::clone(&random))?;
    let app = Arc::new(App {
        runtime,
        engine: Arc::new(facts.clone()),
        charts: ChartRenderer::new(CHART_BUNDLE)?,
        queue: Queue::new(db.clone(), Arc::clone(&clock), Arc::clone(&random)),
        sessions: Sessions::new(db.clone(), Arc::clone(&clock), Arc::clone(&random)),
        limits: RequestLimits::new(Arc::clone(&clock), Allowances::NONE),
        outside: Outside::new(Arc::new(Nobody), Arc::clone(&clock)),
        live: LiveBus::default(),
        stopping: CancellationToken::new(),
        public_address: None,
        trusted_proxies: TrustedProxies::default(),
        dns: Arc::new(NoDns),
        key_ring: Arc::new(KeyRing::load_or_create(folder, None, &*random)?),
        db,
        clock,
        random,
        data_dir: folder.to_owned(),
        audit_anchors: None,
        mail: None,
    });
    Ok((app, facts))
}

/// A sandbox shop of this size whose history ends today.
pub async fn open_shop(size: Size) -> Result<Handle> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let until = SystemClock.now().0 / 1_000_000;
    let options = SandboxOptions {
        size,
        seed: 1,
        until,
        token: TOKEN.to_owned(),
        throttle: ThrottlePlan::GENEROUS,
        bulk: BulkPlan::USUAL,
        remember_bytes: 256 << 20,
    };
    Ok(serve(listener, options)?)
}
