//! `bench NAME`: measures what the design promises and prints a JSON object per figure.
//!
//! `cargo xtask bench` builds it, starts it and turns its figures into docs/benchmarks.md. Everything
//! measured is the product's own: the sandbox with the built Shopify plugin, the queue, the ledger, the
//! columnar engine. Only where the upstream itself would be the limit do prepared pages stand in for it.

mod access;
mod figure;
mod instantiate;
mod memory;
mod normalize;
mod orders;
mod place;
mod query;
mod scale;
mod start;
mod sync;
mod upstream;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use place::Place;

#[derive(Parser)]
struct Arguments {
    bench: Bench,
    /// An empty folder for everything that is written.
    #[arg(long)]
    data_dir: PathBuf,
    /// Folder of the built plugins.
    #[arg(long, env = "PORTOLAN_PLUGINS_DIR")]
    plugins_dir: PathBuf,
    /// Ledger events that are asked about.
    #[arg(long)]
    events: Option<u64>,
    /// Only the syncs that have this in their name, for example `prepared pages to ledger, SQLite`.
    #[arg(long)]
    only: Option<String>,
    /// Of `scale`: also a hundred million events.
    #[arg(long)]
    full: bool,
    /// Of `start`: the built binary.
    #[arg(long, env = "PORTOLAN_BINARY", default_value = "portolan")]
    portolan: PathBuf,
    /// A hundredth of the work, to see that it runs; the figures mean little.
    #[arg(long)]
    small: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    Normalize,
    Instantiate,
    Sync,
    Query,
    Scale,
    Start,
    Access,
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(std::env::var("PORTOLAN_LOG").unwrap_or_else(|_| "error".to_owned()))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let data_dir = std::path::absolute(&arguments.data_dir)?;
    std::fs::create_dir_all(&data_dir)
        .with_context(|| format!("the folder {} cannot be created", data_dir.display()))?;
    let place = Place { data_dir, plugins_dir: arguments.plugins_dir, small: arguments.small };
    match arguments.bench {
        Bench::Normalize => normalize::run(&place).await,
        Bench::Instantiate => instantiate::run(&place).await,
        Bench::Sync => sync::run(&place, arguments.only.as_deref().unwrap_or_default()).await,
        Bench::Query => {
            let events = if place.small { 100_000 } else { 10_000_000 };
            query::run(&place, arguments.events.unwrap_or(events)).await
        }
        Bench::Scale => scale::run(&place, arguments.full).await,
        Bench::Start => start::run(&place, &arguments.portolan).await,
        Bench::Access => access::run(&place).await,
    }
}
