//! `instantiate`: what a call costs before it does anything, and what a start costs per plugin.

use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::Bytes;
use portolan_connector::{NormalizeRequest, PluginRuntime};
use portolan_core::Instant;

use crate::figure::{Target, median, now_us, report, smallest};
use crate::orders;
use crate::place::Place;

const CALLS: usize = 5_000;
const LOADS: usize = 100;
/// The least that a call can be about.
const EMPTY_PAGE: &[u8] = br#"{"data":{"orders":{"nodes":[]}}}"#;

pub async fn run(place: &Place) -> Result<()> {
    let component = place.component()?;
    let start_us = now_us();
    let runtime = place.sandbox()?;
    let plugin = runtime.install(component.clone()).await?.plugin;
    let compiled_ms = (now_us() - start_us) / 1_000.0;

    let mut calls = Vec::new();
    for _ in 0..place.rounds(CALLS) {
        let request = NormalizeRequest {
            info: orders::chunk_info(),
            body: Bytes::from_static(EMPTY_PAGE),
            config: Arc::from(r#"{"shop":"bench.myshopify.com"}"#),
            time_zone: "UTC".to_owned(),
            received_at: Instant(0),
        };
        let start_us = now_us();
        let normalized = runtime.normalize(&plugin, request).await?;
        calls.push(now_us() - start_us);
        ensure!(normalized.seen == 0, "an empty page had {} records", normalized.seen);
    }
    let note = format!("p50 of {}; best {:.0}; an empty page of orders", calls.len(), smallest(&calls));
    report("instance and one call", median(&mut calls), "µs", Target::AtMost(100.0), &note)?;

    let mut instances = Vec::new();
    for _ in 0..place.rounds(CALLS) {
        let start_us = now_us();
        runtime.instantiate(&plugin).await?;
        instances.push(now_us() - start_us);
    }
    let note = format!("p50 of {}; best {:.0}", instances.len(), smallest(&instances));
    report("instance alone", median(&mut instances), "µs", Target::None, &note)?;

    let mut loads = Vec::new();
    for _ in 0..place.rounds(LOADS) {
        // As after a restart: an engine that has loaded nothing yet.
        let fresh = place.sandbox()?;
        let start_us = now_us();
        fresh.install(component.clone()).await?;
        loads.push((now_us() - start_us) / 1_000.0);
    }
    let size_kb = component.len() / 1_024;
    let note = format!(
        "p50 of {}; best {:.1}; {size_kb} KB, checked and authenticated",
        loads.len(),
        smallest(&loads)
    );
    report("compiled plugin from the cache", median(&mut loads), "ms", Target::AtMost(5.0), &note)?;
    report("plugin compiled, the first time", compiled_ms, "ms", Target::None, "once per plugin and engine")
}
