//! Finds what a fresh machine lacks and installs it, or says exactly how to.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

const WASM_TARGET: &str = "wasm32-wasip2";
const OLDEST_NODE: u32 = 20;

/// What a command is going to do, and so what it needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Compile Rust and C for this machine and for the sandbox of the plugins.
    Build,
    /// Bundle scripts and styles.
    Pages,
    /// PostgreSQL and a browser.
    Tests,
}

/// Makes sure that everything is there.
///
/// Errors: something is missing that can't be installed from here; the message names the command.
pub fn run(workspace: &Workspace, needs: &[Need]) -> Result<()> {
    debian_packages(needs)?;
    if needs.contains(&Need::Build) {
        wasm_target(workspace)?;
    }
    if needs.contains(&Need::Pages) {
        node()?;
        npm_packages(workspace)?;
    }
    Ok(())
}

/// A Debian package and how to tell that it is there.
struct Package {
    name: &'static str,
    need: Need,
    present: fn() -> bool,
}

const PACKAGES: &[Package] = &[
    Package { name: "build-essential", need: Need::Build, present: || process::exists("cc") },
    Package { name: "xz-utils", need: Need::Tests, present: || process::exists("xz") },
    Package { name: "chromium", need: Need::Tests, present: || chromium().is_some() },
    Package { name: "postgresql", need: Need::Tests, present: || crate::postgres::programs().is_some() },
];

fn debian_packages(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|package| needs.contains(&package.need) && !(package.present)())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let command = format!("apt-get install --yes --no-install-recommends {}", missing.join(" "));
    if !process::exists("apt-get") {
        bail!("missing: {}. Install them with this system's package manager.", missing.join(", "));
    }
    if !is_root()? {
        bail!("missing Debian packages. Install them with:\n\n    sudo {command}\n");
    }
    println!("installing Debian packages: {}", missing.join(" "));
    let apt = |words: &str| {
        let mut apt = Command::new("sh");
        apt.args(["-c", words]).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut apt)
    };
    apt("apt-get update --quiet").and_then(|()| apt(&command)).with_context(|| format!("`{command}` failed"))
}

fn wasm_target(workspace: &Workspace) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(&workspace.root).args(["--print", "target-libdir", "--target", WASM_TARGET]);
    let libraries = process::stdout_of(&mut rustc)?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    if !process::exists("rustup") {
        bail!(
            "this Rust has no {WASM_TARGET} standard library, and there is no rustup to add it. Install Rust \
             from https://rustup.rs, or your system's package with the {WASM_TARGET} standard library."
        );
    }
    println!("adding the Rust target {WASM_TARGET}");
    process::run(Command::new("rustup").current_dir(&workspace.root).args(["target", "add", WASM_TARGET]))
}

fn node() -> Result<()> {
    let how = format!(
        "Node {OLDEST_NODE} or newer and npm are needed to bundle the pages. Get them from \
         https://nodejs.org/en/download, or on Debian 13 with `apt-get install nodejs npm`."
    );
    if !process::exists("node") || !process::exists("npm") {
        bail!("{how}");
    }
    let version = process::stdout_of(Command::new("node").arg("--version"))?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|word| word.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => Ok(()),
        _ => bail!("Node {} is too old. {how}", version.trim()),
    }
}

fn npm_packages(workspace: &Workspace) -> Result<()> {
    let folder = workspace.admin_ui();
    let wanted =
        read_json(&folder.join("package-lock.json")).context("admin-ui has no readable package-lock.json")?;
    let installed = read_json(&folder.join("node_modules/.package-lock.json")).ok();
    if installed.is_some_and(|installed| satisfies(&wanted, &installed)) {
        return Ok(());
    }
    println!("installing npm packages");
    let mut npm = Command::new("npm");
    npm.current_dir(&folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::run(&mut npm)
        .context("npm could not install the packages of admin-ui; is the npm registry reachable?")
}

/// Whether npm's own note of what it installed meets the lock file. Packages for other systems may be absent.
fn satisfies(wanted: &Value, installed: &Value) -> bool {
    let Some(packages) = wanted["packages"].as_object() else { return false };
    packages.iter().filter(|(path, _)| !path.is_empty()).all(|(path, package)| {
        let there = &installed["packages"][path];
        let absent_is_fine = package["optional"] == Value::Bool(true);
        (there.is_null() && absent_is_fine) || there["version"] == package["version"]
    })
}

fn read_json(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}

/// The browser that the page tests drive.
pub fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(process::find)
}

pub fn is_root() -> Result<bool> {
    Ok(process::stdout_of(Command::new("id").arg("-u"))?.trim() == "0")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::satisfies;

    #[test]
    fn a_changed_version_asks_for_an_installation() {
        let wanted = json!({"packages": {"": {}, "node_modules/a": {"version": "2.0.0"}}});
        assert!(satisfies(&wanted, &json!({"packages": {"node_modules/a": {"version": "2.0.0"}}})));
        assert!(!satisfies(&wanted, &json!({"packages": {"node_modules/a": {"version": "1.0.0"}}})));
        assert!(!satisfies(&wanted, &json!({"packages": {}})));
    }

    #[test]
    fn a_package_for_another_system_may_be_absent() {
        let wanted = json!({"packages": {"node_modules/b": {"version": "1.0.0", "optional": true}}});
        assert!(satisfies(&wanted, &json!({"packages": {}})));
    }
}
