//! `normalize`: how many orders a second one core maps, through the whole sandbox.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use portolan_connector::{
    ConnectionContext, EgressGrant, FetchRequest, NormalizeRequest, Payload, PluginRef, PluginRuntime,
    SecretValue, SliceMode, SliceSpec,
};
use portolan_core::{Clock, ConnectionId, Duration, Instant, SystemClock, SystemRandom, TenantId};
use portolan_plugin_host::SandboxRuntime;
use portolan_sandbox_shopify::{Handle, Size};

use crate::figure::{Target, median, now_us, report, smallest};
use crate::orders::{self, ORDERS_PER_PAGE};
use crate::place::{Place, TOKEN, open_shop};

const ROUNDS: usize = 200;
const CONFIG: &str = r#"{"shop":"bench.myshopify.com"}"#;

pub async fn run(place: &Place) -> Result<()> {
    let (runtime, plugin) = place.sandbox_with_shopify().await?;
    let prepared = orders::page(0, ORDERS_PER_PAGE);
    let small = Measured::of(&runtime, &plugin, &prepared, place.rounds(ROUNDS)).await?;
    ensure!(small.records == ORDERS_PER_PAGE as u32, "{} of {ORDERS_PER_PAGE} orders", small.records);
    small.report("orders of 3 lines, 1,000 a page", Target::AtLeast(120_000.0))?;

    let shop = open_shop(Size::Tiny).await?;
    let answered = first_page(&runtime, &plugin, &shop).await?;
    let whole = Measured::of(&runtime, &plugin, &answered, place.rounds(ROUNDS)).await?;
    whole.report("orders with their history, as the sandbox answers", Target::None)
}

struct Measured {
    records: u32,
    documents: usize,
    bytes: usize,
    page_us: f64,
    best_us: f64,
}

impl Measured {
    /// One call after the other, so that never more than one core is at work.
    async fn of(runtime: &SandboxRuntime, plugin: &PluginRef, body: &Bytes, rounds: usize) -> Result<Self> {
        let (mut records, mut documents) = (0, 0);
        let mut measured = Vec::with_capacity(rounds);
        for round in 0..=rounds {
            let request = NormalizeRequest {
                info: orders::chunk_info(),
                body: body.clone(),
                config: Arc::from(CONFIG),
                time_zone: "UTC".to_owned(),
                received_at: Instant(0),
            };
            let start_us = now_us();
            let normalized = runtime.normalize(plugin, request).await?;
            let took_us = now_us() - start_us;
            ensure!(normalized.skipped.is_empty(), "an order was skipped: {:?}", normalized.skipped[0]);
            (records, documents) = (normalized.emitted, normalized.documents.len());
            // The first one warms caches up.
            if round > 0 {
                measured.push(took_us);
            }
        }
        let best_us = smallest(&measured);
        Ok(Self { records, documents, bytes: body.len(), page_us: median(&mut measured), best_us })
    }

    fn report(&self, name: &str, target: Target) -> Result<()> {
        let rate = |page_us: f64| f64::from(self.records) / page_us * 1_000_000.0;
        let note = format!(
            "p50; best {:.0}; a page of {} orders: {:.1} KB an order, {} documents, {:.2} ms",
            rate(self.best_us),
            self.records,
            self.bytes as f64 / f64::from(self.records) / 1_024.0,
            self.documents,
            self.page_us / 1_000.0
        );
        report(name, rate(self.page_us), "orders/s", target, &note)
    }
}

/// The first page of orders that the plugin fetches from the sandbox shop.
async fn first_page(runtime: &SandboxRuntime, plugin: &PluginRef, shop: &Handle) -> Result<Bytes> {
    let now = SystemClock.now();
    let grant =
        EgressGrant { scheme: "http".to_owned(), host: "127.0.0.1".to_owned(), port: shop.address.port() };
    let config = serde_json::json!({"shop": "bench.myshopify.com", "base_url": shop.url(), "bulk_from_points": 1_000_000_000});
    let request = FetchRequest {
        connection: ConnectionContext {
            tenant: TenantId::generate(&SystemClock, &SystemRandom),
            id: ConnectionId::generate(&SystemClock, &SystemRandom),
            config: Arc::from(config.to_string()),
            secrets: vec![("access_token".to_owned(), SecretValue::new(TOKEN))],
            egress_grants: vec![grant],
            time_zone: "UTC".to_owned(),
            files: Vec::new(),
        },
        slice: SliceSpec {
            stream: "orders".to_owned(),
            partition: None,
            since: Some(Instant(0)),
            until: Some(now),
            mode: SliceMode::Backfill,
        },
        token: None,
        now,
        deadline: now + Duration::from_minutes(1),
    };
    let page = runtime.fetch(plugin, request).await?;
    let chunk = page.chunks.into_iter().next().context("the sandbox shop has no orders")?;
    match chunk.payload {
        Payload::Inline(body) => Ok(body),
        Payload::Staged(_) => anyhow::bail!("the plugin streamed a page that it gives in memory otherwise"),
    }
}
