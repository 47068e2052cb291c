//! Plugins and the test guests of the sandbox, built to WebAssembly components.
//!
//! A plugin is a folder of `plugins/`; its component is named after the folder. Guests are the folders of
//! `host/plugin-host/tests/guests/`: each misbehaves in its own way, so they lie apart where no server looks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-wasip2";
const GUESTS: &str = "host/plugin-host/tests/guests";

/// One component to build.
struct Plugin {
    /// Name of the file, without `.wasm`.
    name: String,
    /// Below the folder of built plugins.
    folder: &'static str,
    manifest: PathBuf,
}

/// Builds all of them and answers the folder they lie in. What has not changed is not touched.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let members = members(&workspace.metadata()?)?;
    for mut command in commands(workspace, &members)? {
        process::run(&mut command).context("a plugin does not compile")?;
    }
    collect(workspace, &members)?;
    Ok(workspace.plugins_dir())
}

/// The same with cargo's output in a file.
pub fn build_logged(workspace: &Workspace, log: &Path) -> Result<()> {
    let members = members(&workspace.metadata()?)?;
    for mut command in commands(workspace, &members)? {
        process::run_logged(&mut command, log).context("a plugin does not compile")?;
    }
    collect(workspace, &members)
}

/// One cargo run for the members of the workspace, one for each crate that stands alone.
fn commands(workspace: &Workspace, members: &HashMap<PathBuf, String>) -> Result<Vec<Command>> {
    let mut together = cargo_build(workspace);
    let mut alone = Vec::new();
    for plugin in all(workspace)? {
        if let Some(package) = members.get(&plugin.manifest) {
            together.args(["--package", package]);
        } else {
            let mut command = cargo_build(workspace);
            command.arg("--manifest-path").arg(&plugin.manifest);
            // The profile of the workspace doesn't reach a crate outside it.
            for setting in ["inherits='release'", "opt-level=3", "panic='abort'", "strip='debuginfo'"] {
                command.args(["--config", &format!("profile.plugin.{setting}")]);
            }
            alone.push(command);
        }
    }
    let mut commands = vec![together];
    commands.append(&mut alone);
    Ok(commands)
}

fn cargo_build(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--target", TARGET, "--profile", "plugin", "--lib"]);
    cargo
}

fn all(workspace: &Workspace) -> Result<Vec<Plugin>> {
    let mut found = Vec::new();
    for (place, folder) in [("plugins", "."), (GUESTS, "guests")] {
        let place = workspace.root.join(place);
        let Ok(entries) = std::fs::read_dir(&place) else { continue };
        for entry in entries {
            let entry = entry?;
            let manifest = entry.path().join("Cargo.toml");
            if manifest.is_file() {
                found.push(Plugin {
                    name: entry.file_name().to_string_lossy().into_owned(),
                    folder,
                    manifest,
                });
            }
        }
    }
    if found.is_empty() {
        bail!("no plugins in {}", workspace.root.join("plugins").display());
    }
    found.sort_by(|a, b| a.manifest.cmp(&b.manifest));
    Ok(found)
}

/// Manifest path → package name of the workspace's members.
fn members(metadata: &Value) -> Result<HashMap<PathBuf, String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    Ok(packages
        .iter()
        .filter_map(|package| {
            Some((PathBuf::from(package["manifest_path"].as_str()?), package["name"].as_str()?.to_owned()))
        })
        .collect())
}

/// Copies what cargo built under the plugins' own names.
fn collect(workspace: &Workspace, members: &HashMap<PathBuf, String>) -> Result<()> {
    let built = workspace.target.join(TARGET).join("plugin");
    for plugin in all(workspace)? {
        let package = match members.get(&plugin.manifest) {
            Some(package) => package.clone(),
            None => package_name(&plugin.manifest)?,
        };
        let from = built.join(format!("{}.wasm", package.replace('-', "_")));
        let to = workspace.plugins_dir().join(plugin.folder).join(format!("{}.wasm", plugin.name));
        copy_if_changed(&from, &to)?;
    }
    Ok(())
}

/// An unchanged component keeps its time, so that nobody compiles it again.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let bytes = std::fs::read(from).with_context(|| format!("cargo left no {}", from.display()))?;
    if std::fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = to.parent().context("a plugin has no folder")?;
    std::fs::create_dir_all(folder)?;
    // Written aside and renamed: a running server never sees half a component.
    let aside = to.with_extension("wasm.new");
    std::fs::write(&aside, &bytes)?;
    std::fs::rename(&aside, to)?;
    Ok(())
}

fn package_name(manifest: &Path) -> Result<String> {
    let text = std::fs::read_to_string(manifest)?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("name"));
    let name = line.and_then(|rest| rest.split('"').nth(1));
    name.map(str::to_owned).with_context(|| format!("{} has no package name", manifest.display()))
}
