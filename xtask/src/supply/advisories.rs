//! The RustSec database: a folder per crate, a Markdown file per advisory that begins with TOML.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use semver::{Version, VersionReq};

use super::lock::Package;
use super::policy::Policy;
use super::toml::{self, strings};
use super::{Finding, described};

/// A known weakness of some versions of a crate.
#[derive(Debug)]
pub struct Advisory {
    pub id: String,
    package: String,
    title: String,
    /// Empty for a vulnerability, else `unmaintained`, `unsound` or `notice`.
    informational: String,
    url: String,
    /// Versions that it is not about.
    safe: Vec<VersionReq>,
}

/// The advisories about crates of these names.
pub fn of(database: &Path, packages: &[Package]) -> Result<Vec<Advisory>> {
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = Vec::new();
    for name in names {
        let Ok(files) = std::fs::read_dir(database.join("crates").join(name)) else { continue };
        for file in files {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = std::fs::read_to_string(&path)?;
            found.extend(parse(&text).with_context(|| format!("{} cannot be read", path.display()))?);
        }
    }
    Ok(found)
}

/// None: it was withdrawn.
pub fn parse(text: &str) -> Result<Option<Advisory>> {
    let front = text.split_once("```toml").and_then(|(_, rest)| rest.split_once("```"));
    let (front, body) = front.context("it does not begin with TOML")?;
    let front = toml::parse(front)?;
    let advisory = &front["advisory"];
    let of_field = |field: &str| advisory[field].as_str().unwrap_or_default().to_owned();
    if advisory["withdrawn"].is_string() {
        return Ok(None);
    }
    let versions = &front["versions"];
    let mut safe = strings(&versions["patched"]);
    safe.extend(strings(&versions["unaffected"]));
    Ok(Some(Advisory {
        id: advisory["id"].as_str().context("it has no id")?.to_owned(),
        package: advisory["package"].as_str().context("it names no crate")?.to_owned(),
        title: body.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned(),
        informational: of_field("informational"),
        url: of_field("url"),
        safe: safe.iter().map(|range| VersionReq::parse(range)).collect::<Result<_, _>>()?,
    }))
}

impl Advisory {
    /// A pre-release is looked at twice, also as the release that it precedes, and is safe in both cases
    /// alone: a requirement says nothing about pre-releases of other versions.
    fn is_about(&self, package: &Package) -> bool {
        let release = Version { pre: semver::Prerelease::EMPTY, ..package.version.clone() };
        let is_safe = self.safe.iter().any(|range| range.matches(&package.version))
            || !package.version.pre.is_empty() && self.is_safely_beyond(&release);
        self.package == package.name && !is_safe
    }

    /// Whether the release is safe and no boundary of a range: the fix came before it.
    fn is_safely_beyond(&self, release: &Version) -> bool {
        self.safe.iter().any(|range| {
            let is_boundary = range.comparators.iter().any(|bound| {
                (bound.major, bound.minor.unwrap_or_default(), bound.patch.unwrap_or_default())
                    == (release.major, release.minor, release.patch)
            });
            range.matches(release) && !is_boundary
        })
    }
}

pub fn check(policy: &Policy, packages: &[Package], known: &[Advisory]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut needed = BTreeSet::new();
    for advisory in known {
        for package in packages.iter().filter(|package| advisory.is_about(package)) {
            if policy.ignored.iter().any(|entry| entry.name == advisory.id) {
                needed.insert(&advisory.id);
                continue;
            }
            let what = if advisory.informational.is_empty() { "vulnerable" } else { &advisory.informational };
            findings.push(Finding::new(
                described(package),
                format!(
                    "{what}, {} ({}) {}: update it, or say in deny.toml why it does not matter here",
                    advisory.id, advisory.title, advisory.url
                ),
            ));
        }
    }
    for entry in policy.ignored.iter().filter(|entry| !needed.contains(&entry.name)) {
        findings.push(Finding::new(
            format!("deny.toml, {}", entry.name),
            "no locked crate has this weakness any more: take the exception out",
        ));
    }
    findings
}
