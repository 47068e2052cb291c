//! Where things are: the checkout, the build output, the tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

pub struct Workspace {
    pub root: PathBuf,
    /// Shared by all checkouts of one person unless `CARGO_TARGET_DIR` says otherwise: the heavy
    /// crates are compiled once. Nothing depends on what an earlier run left there.
    pub target: PathBuf,
}

impl Workspace {
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the repository has no root")?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::path::absolute(folder)?,
            None => home()?.join(".cache/portolan/target"),
        };
        std::fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
        Ok(Self { root: root.to_owned(), target })
    }

    /// `cargo` in this checkout with the shared build output.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        // What cargo tells this program about itself must not leak into what this program builds.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(name.as_ref());
            }
        }
        cargo
    }

    /// Built plugins, one `.wasm` each; the hostile guests of the tests lie in `guests` below it.
    pub fn plugins_dir(&self) -> PathBuf {
        self.target.join("plugins")
    }

    pub fn admin_ui(&self) -> PathBuf {
        self.root.join("admin-ui")
    }

    /// Logs and temporary files of these commands.
    pub fn scratch_dir(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// The binary that `cargo build --profile <profile>` leaves.
    pub fn binary(&self, profile: &str, name: &str) -> PathBuf {
        let folder = if profile == "dev" { "debug" } else { profile };
        self.target.join(folder).join(name)
    }

    /// `cargo metadata` without dependencies from outside.
    pub fn metadata(&self) -> Result<serde_json::Value> {
        let mut command = self.cargo();
        command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
        serde_json::from_str(&crate::process::stdout_of(&mut command)?).context("cargo metadata is not JSON")
    }
}

fn home() -> Result<PathBuf> {
    std::env::home_dir().context("no home folder: set CARGO_TARGET_DIR")
}
