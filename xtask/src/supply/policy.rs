//! `deny.toml`: what is accepted, and the exceptions with their reasons.

use anyhow::{Context, Result};
use semver::VersionReq;
use serde_json::Value;

use super::Finding;
use super::lock::Package;
use super::toml::{self, strings};

/// What is accepted.
#[derive(Debug, Default)]
pub struct Policy {
    /// Triples that are built.
    pub targets: Vec<String>,
    pub registries: Vec<String>,
    /// SPDX identifiers, with `WITH` where there is an exception.
    pub licences: Vec<String>,
    pub forbidden: Vec<Entry>,
    /// Duplicate versions that are put up with.
    pub duplicates: Vec<Entry>,
    /// Advisories that do not concern this product.
    pub ignored: Vec<Entry>,
}

/// One entry of a list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// A crate's name, or an advisory's id.
    pub name: String,
    /// Which versions of the crate; all where nothing is said.
    pub version: VersionReq,
    pub reason: String,
}

impl Entry {
    pub fn is_about(&self, package: &Package) -> bool {
        self.name == package.name && self.version.matches(&package.version)
    }
}

impl Policy {
    pub fn parse(text: &str) -> Result<Self> {
        let file = toml::parse(text).context("deny.toml cannot be read")?;
        let targets = file["graph"]["targets"].as_array().into_iter().flatten();
        let triple = |target: &Value| target.as_str().or(target["triple"].as_str()).map(str::to_owned);
        Ok(Self {
            targets: targets.filter_map(triple).collect(),
            registries: strings(&file["sources"]["allow-registry"]),
            licences: strings(&file["licenses"]["allow"]),
            forbidden: entries(&file["bans"]["deny"], "crate")?,
            duplicates: entries(&file["bans"]["skip"], "crate")?,
            ignored: entries(&file["advisories"]["ignore"], "id")?,
        })
    }

    /// Exceptions that do not say why, or since when.
    pub fn check(&self) -> Vec<Finding> {
        let exceptions = self.duplicates.iter().chain(&self.ignored);
        let unexplained = exceptions.filter(|entry| !is_dated(&entry.reason)).map(|entry| {
            Finding::new(
                format!("deny.toml, {}", entry.name),
                "an exception begins its reason with the date on which it was made: \"2026-11-21: …\"",
            )
        });
        let unreasoned = self.forbidden.iter().filter(|entry| entry.reason.is_empty()).map(|entry| {
            Finding::new(
                format!("deny.toml, {}", entry.name),
                "say why it is forbidden, and what to use instead",
            )
        });
        unexplained.chain(unreasoned).collect()
    }
}

/// `2026-11-21: because …`
fn is_dated(reason: &str) -> bool {
    let Some((date, why)) = reason.split_once(": ") else { return false };
    let numbers: Vec<u32> = date.split('-').filter_map(|number| number.parse().ok()).collect();
    let is_date = date.len() == 10 && matches!(numbers[..], [2_020..=2_100, 1..=12, 1..=31]);
    is_date && why.trim().len() >= 10
}

fn entries(list: &Value, key: &str) -> Result<Vec<Entry>> {
    let list = list.as_array().into_iter().flatten();
    list.map(|entry| {
        let of_field = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        // A bare string is an entry without a reason.
        let spec = entry.as_str().map_or_else(|| of_field(key), str::to_owned);
        // `name@1.2.3` is this version alone, `name:1.2` is a requirement, as cargo-deny reads them.
        let (name, version) = match (spec.split_once('@'), spec.split_once(':')) {
            (Some((name, exact)), _) => (name.to_owned(), format!("={exact}").parse()),
            (None, Some((name, requirement))) => (name.to_owned(), requirement.parse()),
            (None, None) => (spec.clone(), Ok(VersionReq::STAR)),
        };
        let version = version.with_context(|| format!("deny.toml: {spec} names no version"))?;
        Ok(Entry { name, version, reason: of_field("reason") })
    })
    .collect()
}
