//! `scale`: what an event costs as the ledger grows, from ten thousand events to a hundred million.
//!
//! Each size is a ledger of its own, written by the part writer that folds use. The questions are asked of it by an engine
//! that has just started. Then further events are posted to SQLite and folded, the same number each time, so what a fold
//! costs is measured beside a ledger of every size. The parts as they were before stay for the peer.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use portolan_analytics::{AnalyticsError, QueryEngine, Visibility};
use portolan_core::{SeededRandom, SystemClock};
use portolan_db::{Database, DatabaseConfig};
use portolan_facts::{FactStore, bench_support};

use crate::figure::{OfSize, Target, median, now_us, report, smallest};
use crate::memory;
use crate::place::Place;
use crate::query::{Question, questions};

const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// Only where it is asked for: it takes about a quarter of an hour and five gigabytes.
const FULL_SIZE: u64 = 100_000_000;
const SMALL_SIZES: [u64; 2] = [1_000, 10_000];
const COLD_RUNS: usize = 5;
/// A question over the largest ledger takes long enough to be measured fewer times.
const FEW_COLD_RUNS: usize = 3;
/// So many rounds that parts of the first levels are merged, too.
const POST_ROUNDS: u64 = 10;
const POSTED: u64 = 30_000;
/// What an event may cost in the most expensive ledger, in terms of the cheapest.
const FLAT: f64 = 1.5;

pub async fn run(place: &Place, full: bool) -> Result<()> {
    let sizes: Vec<u64> = match (place.small, full) {
        (true, _) => SMALL_SIZES.to_vec(),
        (false, false) => SIZES.to_vec(),
        (false, true) => SIZES.into_iter().chain([FULL_SIZE]).collect(),
    };
    let mut folding = Vec::new();
    for events in sizes {
        let posted = if place.small { POSTED / 100 } else { POSTED };
        folding.push(measure(&place.data_dir.join(events.to_string()), events, posted).await?);
    }
    let dearest = folding.iter().copied().fold(0.0, f64::max);
    let note = "folding an event beside the ledger where that is dearest, by where it is cheapest";
    report(
        "cost of an event, dearest : cheapest",
        dearest / smallest(&folding),
        "×",
        Target::AtMost(FLAT),
        note,
    )
}

/// Measures one size; says what folding an event costs there, in microseconds.
async fn measure(folder: &Path, events: u64, posted: u64) -> Result<f64> {
    std::fs::create_dir_all(folder)?;
    let database = Database::connect(&DatabaseConfig::sqlite(&folder.join("portolan.db"))).await?;
    portolan_migrations::migrate(database.migration_connection()).await?;
    let parts = folder.join("parts");
    let sized = OfSize(events);

    memory::forget_peak()?;
    let store = open(&database, &parts)?;
    let start_us = now_us();
    let generated = bench_support::generate(&store, "bench", events).await?;
    let written_us = (now_us() - start_us) / generated.events as f64;
    let note = format!("{} events, sorted and written by one thread", generated.events);
    sized.report("generate and write parts", written_us, "µs/event", &note)?;
    sized.report("peak memory of writing", memory::peak_mb()?, "MB", "the whole process")?;
    let per_million = 1e6 / generated.events as f64;
    let size_mb = generated.size_bytes as f64 / f64::from(1 << 20);
    sized.report("parts on disk", size_mb * per_million, "MB/million", &format!("{size_mb:.0} MB in all"))?;

    memory::forget_peak()?;
    let runs = if events >= FULL_SIZE { FEW_COLD_RUNS } else { COLD_RUNS };
    for Question { name, query, .. } in questions(generated.range) {
        let mut cold = Vec::new();
        for _ in 0..runs {
            let store = open(&database, &parts)?;
            let start_us = now_us();
            match store.run(generated.tenant, &Visibility::everything(), &query).await {
                Ok(table) => ensure!(table.row_count > 0, "{name}: no rows"),
                // What a question may use is limited, and a refusal is an answer: its cell stays empty.
                Err(AnalyticsError::TooLarge) => break,
                Err(error) => return Err(error.into()),
            }
            cold.push((now_us() - start_us) / 1_000.0);
        }
        if cold.is_empty() {
            tracing::error!(
                "{name}, {events} events: refused, it needs more memory or disk than a question may use"
            );
            continue;
        }
        let note = format!("p50 of {runs}, a new engine each time");
        sized.report(&format!("{name}, cold"), median(&mut cold), "ms", &note)?;
    }
    sized.report("peak memory of the questions", memory::peak_mb()?, "MB", "the whole process")?;

    keep_for_peer(&parts, &folder.join("peer"))?;
    memory::forget_peak()?;
    let fold_us = fold_more(&store, generated.tenant, posted).await?;
    let note =
        format!("{POST_ROUNDS} times about {posted} further events from SQLite, and merging their parts");
    sized.report("fold", fold_us, "µs/event", &note)?;
    sized.report("peak memory of posting and folding", memory::peak_mb()?, "MB", "the whole process")?;
    database.close().await?;
    Ok(fold_us)
}

/// Links the parts as they are now: what is folded afterwards is none of the peer's business.
fn keep_for_peer(parts: &Path, peer: &Path) -> Result<()> {
    std::fs::create_dir_all(peer)?;
    for entry in std::fs::read_dir(parts)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            keep_for_peer(&path, peer)?;
        } else {
            std::fs::hard_link(&path, peer.join(name))?;
        }
    }
    Ok(())
}

/// Posts events and folds them, some times; what an event took to fold, in microseconds.
async fn fold_more(store: &FactStore, tenant: portolan_core::TenantId, events: u64) -> Result<f64> {
    let (mut took_us, mut all) = (0.0, 0);
    for round in 0..POST_ROUNDS {
        let posted = bench_support::post(store, tenant, events, round).await?;
        let start_us = now_us();
        let folded = store.fold(tenant).await?;
        took_us += now_us() - start_us;
        ensure!(folded.events == posted, "{} of {posted} events folded", folded.events);
        all += posted;
    }
    Ok(took_us / all as f64)
}

fn open(database: &Database, folder: &Path) -> Result<FactStore> {
    let random = Arc::new(SeededRandom::new(now_us() as u64));
    Ok(FactStore::new(database.clone(), folder, Arc::new(SystemClock), random)?)
}
