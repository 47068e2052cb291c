//! The lock file, and what of it is built for the targets that are released.

use anyhow::{Context, Result};
use semver::Version;
use serde_json::Value;

use super::toml;

/// One locked package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    pub name: String,
    pub version: Version,
    /// None for the crates of this repository.
    pub source: Option<String>,
    /// SHA-256 of what the registry serves.
    pub checksum: Option<String>,
}

pub fn packages(lock: &str) -> Result<Vec<Package>> {
    let lock = toml::parse(lock).context("Cargo.lock cannot be read")?;
    let packages = lock["package"].as_array().context("Cargo.lock names no packages")?;
    packages.iter().map(package).collect()
}

/// The packages of `cargo metadata` that its platforms need.
pub fn built(metadata: &Value) -> Result<Vec<Package>> {
    let nodes = metadata["resolve"]["nodes"].as_array().context("cargo metadata resolved nothing")?;
    let ids: Vec<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let built = packages.iter().filter(|package| package["id"].as_str().is_some_and(|id| ids.contains(&id)));
    built.map(package).collect()
}

fn package(package: &Value) -> Result<Package> {
    let text = |field: &str| package[field].as_str().map(str::to_owned);
    let name = text("name").context("a package without a name")?;
    let version = text("version").with_context(|| format!("{name} without a version"))?;
    Ok(Package {
        version: version.parse().with_context(|| format!("{name} {version} is no version"))?,
        source: text("source"),
        checksum: text("checksum"),
        name,
    })
}
