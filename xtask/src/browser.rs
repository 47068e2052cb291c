//! Pages in a real browser: a Portolan with the demo company, and the checks of `admin-ui/tests/browser`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::server::{Plan, Running};
use crate::setup;
use crate::workspace::Workspace;

const CHECKS: &str = "tests/browser/run.mjs";
/// The smallest demo world: an unoptimised server fills it in seconds.
const SIZE: &str = "tiny";
const SYNC_LIMIT: Duration = Duration::from_secs(300);

/// Runs the checks with their output in `log` and their pictures in `images`.
pub fn run(workspace: &Workspace, log: &Path, images: &Path) -> Result<()> {
    let data_dir = workspace.scratch_dir().join("pages");
    if data_dir.exists() {
        std::fs::remove_dir_all(&data_dir)?;
    }
    std::fs::create_dir_all(images)?;
    let plan =
        Plan { workspace, profile: "dev", data_dir, port: process::free_port()?, size: SIZE.to_owned() };
    // The demo world's own export: the same pages whether or not the real retail data is at hand.
    let mut running = Running::start(plan, None)?;
    wait_for_syncs(&mut running)?;

    let mut node = Command::new("node");
    node.current_dir(workspace.admin_ui()).args([CHECKS, "--base-url", &running.address()]);
    node.args(["--link", &running.sign_in_link()?, "--screenshots"]).arg(images);
    node.env("CHROMIUM", setup::chromium().context("no Chromium; `cargo xtask setup` installs it")?);
    let checked = process::run_logged(&mut node, log);
    // A server that went away explains more than the checks that missed it.
    running.still_runs()?;
    checked
}

fn wait_for_syncs(running: &mut Running) -> Result<()> {
    let start = Instant::now();
    while !crate::demo::first_syncs_are_done(&running.sync_status()?)? {
        running.still_runs()?;
        if start.elapsed() > SYNC_LIMIT {
            bail!("the first syncs did not end within {} s", SYNC_LIMIT.as_secs());
        }
        process::pause(Duration::from_millis(500))?;
    }
    Ok(())
}
