//! What a call costs: `cargo run --profile demo -p portolan-plugin-host --example measure -- hostile.wasm`.
//! Measured with the hostile plugin on its good behaviour: one line of the body is one order of 3 lines.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use portolan_connector::{ChunkInfo, NormalizeRequest, PluginRuntime};
use portolan_core::{Clock, Instant, SystemClock};
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};

const ORDERS_PER_PAGE: u32 = 1_000;
const ROUNDS: u32 = 100;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a component")?;
    let component = Bytes::from(std::fs::read(path)?);
    let folder = tempfile::tempdir()?;
    let options = || Options::new(folder.path(), CacheKey::new([1; 32]));
    let mut out = std::io::stdout().lock();

    let clock = SystemClock;
    let runtime = SandboxRuntime::new(options())?;
    let start = clock.monotonic();
    let plugin = runtime.install(component.clone()).await?.plugin;
    writeln!(out, "compile and install: {} ms", (clock.monotonic().0 - start.0) / 1_000)?;

    let again = SandboxRuntime::new(options())?;
    let start = clock.monotonic();
    again.install(component).await?;
    writeln!(out, "install from the cache: {} µs", clock.monotonic().0 - start.0)?;

    let mut fastest_us = i64::MAX;
    for _ in 0..ROUNDS {
        let start = clock.monotonic();
        runtime.instantiate(&plugin).await?;
        fastest_us = fastest_us.min(clock.monotonic().0 - start.0);
    }
    writeln!(out, "instantiate: {fastest_us} µs")?;

    for orders in [1, ORDERS_PER_PAGE] {
        let body: String = (0..orders).map(|number| format!("order-{number}\n")).collect();
        let mut fastest_us = i64::MAX;
        for _ in 0..ROUNDS {
            let request = page(&body);
            let start = clock.monotonic();
            let normalized = runtime.normalize(&plugin, request).await?;
            fastest_us = fastest_us.min(clock.monotonic().0 - start.0);
            assert_eq!(normalized.emitted, orders);
        }
        writeln!(out, "normalize {orders} orders, fresh store: {fastest_us} µs")?;
    }
    Ok(())
}

fn page(body: &str) -> NormalizeRequest {
    NormalizeRequest {
        info: ChunkInfo {
            stream: "orders".to_owned(),
            framing: "json".to_owned(),
            content_type: "text/plain".to_owned(),
        },
        body: Bytes::copy_from_slice(body.as_bytes()),
        config: Arc::from("{}"),
        time_zone: "UTC".to_owned(),
        received_at: Instant(0),
    }
}
