//! Where a benchmark works, and the sandbox with the Shopify plugin that most of them need.

use std::path::PathBuf;

use anyhow::{Context, Result};
use bytes::Bytes;
use portolan_connector::{PluginRef, PluginRuntime};
use portolan_core::{Clock, SystemClock};
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};
use portolan_sandbox_shopify::{BulkPlan, Handle, Options as SandboxOptions, Size, ThrottlePlan, serve};
use tokio::net::TcpListener;

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
