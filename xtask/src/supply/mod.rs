//! What comes from outside: known weaknesses, licences, sources, forbidden crates, duplicate versions.
//!
//! `deny.toml` at the top says what is accepted, in the words of cargo-deny, which may read it, too. This check
//! needs nothing but the lock file, cargo's own metadata and a copy of the RustSec database, so it runs without
//! a network and within a second. An exception carries its reason and its date, and fails once nobody needs it.

mod advisories;
mod bans;
mod licences;
mod lock;
mod policy;
pub mod sbom;
#[cfg(test)]
mod tests;
mod toml;

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;
use lock::Package;
use policy::Policy;

/// Something that is not accepted, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// A crate with its version, or an entry of deny.toml.
    about: String,
    message: String,
}

impl Finding {
    fn new(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self { about: about.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.about, self.message)
    }
}

/// Answers what was left out, for the summary.
pub fn run(workspace: &Workspace) -> Result<Option<String>> {
    let read = |name: &str| {
        let path = workspace.root.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let policy = Policy::parse(&read("deny.toml")?)?;
    let packages = lock::packages(&read("Cargo.lock")?)?;
    let metadata = metadata(workspace, &policy.targets)?;
    let database = workspace.root.join("../shared/advisory-db");
    let skipped = if database.join("crates").is_dir() {
        None
    } else {
        Some(format!(
            "known weaknesses are not looked up: there is no copy of github.com/rustsec/advisory-db in {}",
            database.display()
        ))
    };
    let known = if skipped.is_some() { Vec::new() } else { advisories::of(&database, &packages)? };

    let mut findings = policy.check();
    findings.extend(bans::sources(&policy, &packages));
    findings.extend(bans::forbidden(&policy, &packages));
    findings.extend(bans::duplicates(&policy, &lock::built(&metadata)?));
    findings.extend(licences::check(&policy, &licences::of(&metadata)?));
    if skipped.is_none() {
        findings.extend(advisories::check(&policy, &packages, &known));
    }
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings about what comes from outside; deny.toml says what is accepted", findings.len());
    }
    Ok(skipped)
}

/// `cargo metadata` with everything that is built for these targets.
fn metadata(workspace: &Workspace, targets: &[String]) -> Result<Value> {
    let mut cargo = workspace.cargo();
    cargo.args(["metadata", "--format-version", "1", "--locked"]);
    for target in targets {
        cargo.args(["--filter-platform", target]);
    }
    serde_json::from_str(&process::stdout_of(&mut cargo)?).context("cargo metadata is not JSON")
}

/// `cargo xtask sbom [FILE]`.
pub fn write_sbom(workspace: &Workspace, file: Option<String>) -> Result<()> {
    let policy = Policy::parse(&std::fs::read_to_string(workspace.root.join("deny.toml"))?)?;
    let packages = lock::packages(&std::fs::read_to_string(workspace.root.join("Cargo.lock"))?)?;
    let scripts = std::fs::read_to_string(workspace.admin_ui().join("package-lock.json"))?;
    let scripts: Value = serde_json::from_str(&scripts).context("package-lock.json is not JSON")?;
    let bill = sbom::bill(&metadata(workspace, &policy.targets)?, &packages, &scripts)?;
    let file = file.map_or_else(|| workspace.target.join("portolan.cdx.json"), PathBuf::from);
    std::fs::write(&file, serde_json::to_string_pretty(&bill)? + "\n")
        .with_context(|| format!("cannot write {}", file.display()))?;
    let count = bill["components"].as_array().map_or(0, Vec::len);
    println!("{count} components, written to {}", file.display());
    Ok(())
}

fn described(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}
