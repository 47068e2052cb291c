//! Licences as the crates declare them. Each must be satisfied by what deny.toml allows.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

use super::Finding;
use super::policy::Policy;

/// A crate from outside and what it says.
#[derive(Debug)]
pub struct Declared {
    pub crate_name: String,
    pub licence: Option<String>,
}

/// What is built of `cargo metadata`, without the crates of this repository.
pub fn of(metadata: &Value) -> Result<Vec<Declared>> {
    let built = super::lock::built(metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let from_outside = packages.iter().filter(|package| {
        built.iter().any(|built| {
            built.source.is_some()
                && package["name"] == *built.name
                && package["version"] == *built.version.to_string()
        })
    });
    let declared = from_outside.map(|package| Declared {
        crate_name: format!(
            "{} {}",
            package["name"].as_str().unwrap_or_default(),
            package["version"].as_str().unwrap_or_default()
        ),
        licence: package["license"].as_str().map(str::to_owned).or_else(|| in_a_file(package)),
    });
    Ok(declared.collect())
}

/// Of a crate that names a file in place of a licence: MIT, if it says what MIT says; nothing else is guessed.
fn in_a_file(package: &Value) -> Option<String> {
    let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
    let text = std::fs::read_to_string(folder.join(package["license_file"].as_str()?)).ok()?;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_mit = words.contains(
        "Permission is hereby granted, free of charge, to any person obtaining a copy of this software",
    ) && words
        .contains("The above copyright notice and this permission notice shall be included in all copies");
    is_mit.then(|| "MIT".to_owned())
}

pub fn check(policy: &Policy, crates: &[Declared]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut allowed = Vec::new();
    for licence in &policy.licences {
        match Licensee::parse(licence) {
            Ok(licensee) => allowed.push((licence, licensee)),
            Err(error) => findings
                .push(Finding::new(format!("deny.toml, {licence}"), format!("no licence: {}", error.reason))),
        }
    }
    let mut expressions = Vec::new();
    for declared in crates {
        let Some(licence) = &declared.licence else {
            findings.push(Finding::new(&declared.crate_name, "it declares no licence: nobody may use it"));
            continue;
        };
        match Expression::parse_mode(licence, ParseMode::LAX) {
            Ok(expression) => expressions.push((declared, licence, expression)),
            Err(error) => findings.push(Finding::new(
                &declared.crate_name,
                format!("its licence {licence:?} is not understood: {}", error.reason),
            )),
        }
    }
    let is_satisfied = |expression: &Expression, without: Option<&String>| {
        expression.evaluate(|wanted| {
            allowed.iter().any(|(name, licensee)| Some(*name) != without && licensee.satisfies(wanted))
        })
    };
    for (declared, licence, expression) in &expressions {
        if !is_satisfied(expression, None) {
            findings.push(Finding::new(
                &declared.crate_name,
                format!("its licence {licence} is not among those that deny.toml allows"),
            ));
        }
    }
    for (name, _) in &allowed {
        let is_needed = expressions.iter().any(|(_, _, expression)| {
            is_satisfied(expression, None) && !is_satisfied(expression, Some(*name))
        });
        if !is_needed {
            findings.push(Finding::new(
                format!("deny.toml, {name}"),
                "no crate needs this licence to be allowed: take it out",
            ));
        }
    }
    findings
}
