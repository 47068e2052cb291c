//! `start`: from the start of the binary to its first answer, with a database that exists, and what it takes idle.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::figure::{Target, median, now_us, report, smallest};
use crate::memory;
use crate::place::Place;

const STARTS: usize = 7;
const PATIENCE_US: f64 = 60e6;
/// As soon as it answers, and no sooner than a millisecond after the last look.
const LOOK_EVERY: Duration = Duration::from_millis(1);
const IDLE_AFTER: Duration = Duration::from_secs(5);

pub async fn run(place: &Place, portolan: &Path) -> Result<()> {
    // The first start makes the database and compiles the plugins.
    let (first, first_ms) = start(place, portolan).await?;
    drop(first);
    let mut starts = Vec::new();
    let mut idle_mb = 0.0;
    let rounds = if place.small { 2 } else { STARTS };
    for round in 0..rounds {
        let (running, ready_ms) = start(place, portolan).await?;
        starts.push(ready_ms);
        if round + 1 == rounds {
            tokio::time::sleep(IDLE_AFTER).await;
            idle_mb = memory::resident_mb(running.0.id())?;
        }
    }
    let note = format!(
        "p50 of {rounds}; best {:.0}; SQLite, plugins compiled before; until /api/v1/health/ready answers 200",
        smallest(&starts)
    );
    report("start", median(&mut starts), "ms", Target::AtMost(1_000.0), &note)?;
    report("the first start", first_ms, "ms", Target::None, "makes the database and compiles the plugins")?;
    report("memory when idle", idle_mb, "MB", Target::AtMost(150.0), "resident, five seconds after a start")
}

/// Stops when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Starts it and waits for its first answer.
async fn start(place: &Place, portolan: &Path) -> Result<(Running, f64)> {
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let mut command = Command::new(portolan);
    command.arg("serve").args(["--listen", &address.to_string()]);
    command.arg("--data-dir").arg(place.data_dir.join("served")).arg("--plugins").arg(&place.plugins_dir);
    command.env("PORTOLAN_LOG", "error").stdout(Stdio::null());
    let start_us = now_us();
    let child = command.spawn().with_context(|| format!("{} does not start", portolan.display()))?;
    let mut running = Running(child);
    loop {
        if is_ready(address).await {
            return Ok((running, (now_us() - start_us) / 1_000.0));
        }
        if let Some(status) = running.0.try_wait()? {
            bail!("portolan ended before it was ready: {status}");
        }
        if now_us() - start_us > PATIENCE_US {
            bail!("portolan was not ready within a minute");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request = "GET /api/v1/health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        answer.starts_with(b"HTTP/1.1 200").then_some(())
    };
    ask.await.is_some()
}
