//! What a call costs: `cargo run --profile demo -p portolan-plugin-host --example measure -- hostile.wasm`.
//! Measured with the hostile plugin on its good behaviour: one line of the body is one order of 3 lines.
//!
//! `measure -- shopify.wasm page.json`: the same for a page of another connector's orders, as it came.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use portolan_connector::{ChunkInfo, NormalizeRequest, PluginRef, PluginRuntime};
use portolan_core::{Clock, Instant, SystemClock};
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};

const ORDERS_PER_PAGE: u32 = 1_000;
const ROUNDS: usize = 200;
const LOADS: usize = 30;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let component = Bytes::from(std::fs::read(arguments.next().ok_or("name a component")?)?);
    let page = arguments.next().map(std::fs::read).transpose()?;
    let folder = tempfile::tempdir()?;
    let options = || Options::new(folder.path(), CacheKey::new([1; 32]));
    let mut out = std::io::stdout().lock();

    let runtime = SandboxRuntime::new(options())?;
    let start = now_us();
    let plugin = runtime.install(component.clone()).await?.plugin;
    let artefact_kb = std::fs::metadata(runtime.artefact_path(&plugin.sha256))?.len() / 1_024;
    writeln!(out, "compile and install: {} ms, {artefact_kb} KB", (now_us() - start) / 1_000)?;

    let mut loads = Vec::new();
    for _ in 0..LOADS {
        let again = SandboxRuntime::new(options())?;
        let start = now_us();
        again.install(component.clone()).await?;
        loads.push(now_us() - start);
    }
    writeln!(out, "install from the cache: {}", told(&mut loads))?;

    let mut instances = Vec::new();
    for _ in 0..ROUNDS {
        let start = now_us();
        runtime.instantiate(&plugin).await?;
        instances.push(now_us() - start);
    }
    writeln!(out, "instantiate: {}", told(&mut instances))?;

    let bodies = match page {
        Some(page) => vec![br#"{"data":{"orders":{"nodes":[]}}}"#.to_vec(), page],
        None => [1, ORDERS_PER_PAGE]
            .map(|orders| {
                (0..orders).map(|number| format!("order-{number}\n")).collect::<String>().into_bytes()
            })
            .to_vec(),
    };
    for body in bodies {
        let (orders, mut calls) = normalize(&runtime, &plugin, Bytes::from(body)).await?;
        writeln!(out, "normalize {orders} orders, fresh store: {}", told(&mut calls))?;
    }
    Ok(())
}

/// How many orders were emitted, and how long each call took.
async fn normalize(
    runtime: &SandboxRuntime,
    plugin: &PluginRef,
    body: Bytes,
) -> Result<(u32, Vec<i64>), Box<dyn Error>> {
    let (mut orders, mut calls) = (0, Vec::new());
    for _ in 0..ROUNDS {
        let request = NormalizeRequest {
            info: ChunkInfo {
                stream: "orders".to_owned(),
                framing: "json:/data/orders/nodes".to_owned(),
                content_type: "application/json".to_owned(),
            },
            body: body.clone(),
            config: Arc::from(r#"{"shop":"measure.myshopify.com"}"#),
            time_zone: "UTC".to_owned(),
            received_at: Instant(0),
        };
        let start = now_us();
        orders = runtime.normalize(plugin, request).await?.emitted;
        calls.push(now_us() - start);
    }
    Ok((orders, calls))
}

fn now_us() -> i64 {
    SystemClock.monotonic().0
}

fn told(measured: &mut [i64]) -> String {
    measured.sort_unstable();
    format!("{} µs, best {} µs", measured[measured.len() / 2], measured[0])
}
