//! The bill of materials of a release, in CycloneDX 1.6: every crate in the binary and in the plugins, every
//! script in the pages, with checksum and licence. No time and no random number in it: the same sources give
//! the same file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::lock::Package;

/// What is released: the server's binary, and every plugin beside it.
fn is_released(name: &str) -> bool {
    name == "portolan-server" || name.starts_with("portolan-plugin-") && name != "portolan-plugin-host"
}

/// `scripts`: the lock file of the pages' scripts.
pub fn bill(metadata: &Value, packages: &[Package], scripts: &Value) -> Result<Value> {
    let nodes = metadata["resolve"]["nodes"].as_array().context("cargo metadata resolved nothing")?;
    let of_id: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .context("cargo metadata names no packages")?
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let edges: BTreeMap<&str, BTreeSet<&str>> =
        nodes.iter().filter_map(|node| Some((node["id"].as_str()?, linked(node)))).collect();
    let name_of = |id: &str| of_id.get(id).and_then(|package| package["name"].as_str()).unwrap_or_default();
    let roots: Vec<&str> = edges.keys().copied().filter(|id| is_released(name_of(id))).collect();
    let reached = reachable(&roots, &edges);

    let mut components: Vec<Value> =
        reached.iter().filter_map(|id| of_id.get(id)).map(|package| component(package, packages)).collect();
    components.extend(scripts_of(scripts));
    components.sort_by_key(|component| component["bom-ref"].to_string());
    let reference = |id: &&str| of_id.get(*id).map(|package| purl(package));
    let mut dependencies: Vec<Value> = reached
        .iter()
        .filter_map(|id| {
            let on: BTreeSet<String> = edges.get(id)?.iter().filter_map(&reference).collect();
            Some(json!({ "ref": reference(id)?, "dependsOn": on }))
        })
        .collect();
    let root_refs: BTreeSet<String> = roots.iter().filter_map(reference).collect();
    dependencies.push(json!({ "ref": "portolan", "dependsOn": root_refs }));
    dependencies.sort_by_key(|dependency| dependency["ref"].to_string());
    let version = roots.iter().filter_map(|id| of_id.get(id)?["version"].as_str()).next().unwrap_or_default();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": { "type": "application", "bom-ref": "portolan", "name": "portolan", "version": version }
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// What a package is linked with: neither its tests' dependencies nor its build script's.
fn linked(node: &Value) -> BTreeSet<&str> {
    let dependencies = node["deps"].as_array().into_iter().flatten();
    let is_linked = |dependency: &&Value| {
        dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
    };
    dependencies.filter(is_linked).filter_map(|dependency| dependency["pkg"].as_str()).collect()
}

fn reachable<'a>(roots: &[&'a str], edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut ahead = roots.to_vec();
    while let Some(id) = ahead.pop() {
        if reached.insert(id) {
            ahead.extend(edges.get(id).into_iter().flatten());
        }
    }
    reached
}

fn component(package: &Value, locked: &[Package]) -> Value {
    let text = |field: &str| package[field].as_str().unwrap_or_default();
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": text("name"),
        "version": text("version"),
        "purl": purl(package),
    });
    if let Some(licence) = package["license"].as_str() {
        component["licenses"] = json!([{ "expression": licence.replace(" / ", "/").replace('/', " OR ") }]);
    }
    let lock =
        locked.iter().find(|lock| lock.name == text("name") && lock.version.to_string() == text("version"));
    if let Some(checksum) = lock.and_then(|lock| lock.checksum.as_ref()) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = package["repository"].as_str() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

fn purl(package: &Value) -> String {
    let text = |field: &str| package[field].as_str().unwrap_or_default();
    // A plus sign separates nothing in a purl, so it is written as its code.
    format!("pkg:cargo/{}@{}", text("name"), text("version").replace('+', "%2B"))
}

/// The scripts in the pages: what is not for development alone.
fn scripts_of(lock: &Value) -> Vec<Value> {
    let packages = lock["packages"].as_object().into_iter().flatten();
    let shipped = packages.filter(|(path, package)| !path.is_empty() && package["dev"] != true);
    let component = shipped.filter_map(|(path, package)| {
        let name = path.rsplit("node_modules/").next()?;
        let version = package["version"].as_str()?;
        let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
        let mut component =
            json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl });
        if let Some(licence) = package["license"].as_str() {
            component["licenses"] = json!([{ "expression": licence }]);
        }
        Some(component)
    });
    component.collect()
}
