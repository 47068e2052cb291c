//! Where crates come from, which are not wanted, and which come twice.

use std::collections::BTreeMap;

use super::lock::Package;
use super::policy::Policy;
use super::{Finding, described};

pub fn sources(policy: &Policy, packages: &[Package]) -> Vec<Finding> {
    let is_known = |source: &str| {
        let registry = source.strip_prefix("registry+").or(source.strip_prefix("sparse+"));
        registry.is_some_and(|registry| policy.registries.iter().any(|known| known == registry))
    };
    let mut findings = Vec::new();
    for package in packages {
        let Some(source) = &package.source else { continue };
        if !is_known(source) {
            findings.push(Finding::new(
                described(package),
                format!("it comes from {source}; only {} is accepted", policy.registries.join(", ")),
            ));
        } else if package.checksum.is_none() {
            findings
                .push(Finding::new(described(package), "Cargo.lock has no checksum of it: lock it again"));
        }
    }
    findings
}

pub fn forbidden(policy: &Policy, packages: &[Package]) -> Vec<Finding> {
    let found = packages.iter().flat_map(|package| {
        let entry = policy.forbidden.iter().find(|entry| entry.is_about(package));
        entry.map(|entry| {
            Finding::new(
                described(package),
                format!(
                    "it is forbidden ({}); `cargo tree -i {}` shows who brings it",
                    entry.reason, package.name
                ),
            )
        })
    });
    found.collect()
}

/// Two versions of one crate, unless all but one are excepted; and exceptions that nothing needs.
pub fn duplicates(policy: &Policy, packages: &[Package]) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(package);
    }
    let mut findings = Vec::new();
    for (name, packages) in &versions {
        let is_excepted = |package: &&&Package| policy.duplicates.iter().any(|entry| entry.is_about(package));
        let counted: Vec<String> = packages
            .iter()
            .filter(|package| !is_excepted(package))
            .map(|package| package.version.to_string())
            .collect();
        if counted.len() > 1 {
            findings.push(Finding::new(
                *name,
                format!(
                    "it is built in versions {}; agree on one, or except the others in deny.toml (`cargo tree -d` shows who brings them)",
                    counted.join(" and ")
                ),
            ));
        }
    }
    for entry in &policy.duplicates {
        let of_name = versions.get(entry.name.as_str()).map_or(&[][..], Vec::as_slice);
        if of_name.len() < 2 || !of_name.iter().any(|package| entry.is_about(package)) {
            findings.push(Finding::new(
                format!("deny.toml, {} {}", entry.name, entry.version),
                "this exception is not needed any more: take it out",
            ));
        }
    }
    findings
}
