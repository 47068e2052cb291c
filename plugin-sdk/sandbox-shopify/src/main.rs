//! `sandbox-shopify`: serves the demo world on a loopback port, or writes it to a file.

use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use portolan_sandbox_shopify::{BulkPlan, Options, Size, ThrottlePlan, World, parse_instant, serve};
use tokio::net::TcpListener;

/// A small Shopify to develop and test connectors against.
#[derive(Parser)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one. The address is the first line on standard output.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How much of a world to make.
    #[arg(long, value_enum, ignore_case = true, default_value = "s")]
    size: SizeArgument,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The access token that is accepted.
    #[arg(long, default_value = "shpat_sandbox")]
    token: String,
    /// Where the world ends: a date or an instant (2026-06-30, 2026-06-30T12:00:00Z). Now if absent.
    #[arg(long)]
    until: Option<String>,
    /// Query cost that the bucket holds; with --restore-rate, 2000 and 100 are what small stores have.
    #[arg(long, default_value_t = ThrottlePlan::GENEROUS.maximum_available)]
    maximum_available: u64,
    /// Query cost that comes back per second.
    #[arg(long, default_value_t = ThrottlePlan::GENEROUS.restore_rate)]
    restore_rate: u64,
    /// Megabytes of answers to keep for the next sync; 0 renders each anew. Size S fills about 130.
    #[arg(long, default_value_t = 0)]
    remember_mb: usize,
    /// Write the first shop's orders as a delimited file, then end.
    #[arg(long)]
    orders_csv: Option<PathBuf>,
    /// Write what is true of each shop as JSON, then end.
    #[arg(long)]
    truth: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum SizeArgument {
    Tiny,
    S,
    M,
    L,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let until = match &arguments.until {
        Some(text) => {
            parse_instant(text).with_context(|| format!("--until: {text:?} is no date and no instant"))?
        }
        None => now()?,
    };
    let size = match arguments.size {
        SizeArgument::Tiny => Size::Tiny,
        SizeArgument::S => Size::S,
        SizeArgument::M => Size::M,
        SizeArgument::L => Size::L,
    };
    if arguments.orders_csv.is_some() || arguments.truth.is_some() {
        return export(&arguments, &World::generate(size, arguments.seed, until));
    }
    let throttle =
        ThrottlePlan { maximum_available: arguments.maximum_available, restore_rate: arguments.restore_rate };
    let options = Options {
        size,
        seed: arguments.seed,
        until,
        token: arguments.token,
        throttle,
        bulk: BulkPlan::USUAL,
        remember_bytes: arguments.remember_mb << 20,
    };
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await.context("cannot listen")?;
    let handle = serve(listener, options)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", handle.address)?;
    for shop in &handle.sandbox.world.shops {
        let (name, currency, zone) = (shop.profile.name, shop.profile.currency, shop.profile.zone.name());
        writeln!(out, "{}/shops/{name} {currency} {zone} {} orders", handle.url(), shop.order_count())?;
    }
    out.flush()?;
    handle.wait().await?;
    Ok(())
}

fn export(arguments: &Arguments, world: &World) -> anyhow::Result<()> {
    if let (Some(path), Some(shop)) = (&arguments.orders_csv, world.shops.first()) {
        let cannot_write = || format!("cannot write {}", path.display());
        let file = std::fs::File::create(path).with_context(cannot_write)?;
        shop.write_orders_csv(std::io::BufWriter::new(file)).with_context(cannot_write)?;
    }
    if let Some(path) = &arguments.truth {
        let truths = world.shops.iter().map(|shop| shop.truth()).collect::<Vec<_>>();
        let text = serde_json::to_vec_pretty(&truths)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without host crates")]
/// The one look at the clock: a world that ends today has fresh data in it.
fn now() -> anyhow::Result<i64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().cast_signed())
}
