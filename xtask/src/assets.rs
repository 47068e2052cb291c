//! The bundle of the pages: `admin-ui/build.mjs` writes `admin-ui/dist`, which the pages' crate embeds.

use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

pub fn build(workspace: &Workspace) -> Result<()> {
    process::run(&mut command(workspace)).context("the pages could not be bundled")
}

pub fn command(workspace: &Workspace) -> Command {
    let mut node = Command::new("node");
    node.current_dir(workspace.admin_ui()).arg("build.mjs");
    node
}

/// TypeScript's own check: esbuild only strips types.
pub fn type_check(workspace: &Workspace) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(workspace.admin_ui()).args(["run", "--silent", "check"]);
    npm
}
