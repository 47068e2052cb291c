//! `sandbox-stripe`: serves the demo accounts on a loopback port.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use portolan_sandbox_stripe::{Options, Size, serve, time};
use tokio::net::TcpListener;

/// A small Stripe to develop and test connectors against.
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
    /// The key that is accepted.
    #[arg(long, default_value = "rk_test_sandbox")]
    key: String,
    /// Where the world ends: a date or an instant (2026-06-30, 2026-06-30T12:00:00Z). Now if absent.
    #[arg(long)]
    until: Option<String>,
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
        Some(text) => time::parse_instant(text)
            .with_context(|| format!("--until: {text:?} is no date and no instant"))?,
        None => now()?,
    };
    let size = match arguments.size {
        SizeArgument::Tiny => Size::Tiny,
        SizeArgument::S => Size::S,
        SizeArgument::M => Size::M,
        SizeArgument::L => Size::L,
    };
    let options = Options { size, seed: arguments.seed, until, key: arguments.key };
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await.context("cannot listen")?;
    let handle = serve(listener, options)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", handle.address)?;
    for account in &handle.sandbox.world.accounts {
        let (name, currency, zone) =
            (account.profile.name, account.profile.currency, account.profile.zone.name());
        let entries = account.entries.len();
        writeln!(out, "{}/accounts/{name} {currency} {zone} {entries} balance transactions", handle.url())?;
    }
    out.flush()?;
    handle.wait().await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without host crates")]
/// The one look at the clock: a world that ends today has fresh data in it.
fn now() -> anyhow::Result<i64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().cast_signed())
}
