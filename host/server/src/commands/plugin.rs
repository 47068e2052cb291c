//! `portolan plugin`: install, list, inspect, replay.

use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;
use portolan_app::plugins::ops::{install_plugin, load_installed};
use portolan_connector::PluginRuntime as _;
use portolan_core::SystemRandom;
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};

use super::user::sentence;
use super::{print_line, record};
use crate::cli::PluginCommand;
use crate::wire::{Portolan, components_in};

pub async fn run(command: PluginCommand) -> Result<()> {
    match command {
        PluginCommand::List { place } => {
            let portolan = Portolan::open(&place).await?;
            load_installed(&portolan.app).await.map_err(sentence)?;
            for installed in portolan.app.runtime.plugins() {
                print_line(&format!(
                    "{} {} {}",
                    installed.plugin.id, installed.plugin.version, installed.plugin.sha256
                ))?;
            }
            Ok(())
        }
        PluginCommand::Install { place, file } => {
            let portolan = Portolan::open(&place).await?;
            install_file(&portolan, &file).await
        }
        PluginCommand::Inspect { file } => inspect(&file).await,
        PluginCommand::Replay { cassette, file, json } => record::replay(&cassette, &file, json).await,
    }
}

/// Installs every component of a folder.
pub async fn install_folder(portolan: &Portolan, folder: &Path) -> Result<()> {
    for file in components_in(folder)? {
        install_file(portolan, &file).await?;
    }
    Ok(())
}

async fn install_file(portolan: &Portolan, file: &Path) -> Result<()> {
    let component = read(file)?;
    let installed = install_plugin(&portolan.app, component).await.map_err(sentence);
    let installed = installed.with_context(|| format!("{} cannot be installed", file.display()))?;
    tracing::info!(
        plugin.id = installed.plugin.id,
        plugin.version = installed.plugin.version,
        "plugin installed"
    );
    Ok(())
}

/// Reads the manifest without running anything, in a throw-away folder.
async fn inspect(file: &Path) -> Result<()> {
    let component = read(file)?;
    let installed = throw_away_sandbox(async |sandbox| Ok(sandbox.install(component).await?)).await?;
    print_line(&format!("sha256 {}\nsize   {} bytes", installed.plugin.sha256, installed.size_bytes))?;
    print_line(&serde_json::to_string_pretty(&*installed.manifest)?)
}

/// A sandbox without a data folder, for as long as something is done with it.
pub async fn throw_away_sandbox<T>(act: impl AsyncFnOnce(SandboxRuntime) -> Result<T>) -> Result<T> {
    let folder = std::env::temp_dir().join(format!("portolan-inspect-{}", std::process::id()));
    let mut key = [0_u8; 32];
    portolan_core::Random::fill(&SystemRandom, &mut key);
    let sandbox = SandboxRuntime::new(Options::new(folder.clone(), CacheKey::new(key)))?;
    let done = act(sandbox).await;
    std::fs::remove_dir_all(&folder).ok();
    done
}

pub fn read(file: &Path) -> Result<Bytes> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Bytes::from(bytes))
}
