//! `cargo xtask bench`: measures what design promises, prints a line per figure, keeps the last run in
//! docs/benchmarks.md.
//!
//! `--profile` measures another build than the release; docs/benchmarks.md then says so. `--full` lets `scale` go up to a
//! hundred million events, which takes about a quarter of an hour and five gigabytes of disk.
//!
//! The figures come from the product's own example `bench` (host/server/examples) and the sandbox's
//! `containment` (host/plugin-host/examples), one JSON object a line on their standard output; for `query` and `scale`
//! DuckDB answers the same questions over the same Parquet, and dlt loads the pages of `sync` into the same kinds of
//! database.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::postgres::{Keeps, Postgres};
use crate::setup::{self, Need};
use crate::workspace::Workspace;
use crate::{assets, plugins, process};

mod report;
use report::Figure;

/// Name and what it measures.
const BENCHES: &[(&str, &str)] = &[
    ("normalize", "pure plugin calls: 1,000 orders of 3 lines a page, a fresh store for each page"),
    ("instantiate", "a plugin instance and one call; loading a compiled plugin from the cache"),
    ("containment", "a hostile plugin: how soon it is stopped, what it takes, what a neighbour notices"),
    ("sync", "fetch from a local upstream, stage, normalise, post; an order of 3 lines; both databases"),
    ("query", "metrics over 10 million generated ledger events, cold and repeated, beside DuckDB"),
    ("scale", "what an event costs in ledgers of ten thousand events to a hundred million, beside DuckDB"),
    ("access", "what may be done: 5,000 tenants and 100,000 memberships, in both databases"),
    ("start", "from the start of the binary to its first answer, and what it takes when idle"),
];

/// A program that does the same work, from PyPI in an environment of its own.
struct Peer {
    name: &'static str,
    packages: &'static [&'static str],
    script: &'static str,
}

const DUCKDB: Peer =
    Peer { name: "duckdb", packages: &["duckdb==2.0.0"], script: "xtask/bench/duckdb_peer.py" };
const DLT: Peer = Peer {
    name: "dlt",
    packages: &["dlt[postgres,sqlalchemy]==1.31.0", "sqlalchemy==2.1.9"],
    script: "xtask/bench/dlt_peer.py",
};
/// What is measured unless `--profile` says otherwise; figures of others are labelled.
const RELEASE: &str = "release";

pub fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<()> {
    let name = arguments.next_word();
    let json_file = arguments.value("--json")?.map(PathBuf::from);
    let profile = arguments.value("--profile")?.unwrap_or_else(|| RELEASE.to_owned());
    let full = arguments.flag("--full");
    arguments.finish()?;
    if let Some(name) = name.as_deref().filter(|name| !BENCHES.iter().any(|(known, _)| known == name)) {
        let names: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
        bail!("no benchmark is called {name}; there are: {}", names.join(", "));
    }
    setup::run(workspace, &[Need::Build, Need::Pages, Need::Tests])?;
    assets::build(workspace)?;
    plugins::build(workspace)?;
    let mut build = workspace.cargo();
    build.args(["build", "--profile", &profile]);
    // Both packages whatever is asked: crates from outside are then built once, with what either of them needs.
    build.args(["--package", "portolan-server", "--package", "portolan-plugin-host"]);
    for example in examples_of(name.as_deref()) {
        build.args(["--example", example]);
    }
    if name.as_deref().is_none_or(|name| name == "start") {
        build.args(["--bin", "portolan"]);
    }
    process::run(&mut build).context("the benchmarks do not compile")?;

    let mut sections = Vec::new();
    let mut all = Vec::new();
    for (bench, what) in BENCHES.iter().filter(|(bench, _)| name.as_deref().is_none_or(|name| name == *bench))
    {
        println!("\n{bench}: {what}");
        let figures = measure(workspace, bench, &profile, full)?;
        all.extend(figures.iter().map(|figure| figure.to_json(bench)));
        sections.push((*bench, report::section(what, &figures)));
    }
    let machine = report::machine(&profile)?;
    if let Some(file) = json_file {
        let text = serde_json::to_string_pretty(&json!({"machine": machine, "figures": all}))?;
        std::fs::write(&file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    report::write(&workspace.root.join("docs/benchmarks.md"), &machine, &sections)
}

/// The example that measures it: the sandbox alone is another program than the product.
fn example_of(bench: &str) -> &'static str {
    match bench {
        "containment" => "containment",
        _ => "bench",
    }
}

/// Of one benchmark, or of all.
fn examples_of(name: Option<&str>) -> BTreeSet<&'static str> {
    let asked = BENCHES.iter().filter(|(bench, _)| name.is_none_or(|name| name == *bench));
    asked.map(|(bench, _)| example_of(bench)).collect()
}

fn measure(workspace: &Workspace, bench: &str, profile: &str, full: bool) -> Result<Vec<Figure>> {
    let folder = workspace.scratch_dir().join("bench").join(bench);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let postgres =
        if ["sync", "access"].contains(&bench) { Some(Postgres::start(Keeps::Everything)?) } else { None };

    let program = format!("examples/{}", example_of(bench));
    let mut command = process::tied_to_us(workspace.binary(profile, &program));
    command.current_dir(&workspace.root).arg(bench).arg("--data-dir").arg(&folder);
    command.env("PORTOLAN_PLUGINS_DIR", workspace.plugins_dir());
    command.env("PORTOLAN_BINARY", workspace.binary(profile, "portolan"));
    if full && bench == "scale" {
        command.arg("--full");
    }
    if let Some(postgres) = &postgres {
        command.env("PORTOLAN_TEST_POSTGRES_URL", postgres.url());
    }
    let mut figures = figures_of(&process::stdout_of(&mut command)?)?;
    figures.iter().for_each(Figure::print);
    let answered = match bench {
        "query" => ask(workspace, &DUCKDB, &folder, None)?,
        "scale" => ask(workspace, &DUCKDB, &folder, Some("--sizes"))?,
        "sync" => ask(workspace, &DLT, &folder, postgres.as_ref().map(Postgres::url).as_deref())?,
        _ => String::new(),
    };
    let peer = figures_of(&answered)?;
    peer.iter().for_each(Figure::print);
    figures.extend(peer);
    std::fs::remove_dir_all(&folder)?;
    Ok(figures)
}

fn figures_of(lines: &str) -> Result<Vec<Figure>> {
    lines.lines().filter(|line| !line.trim().is_empty()).map(figure_of).collect()
}

fn figure_of(line: &str) -> Result<Figure> {
    let value: Value = serde_json::from_str(line).with_context(|| format!("not a figure: {line}"))?;
    Figure::of(&value).with_context(|| format!("not a figure: {line}"))
}

/// What the peer says of the same files.
fn ask(workspace: &Workspace, peer: &Peer, folder: &Path, argument: Option<&str>) -> Result<String> {
    let venv = workspace.scratch_dir().join(peer.name);
    let python = venv.join("bin/python");
    if !python.is_file() {
        println!("  installing {} from PyPI into a temporary environment", peer.packages.join(" "));
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .context("python3 can't make an environment (Debian: apt-get install python3-venv)")?;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet"]).args(peer.packages).stdout(Stdio::null());
    process::run(&mut pip).with_context(|| format!("{} could not be installed from PyPI", peer.name))?;
    let mut command = Command::new(&python);
    command.arg(workspace.root.join(peer.script)).arg(folder).args(argument);
    process::stdout_of(&mut command)
}
