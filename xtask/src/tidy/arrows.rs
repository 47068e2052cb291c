//! Which crate may know which: the arrows of docs/ARCHITECTURE.md as a table. A new arrow is a change of
//! architecture, argued in docs/decisions.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;

/// A crate of this repository and what it depends on, without the prefix `portolan-`.
#[derive(Debug, Default)]
pub struct Crate {
    pub name: String,
    /// Own crates it is built from.
    pub arrows: Vec<String>,
    /// Own crates that only its tests, examples and benchmarks know.
    pub test_arrows: Vec<String>,
    /// Crates from outside it is built from.
    pub outside: Vec<String>,
}

const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("commerce", &["core"]),
    ("analytics", &["core", "commerce"]),
    ("connector", &["core", "commerce"]),
    ("plugin-host", &["core", "commerce", "connector"]),
    ("facts", &["core", "commerce", "analytics", "db"]),
    ("charts", &["core"]),
    // The ledger's table keeps the ledger's own words.
    ("db", &["core", "commerce"]),
    ("jobs", &["core", "db"]),
    ("access", &["core", "db"]),
    ("app", &["core", "commerce", "analytics", "connector", "charts", "db", "jobs", "access", "admin-ui"]),
    (
        "server",
        &[
            "core",
            "commerce",
            "analytics",
            "connector",
            "plugin-host",
            "facts",
            "charts",
            "db",
            "jobs",
            "access",
            "app",
            "migrations",
        ],
    ),
    ("migrations", &[]),
    ("admin-ui", &["core"]),
    ("sdk", &[]),
    ("sandbox", &[]),
    ("sandbox-shopify", &["sandbox"]),
    // The shop's payments are of the shop's own world.
    ("sandbox-stripe", &["sandbox", "sandbox-shopify"]),
    ("plugin-*", &["sdk"]),
    ("full-plugin", &["sdk"]),
    ("hostile-plugin", &["sdk"]),
    ("xtask", &[]),
];

/// Wider arrows for tests alone: real tables instead of imitations, a real upstream, and the whole house
/// in the tests of the server.
const TEST_ARROWS: &[(&str, &[&str])] = &[
    ("db", &["migrations"]),
    ("jobs", &["migrations"]),
    ("access", &["migrations"]),
    ("facts", &["migrations"]),
    ("app", &["migrations"]),
    ("server", &["sandbox-shopify", "sandbox-stripe"]),
    ("plugin-shopify", &["sandbox-shopify"]),
    ("plugin-stripe", &["sandbox-stripe"]),
];

/// Heavy or dangerous crates and who may know them.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("wasmtime", &["plugin-host"]),
    ("wasmtime-wasi", &["plugin-host"]),
    ("datafusion", &["facts"]),
    ("arrow", &["facts"]),
    ("parquet", &["facts"]),
    ("axum", &["app", "sandbox", "sandbox-shopify", "sandbox-stripe"]),
    ("reqwest", &["plugin-host"]),
    ("rquickjs", &["charts"]),
    ("askama", &["admin-ui"]),
    ("getrandom", &["core"]),
    ("rand", &[]),
];

pub fn crates_of(metadata: &Value) -> Result<Vec<Crate>> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(crate_of).collect()
}

fn crate_of(package: &Value) -> Result<Crate> {
    let name = package["name"].as_str().context("a package without a name")?;
    let mut found = Crate { name: own_name(name), ..Crate::default() };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let name = dependency["name"].as_str().context("a dependency without a name")?;
        let for_tests = dependency["kind"] == "dev";
        match (dependency["path"].is_string(), for_tests) {
            (true, false) => found.arrows.push(own_name(name)),
            // A crate's own tests may ask for its features for tests.
            (true, true) if own_name(name) == found.name => {}
            (true, true) => found.test_arrows.push(own_name(name)),
            (false, false) => found.outside.push(name.to_owned()),
            (false, true) => {}
        }
    }
    Ok(found)
}

fn own_name(name: &str) -> String {
    name.strip_prefix("portolan-").unwrap_or(name).to_owned()
}

pub fn check(crates: &[Crate]) -> Vec<Finding> {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let test_arrows: BTreeMap<_, _> = TEST_ARROWS.iter().copied().collect();
    let outside: BTreeMap<_, _> = OUTSIDE.iter().copied().collect();
    let mut findings = Vec::new();
    for of in crates {
        // Every plugin stands in the same place; `plugin-host` has a line of its own.
        let allowed = arrows
            .get(of.name.as_str())
            .or_else(|| of.name.starts_with("plugin-").then(|| arrows.get("plugin-*")).flatten());
        let Some(allowed) = allowed else {
            findings.push(Finding::new(&of.name, "this crate has no line in xtask/src/tidy/arrows.rs yet"));
            continue;
        };
        for to in of.arrows.iter().filter(|to| !allowed.contains(&to.as_str())) {
            findings.push(Finding::new(
                format!("{} -> {to}", of.name),
                "this arrow is not in docs/ARCHITECTURE.md; a new one is a decision (docs/decisions)",
            ));
        }
        let wider = test_arrows.get(of.name.as_str()).copied().unwrap_or_default();
        for to in of
            .test_arrows
            .iter()
            .filter(|to| !allowed.contains(&to.as_str()) && !wider.contains(&to.as_str()))
        {
            findings.push(Finding::new(
                format!("{} -> {to} (tests)", of.name),
                "tests may know more, but each such arrow is listed in xtask/src/tidy/arrows.rs",
            ));
        }
        for name in &of.outside {
            if outside.get(name.as_str()).is_some_and(|known| !known.contains(&of.name.as_str())) {
                let known = outside[name.as_str()].join(" and ");
                let message =
                    format!("only {} may know {name}", if known.is_empty() { "nobody" } else { &known });
                findings.push(Finding::new(format!("{} -> {name}", of.name), message));
            }
        }
    }
    findings
}
