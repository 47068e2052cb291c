//! `sync`: orders a second from the upstream to the ledger, as a job of the queue, on both databases.
//!
//! Two upstreams: the sandbox Shopify over HTTP, which shares the machine with what is measured, and
//! prepared pages of 1,000 orders, which cost nothing to fetch and so show what the product itself can do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use portolan_access::audit::Who;
use portolan_app::App;
use portolan_app::connections::ops::{NewConnection, create_connection, grant_egress};
use portolan_app::people::{NewTenant, add_owner};
use portolan_app::syncs::jobs::{FOLD_FACTS, RunSync};
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_app::web::error::AppError;
use portolan_connector::PluginRuntime;
use portolan_core::{ConnectionId, SyncId, TenantId};
use portolan_db::entity::sync::{self, SyncState};
use portolan_db::testing::{POSTGRES_URL_VARIABLE, TestDatabase};
use portolan_db::{Database, DatabaseConfig};
use portolan_facts::FactStore;
use portolan_jobs::{JobContext, JobError, JobHandler, Registry, Worker, WorkerOptions};
use portolan_plugin_host::SandboxRuntime;
use portolan_sandbox_shopify::{Handle, Size};
use tokio_util::sync::CancellationToken;

use crate::figure::{Target, median, now_us, report};
use crate::orders::{self, ORDERS_PER_PAGE};
use crate::place::{Place, TOKEN, open_app, open_shop};
use crate::upstream::Watched;

const ROUNDS: usize = 3;
const PREPARED_PAGES: u64 = 20;
const FOLDED_PER_SECOND: f64 = 200_000.0;
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
enum Upstream<'a> {
    Shop(&'a Handle),
    Prepared { pages: u64 },
}

impl Upstream<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::Shop(_) => "sandbox Shopify to ledger",
            Self::Prepared { .. } => "prepared pages to ledger",
        }
    }
}

/// Measures every sync that has `only` in its name.
pub async fn run(place: &Place, only: &str) -> Result<()> {
    let (sandbox, _) = place.sandbox_with_shopify().await?;
    let shop = open_shop(if place.small { Size::Tiny } else { Size::S }).await?;
    let pages = if place.small { 2 } else { PREPARED_PAGES };
    let rounds = if place.small { 1 } else { ROUNDS };
    for on_postgres in [false, true] {
        let (database, least) = if on_postgres { ("PostgreSQL", 12_000.0) } else { ("SQLite", 20_000.0) };
        for upstream in [Upstream::Shop(&shop), Upstream::Prepared { pages }] {
            let name = format!("{}, {database}", upstream.name());
            if !name.contains(only) {
                continue;
            }
            let mut runs = Vec::new();
            for round in 0..rounds {
                let prepared = matches!(upstream, Upstream::Prepared { .. });
                let folder = place.data_dir.join(format!("{database}-{prepared}-{round}"));
                runs.push(run_once(&folder, &sandbox, upstream, on_postgres).await?);
            }
            report_runs(&name, runs, least)?;
        }
    }
    write_pages(&place.data_dir.join("pages"), pages)
}

/// The prepared pages as files, for whoever loads them beside us.
fn write_pages(folder: &Path, pages: u64) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for page in 0..pages {
        std::fs::write(folder.join(format!("{page:04}.json")), orders::page(page, ORDERS_PER_PAGE))?;
    }
    Ok(())
}

fn report_runs(name: &str, mut runs: Vec<Run>, least: f64) -> Result<()> {
    let rounds = runs.len();
    runs.sort_by(|a, b| a.orders_per_second().total_cmp(&b.orders_per_second()));
    let middle = runs.get(rounds / 2).context("nothing was measured")?;
    let share = |part_us: f64| part_us / middle.took_us * 100.0;
    let rest_us = middle.took_us - middle.fetch_us - middle.normalize_us;
    let note = format!(
        "p50 of {rounds}; {} orders, {} documents, {} events; fetch {:.0} %, normalise {:.0} %, stage and post {:.0} %",
        middle.orders,
        middle.documents,
        middle.events,
        share(middle.fetch_us),
        share(middle.normalize_us),
        share(rest_us)
    );
    let rate = middle.orders_per_second();
    report(name, rate, "orders/s", Target::AtLeast(least), &note)?;
    let folds = &mut runs.iter().map(|run| run.events as f64 / run.fold_us * 1e6).collect::<Vec<_>>();
    report(
        &format!("{name}: fold"),
        median(folds),
        "events/s",
        Target::AtLeast(FOLDED_PER_SECOND),
        "afterwards, into parts",
    )
}

/// What one sync took.
struct Run {
    orders: i64,
    documents: i64,
    events: i64,
    took_us: f64,
    fetch_us: f64,
    normalize_us: f64,
    fold_us: f64,
}

impl Run {
    fn orders_per_second(&self) -> f64 {
        self.orders as f64 / self.took_us * 1e6
    }
}

/// A Portolan of its own for one sync.
struct Opened {
    app: Arc<App>,
    facts: FactStore,
    runtime: Arc<Watched>,
}

/// Takes the folding that a sync asks for off the queue: it is measured for itself.
struct FoldLater;

#[async_trait]
impl JobHandler for FoldLater {
    fn kind(&self) -> &'static str {
        FOLD_FACTS
    }

    async fn run(&self, _: &JobContext, _: serde_json::Value) -> Result<(), JobError> {
        Ok(())
    }
}

