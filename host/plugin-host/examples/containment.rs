//! `containment --data-dir FOLDER`: what a hostile plugin costs others, and how soon and within what it is stopped.
//!
//! The hostile guest of the sandbox's tests misbehaves; beside it the same plugin on its good behaviour stands
//! for a neighbour. Both are measured in one run, in turns, so that whatever else the machine does falls on both.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use portolan_connector::{
    ConnectionContext, Fault, FetchRequest, Page, PluginRef, PluginRuntime, SliceMode, SliceSpec,
};
use portolan_core::{Clock, ConnectionId, Duration, Instant, SystemClock, TenantId};
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};
use serde_json::json;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The guest's own limits (its manifest).
const CPU_MS: f64 = 500.0;
const MEMORY_MIB: f64 = 32.0;
const CALLS: usize = 2_000;
const STOPS: usize = 20;
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip_while(|word| word != "--data-dir").skip(1);
    let data_dir = arguments.next().ok_or("name a folder: --data-dir FOLDER")?;
    let plugins_dir = std::env::var_os("PORTOLAN_PLUGINS_DIR").ok_or("PORTOLAN_PLUGINS_DIR is not set")?;
    let file = PathBuf::from(plugins_dir).join("guests/hostile.wasm");
    let component = std::fs::read(&file)
        .map_err(|error| format!("{}: {error}; `cargo xtask plugins` builds it", file.display()))?;
    let runtime = Arc::new(SandboxRuntime::new(Options::new(data_dir, CacheKey::new([7; 32])))?);
    let plugin = runtime.install(Bytes::from(component)).await?.plugin;
    let tenant = "01890a5d-ac96-774b-bcce-b302099a8056".parse()?;
    let connection = "01890a5d-ac96-774b-bcce-b302099a8057".parse()?;
    let sandbox = Sandbox { runtime, plugin, tenant, connection };

    for (behaviour, what) in [
        ("loop", "an endless loop"),
        ("calls", "a flood of short host calls"),
        ("long-calls", "a flood of 8 MiB host calls"),
        ("wide-calls", "a flood of host calls with 200,000 strings"),
    ] {
        let mut ratios = Vec::new();
        for _ in 0..STOPS {
            let start_us = now_us();
            expect(sandbox.fetch(behaviour).await, "cpu")?;
            ratios.push((now_us() - start_us) / 1_000.0 / CPU_MS);
        }
        let worst = ratios.iter().copied().fold(0.0, f64::max);
        let note = format!("p50 of {}; worst {worst:.2}", ratios.len());
        report(&format!("{what}, stopped after"), median(&mut ratios), "× deadline", 1.2, &note)?;
    }

    // Before anything has grabbed memory: the peak of a process never falls again.
    if let Some(before) = peak_mib() {
        expect(sandbox.fetch("memory").await, "memory")?;
        let grown = peak_mib().unwrap_or_default() - before;
        let note = format!("{grown:.1} MiB at a limit of {MEMORY_MIB:.0} MiB");
        report("memory grab, growth of the process", grown / MEMORY_MIB, "× limit", 1.1, &note)?;
    }

    for (behaviour, what) in
        [("loop", "loops"), ("memory", "grabs memory"), ("calls", "floods the host"), ("trap", "crashes")]
    {
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            alone.extend(latencies(&sandbox, CALLS / ROUNDS).await?);
            let offender = Offender::start(&sandbox, behaviour);
            beside.extend(latencies(&sandbox, CALLS / ROUNDS).await?);
            offender.end().await?;
        }
        let (quiet, busy) = (p95(&mut alone), p95(&mut beside));
        let note = format!(
            "p95 {busy:.0} µs beside it, {quiet:.0} µs alone; p50 {:.0} and {:.0} µs",
            median(&mut beside),
            median(&mut alone)
        );
        report(&format!("a neighbour's p95 while one {what}"), busy / quiet, "× alone", 2.0, &note)?;
    }
    Ok(())
}

#[derive(Clone)]
struct Sandbox {
    runtime: Arc<SandboxRuntime>,
    plugin: PluginRef,
    tenant: TenantId,
    connection: ConnectionId,
}

impl Sandbox {
    async fn fetch(&self, behaviour: &str) -> Result<Page, Fault> {
        let now = Instant(1_790_000_000_000_000);
        let connection = ConnectionContext {
            tenant: self.tenant,
            id: self.connection,
            config: Arc::from(
                json!({ "behaviour": behaviour, "argument": "well", "shop": "bench" }).to_string(),
            ),
            secrets: Vec::new(),
            egress_grants: Vec::new(),
            time_zone: "UTC".to_owned(),
            files: Vec::new(),
        };
        let slice = SliceSpec {
            stream: "orders".to_owned(),
            partition: None,
            since: None,
            until: None,
            mode: SliceMode::Snapshot,
        };
        let deadline = now + Duration::from_minutes(10);
        self.runtime.fetch(&self.plugin, FetchRequest { connection, slice, token: None, now, deadline }).await
    }
}

/// Somebody who misbehaves again and again until told to end.
struct Offender {
    ends: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Offender {
    fn start(sandbox: &Sandbox, behaviour: &'static str) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let (sandbox, told) = (sandbox.clone(), ends.clone());
        let task = tokio::spawn(async move {
            while !told.load(Ordering::Relaxed) {
                let _ = sandbox.fetch(behaviour).await;
            }
        });
        Self { ends, task }
    }

    async fn end(self) -> Result<()> {
        self.ends.store(true, Ordering::Relaxed);
        Ok(self.task.await?)
    }
}

async fn latencies(sandbox: &Sandbox, calls: usize) -> Result<Vec<f64>> {
    let mut measured = Vec::new();
    for _ in 0..calls {
        let start_us = now_us();
        sandbox.fetch("echo").await?;
        measured.push(now_us() - start_us);
    }
    Ok(measured)
}

fn expect(answer: Result<Page, Fault>, limit: &str) -> Result<()> {
    match answer {
        Err(Fault::Stopped { limit: found, .. }) if found == limit => Ok(()),
        other => Err(format!("it should be stopped at {limit}: {other:?}").into()),
    }
}

fn p95(measured: &mut [f64]) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured.get(measured.len() * 95 / 100).copied().unwrap_or(f64::NAN)
}

/// One figure as `cargo xtask bench` reads it; less is better.
fn report(name: &str, value: f64, unit: &str, at_most: f64, note: &str) -> Result<()> {
    let line = json!({"figure": name, "value": value, "unit": unit, "target": at_most, "better": "lower", "note": note});
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

/// Microseconds since the program began.
fn now_us() -> f64 {
    SystemClock.monotonic().0 as f64
}

fn median(measured: &mut [f64]) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured.get(measured.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The most memory that this process ever had; none where the system has no such file.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kilobytes| kilobytes / 1_024.0)
}
