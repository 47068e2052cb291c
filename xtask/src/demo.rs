//! `cargo xtask demo`: from a fresh checkout to pages with numbers on them.

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

/// As the sandboxes know them: 240 orders, 20,000, 1,000,000 and 5,000,000 in the largest shop.
const SIZES: [&str; 4] = ["tiny", "s", "m", "l"];

pub fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<()> {
    let port = arguments.value("--port")?.unwrap_or_else(|| "8080".to_owned());
    let port = port.parse::<u16>().with_context(|| format!("{port} is not a port"))?;
    let size = arguments.value("--size")?.unwrap_or_else(|| "s".to_owned()).to_lowercase();
    if !SIZES.contains(&size.as_str()) {
        bail!("no demo world has the size {size}; there are: {}", SIZES.join(", "));
    }
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
    build.args(["--package", "portolan-server"]);
    build.args(["--package", "portolan-sandbox-shopify", "--package", "portolan-sandbox-stripe"]);
    process::run(&mut build).context("Portolan does not compile")?;

    let data_dir = workspace.root.join("portolan-data/demo");
    if reset && data_dir.exists() {
        step(start, "forgetting the earlier demo");
        std::fs::remove_dir_all(&data_dir)?;
    }
    step(start, "starting the sandbox Shopify, the sandbox Stripe and Portolan");
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
    let mut drawn = 0;
    let mut last = Vec::new();
    loop {
        running.still_runs()?;
        let syncs = syncs_of(&running.sync_status()?);
        let lines: Vec<String> = syncs.iter().map(Sync::line).collect();
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
    name: String,
    state: String,
    seen: u64,
    expected: Option<u64>,
    percent: Option<u64>,
    per_second: Option<u64>,
    eta_ms: Option<u64>,
    error: Option<String>,
}

impl Sync {
    fn finished(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "cancelled")
    }

    fn line(&self) -> String {
        let mut line = format!("  {:<22} {:<10} {:>9} records", self.name, self.state, self.seen);
        if let Some(expected) = self.expected {
            line += &format!(" of {expected}");
        }
        if let Some(percent) = self.percent {
            line += &format!(", {percent} %");
        }
        if let Some(per_second) = self.per_second {
            line += &format!(", {per_second}/s");
        }
        if let Some(eta_ms) = self.eta_ms {
            line += &format!(", about {} s left", eta_ms.div_ceil(1_000));
        }
        if let Some(error) = &self.error {
            line += &format!(": {error}");
        }
        line
    }
}

/// The list may stand alone or under `data`, as the JSON API pages it; oldest first.
fn syncs_of(answer: &Value) -> Vec<Sync> {
    let list = answer.as_array().or_else(|| answer["data"].as_array());
    let mut list: Vec<&Value> = list.into_iter().flatten().collect();
    list.sort_by_key(|sync| sync["created_at"].as_str());
    list.into_iter().map(sync_of).collect()
}

fn sync_of(value: &Value) -> Sync {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let progress = &value["progress"];
    Sync {
        name: text("connection").or_else(|| text("connection_id")).unwrap_or_default(),
        state: text("state").unwrap_or_default(),
        seen: value["seen"].as_u64().unwrap_or_default(),
        expected: progress["records_expected"].as_u64(),
        percent: progress["percent"].as_u64(),
        per_second: progress["records_per_second"].as_u64(),
        eta_ms: progress["eta_ms"].as_u64(),
        error: text("error_detail").or_else(|| text("error_code")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{first_syncs_are_done, syncs_of};

    #[test]
    fn a_running_sync_says_how_far_it_is() {
        let answer = json!([{"connection": "shopify", "state": "running", "seen": 300,
            "progress": {"percent": 30, "records_expected": 1000, "records_per_second": 150, "eta_ms": 4_600}}]);
        let line = syncs_of(&answer)[0].line();
        assert_eq!(
            line,
            "  shopify                running          300 records of 1000, 30 %, 150/s, about 5 s left"
        );
        assert!(!first_syncs_are_done(&answer).unwrap());
    }

    #[test]
    fn a_failed_sync_says_why() {
        let answer = json!({"data": [{"connection": "shopify", "state": "failed", "seen": 3,
            "error_detail": "The upstream did not answer."}]});
        assert!(syncs_of(&answer)[0].line().ends_with("3 records: The upstream did not answer."));
        let error = first_syncs_are_done(&answer).unwrap_err().to_string();
        assert_eq!(error, "the sync of shopify failed: The upstream did not answer.");
    }

    #[test]
    fn no_sync_yet_is_not_done() {
        assert!(!first_syncs_are_done(&json!([])).unwrap());
    }
}