async fn run_once(
    folder: &Path,
    sandbox: &SandboxRuntime,
    upstream: Upstream<'_>,
    on_postgres: bool,
) -> Result<Run> {
    std::fs::create_dir_all(folder)?;
    if !on_postgres {
        let db = Database::connect(&DatabaseConfig::sqlite(&folder.join("portolan.db"))).await?;
        portolan_migrations::migrate(db.migration_connection()).await?;
        let run = measure(open(folder, db.clone(), sandbox, upstream)?, upstream).await?;
        db.close().await?;
        return Ok(run);
    }
    let test = TestDatabase::postgres(portolan_migrations::migrate).await;
    let test = test.with_context(|| format!("{POSTGRES_URL_VARIABLE} names no PostgreSQL"))?;
    let run = measure(open(folder, test.database.clone(), sandbox, upstream)?, upstream).await?;
    test.discard().await;
    Ok(run)
}

fn open(folder: &Path, db: Database, sandbox: &SandboxRuntime, upstream: Upstream<'_>) -> Result<Opened> {
    let prepared: Option<Vec<Bytes>> = match upstream {
        Upstream::Shop(_) => None,
        Upstream::Prepared { pages } => {
            Some((0..pages).map(|page| orders::page(page, ORDERS_PER_PAGE)).collect())
        }
    };
    let runtime = Arc::new(Watched::new(sandbox.clone(), prepared));
    let (app, facts) = open_app(folder, db, Arc::clone(&runtime) as Arc<dyn PluginRuntime>)?;
    Ok(Opened { app, facts, runtime })
}

async fn measure(opened: Opened, upstream: Upstream<'_>) -> Result<Run> {
    let Opened { app, facts, runtime } = opened;
    let tenant = NewTenant { slug: "bench".into(), currency: "EUR".into(), time_zone: "UTC".into() };
    let tenant = add_owner(&app, "owner", None, tenant).await.map_err(sentence)?;
    let connection = connect(&app, tenant, upstream).await?;
    let trigger = Trigger::Schedule { stream: "orders".into() };
    let id = start_sync(&app, tenant, Who::operator(), connection, trigger).await.map_err(sentence)?;

    let stop = CancellationToken::new();
    let registry = Registry::new().with(RunSync { app: Arc::clone(&app) }).with(FoldLater);
    let worker = Worker::new(app.queue.clone(), registry, WorkerOptions::default());
    let working = tokio::spawn(worker.run(stop.clone()));
    let ended = wait_for(&app, tenant, id).await?;
    stop.cancel();
    working.await?;
    let (Some(started_at), Some(finished_at)) = (ended.started_at, ended.finished_at) else {
        bail!("the sync does not say when it ran");
    };
    ensure!(ended.skipped == 0, "{} of {} orders were skipped", ended.skipped, ended.seen);

    let start_us = now_us();
    let folded = facts.fold(tenant).await?;
    let fold_us = now_us() - start_us;
    ensure!(
        folded.events == ended.events_posted as u64,
        "{} of {} events folded",
        folded.events,
        ended.events_posted
    );
    Ok(Run {
        orders: ended.emitted,
        documents: ended.documents,
        events: ended.events_posted,
        took_us: (finished_at - started_at) as f64,
        fetch_us: runtime.fetch_us() as f64,
        normalize_us: runtime.normalize_us() as f64,
        fold_us,
    })
}

async fn connect(app: &Arc<App>, tenant: TenantId, upstream: Upstream<'_>) -> Result<ConnectionId> {
    let mut config = serde_json::json!({"shop": "bench.myshopify.com", "access_token": TOKEN});
    if let Upstream::Shop(shop) = upstream {
        config["base_url"] = shop.url().into();
        // By pages: what is measured is the road, not how long the channel keeps one waiting.
        config["bulk_from_points"] = 1_000_000_000.into();
    }
    let new = NewConnection {
        plugin_id: "shopify".into(),
        label: "Bench".into(),
        time_zone: "UTC".into(),
        day_cutover_minutes: 0,
        config,
        consent: true,
    };
    let connection = create_connection(app, tenant, Who::operator(), new).await.map_err(sentence)?;
    if let Upstream::Shop(shop) = upstream {
        let (host, port) = ("127.0.0.1".to_owned(), shop.address.port());
        grant_egress(app, tenant, connection, "http".into(), host, port).await.map_err(sentence)?;
    }
    Ok(connection)
}

async fn wait_for(app: &App, tenant: TenantId, id: SyncId) -> Result<sync::Model> {
    loop {
        let tx = app.db.read(tenant).await?;
        let row = tx.find_by_id::<sync::Entity>(id.0).await?.context("the sync is gone")?;
        drop(tx);
        match row.state {
            SyncState::Succeeded => return Ok(row),
            SyncState::Failed | SyncState::Cancelled | SyncState::Paused => {
                bail!("the sync is {}: {}", row.state.as_str(), row.error_detail.unwrap_or_default())
            }
            SyncState::Queued | SyncState::Running => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// The product's own sentence, for the terminal.
fn sentence(error: AppError) -> anyhow::Error {
    anyhow::anyhow!("{}", error.full_detail())
}
