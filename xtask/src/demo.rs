//! `cargo xtask demo`: from a fresh checkout to pages with numbers on them.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::server::{Plan, Running};
use crate::setup::{self, Need};
use crate::workspace::Workspace;
use crate::{assets, plugins, process};

/// A public data set: a year of a British gift shop's sales, the demo's second connection.
const RETAIL_DATA: &str = "../shared/datasets/uci-online-retail.csv.xz";

pub fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<()> {
    let port = arguments.value("--port")?.unwrap_or_else(|| "8080".to_owned());
    let port = port.parse::<u16>().with_context(|| format!("{port} is not a port"))?;
    let size = arguments.value("--size")?.unwrap_or_else(|| "S".to_owned());
    let reset = arguments.flag("--reset");
    arguments.finish()?;
    if process::accepts_connections(port) {
        bail!("port {port} is taken; stop what listens there or choose another with --port");
    }

    let start = Instant::now();
    setup::run(workspace, &[Need::Build, Need::Pages])?;
    step(start, "bundling the pages");
    assets::build(workspace)?;
    step(start, "building the plugins");
    plugins::build(workspace)?;
    step(start, "building Portolan (the first time takes several minutes; cargo says what it is at)");
    let mut build = workspace.cargo();
    build.args(["build", "--profile", "demo", "--bins"]);
    build.args(["--package", "portolan-server", "--package", "portolan-sandbox-shopify"]);
    process::run(&mut build).context("Portolan does not compile")?;

    let data_dir = workspace.root.join("portolan-data/demo");
    if reset && data_dir.exists() {
        step(start, "forgetting the earlier demo");
        std::fs::remove_dir_all(&data_dir)?;
    }
    step(start, "starting the sandbox Shopify and Portolan");
    match show(Plan { workspace, profile: "demo", data_dir, port, size }) {
        Err(_) if process::interrupted() => {
            println!("\nstopped");
            Ok(())
        }
        other => other,
    }
}

/// Runs until a signal, or until one of the programs ends.
fn show(plan: Plan<'_>) -> Result<()> {
    let workspace = plan.workspace;
    let mut running = Running::start(plan, retail_data(workspace).as_deref())?;
    let address = running.address();
    let link = running.sign_in_link()?;
    println!(
        "\n  Portolan   {address}\n  Sign in    {link}   (works once)\n  Logs       {}\n",
        running.server.log.display()
    );
    println!("First syncs, also at {address}/syncs (Ctrl-C stops everything; the data stays):");
    watch_syncs(&mut running)?;
    println!("\nAll there. {address} stays up until Ctrl-C.");
    loop {
        process::pause(Duration::from_secs(1))?;
        running.still_runs()?;
    }
}

fn retail_data(workspace: &Workspace) -> Option<PathBuf> {
    let file = workspace.root.join(RETAIL_DATA);
    file.is_file().then_some(file)
}

fn step(start: Instant, what: &str) {
    println!("[{:>3} s] {what}", start.elapsed().as_secs());
}

/// Shows the first syncs until none is under way.
fn watch_syncs(running: &mut Running) -> Result<()> {
    let screen = std::io::stdout();
    let redraw = screen.is_terminal();
    let mut rates = HashMap::new();
    let mut drawn = 0;
    let mut last = Vec::new();
    loop {
        running.still_runs()?;
        let syncs = syncs_of(&running.sync_status()?);
        let now = Instant::now();
        let lines: Vec<String> =
            syncs.iter().map(|sync| sync.line(rates.entry(sync.id.clone()).or_insert(now))).collect();
        let mut out = screen.lock();
        if redraw && drawn > 0 {
            write!(out, "\x1b[{drawn}A")?;
        }
        // Where lines can't be redrawn, only news are printed.
        for line in lines.iter().filter(|line| redraw || !last.contains(*line)) {
            writeln!(out, "{}{line}", if redraw { "\x1b[2K" } else { "" })?;
        }
        out.flush()?;
        drawn = lines.len();
        last = lines;
        if !syncs.is_empty() && syncs.iter().all(Sync::finished) {
            return Ok(());
        }
        process::pause(Duration::from_secs(if redraw { 1 } else { 10 }))?;
    }
}

/// For the tests of the pages. Errors: one of them failed.
pub fn first_syncs_are_done(answer: &Value) -> Result<bool> {
    let syncs = syncs_of(answer);
    if let Some(sync) = syncs.iter().find(|sync| sync.state == "failed") {
        bail!("the sync of {} failed: {}", sync.name, sync.error.as_deref().unwrap_or("no reason given"));
    }
    Ok(!syncs.is_empty() && syncs.iter().all(Sync::finished))
}

/// One sync as the terminal shows it.
#[derive(Debug, PartialEq, Eq)]
struct Sync {
    id: String,
    name: String,
    state: String,
    seen: u64,
    expected: Option<u64>,
    error: Option<String>,
}

impl Sync {
    fn finished(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "cancelled")
    }

    /// `since` is when this sync was first looked at: the base of its rate.
    fn line(&self, since: &Instant) -> String {
        let mut line = format!("  {:<22} {:<10} {:>9} records", self.name, self.state, self.seen);
        if let Some(expected) = self.expected {
            line += &format!(" of {expected}");
        }
        let elapsed_s = since.elapsed().as_secs();
        if self.state == "running" && elapsed_s >= 2 && self.seen > 0 {
            let per_second = (self.seen / elapsed_s).max(1);
            line += &format!(", {per_second}/s");
            if let Some(left) = self.expected.and_then(|expected| expected.checked_sub(self.seen)) {
                line += &format!(", about {} s left", left / per_second);
            }
        }
        if let Some(error) = &self.error {
            line += &format!(": {error}");
        }
        line
    }
}

/// The list may stand alone or under `data`, as the JSON API pages it.
fn syncs_of(answer: &Value) -> Vec<Sync> {
    let list = answer.as_array().or_else(|| answer["data"].as_array());
    list.into_iter().flatten().map(sync_of).collect()
}

fn sync_of(value: &Value) -> Sync {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    Sync {
        id: text("id").unwrap_or_default(),
        name: text("connection").or_else(|| text("connection_id")).unwrap_or_default(),
        state: text("state").unwrap_or_default(),
        seen: value["seen"].as_u64().unwrap_or_default(),
        expected: value["expected"].as_u64(),
        error: text("error_detail").or_else(|| text("error_code")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::syncs_of;

    #[test]
    fn a_failed_sync_says_why() {
        let answer = json!([{"id": "1", "connection": "shopify", "state": "failed", "seen": 3, "expected": 10,
            "error_detail": "The upstream did not answer."}]);
        let syncs = syncs_of(&answer);
        assert!(syncs[0].finished());
        let line = syncs[0].line(&std::time::Instant::now());
        assert_eq!(
            line,
            "  shopify                failed             3 records of 10: The upstream did not answer."
        );
    }

    #[test]
    fn a_list_of_the_api_is_understood_too() {
        assert_eq!(syncs_of(&json!({"data": [{"id": "1", "state": "running"}]})).len(), 1);
        assert!(syncs_of(&json!({})).is_empty());
    }
}
