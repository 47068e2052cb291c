//! Pages in a real browser: a Portolan with the demo company, and the tests of `admin-ui/tests/browser`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::server::{Plan, Running};
use crate::setup;
use crate::workspace::Workspace;

const TESTS: &str = "admin-ui/tests/browser";
/// The smallest demo world: an unoptimised server fills it in seconds.
const SIZE: &str = "tiny";
const SYNC_LIMIT: Duration = Duration::from_secs(300);

pub fn run(workspace: &Workspace, log: &Path) -> Result<()> {
    let tests = test_files(&workspace.root.join(TESTS))?;
    if tests.is_empty() {
        bail!("no page tests in {TESTS}");
    }
    let data_dir = workspace.scratch_dir().join("pages");
    if data_dir.exists() {
        std::fs::remove_dir_all(&data_dir)?;
    }
    let plan =
        Plan { workspace, profile: "dev", data_dir, port: process::free_port()?, size: SIZE.to_owned() };
    // The demo world's own export: the same pages whether or not the real retail data is at hand.
    let mut running = Running::start(plan, None)?;
    wait_for_syncs(&mut running)?;

    let mut node = Command::new("node");
    node.current_dir(workspace.admin_ui()).arg("--test").args(["--test-concurrency=1"]).args(&tests);
    node.env("PORTOLAN_ADDRESS", running.address());
    node.env("PORTOLAN_SIGN_IN_LINK", running.sign_in_link()?);
    node.env("PORTOLAN_IMAGES_DIR", workspace.root.join("docs/images"));
    node.env("PORTOLAN_CHROMIUM", setup::chromium().context("no Chromium; `cargo xtask setup` installs it")?);
    process::run_logged(&mut node, log)?;
    running.still_runs()
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

fn test_files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let file = entry?.path();
        if file.to_string_lossy().ends_with(".test.mjs") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
