//! `query`: metrics over many generated ledger events, by an engine that has just started and again.
//!
//! The parts stay in the folder afterwards: the peer answers the same questions over the same files.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use portolan_analytics::{GrainChoice, Query, QueryEngine, Visibility};
use portolan_core::calendar::DateRange;
use portolan_core::{SeededRandom, SystemClock};
use portolan_db::{Database, DatabaseConfig};
use portolan_facts::{FactStore, bench_support};

use crate::figure::{Target, median, now_us, report};
use crate::place::Place;

const COLD_RUNS: usize = 7;
const REPEATED_RUNS: usize = 15;

pub struct Question {
    pub name: &'static str,
    pub query: Query,
    cold: Target,
    repeated: Target,
}

pub async fn run(place: &Place, events: u64) -> Result<()> {
    let config = DatabaseConfig::sqlite(&place.data_dir.join("portolan.db"));
    let database = Database::connect(&config).await?;
    portolan_migrations::migrate(database.migration_connection()).await?;
    let folder = place.data_dir.join("parts");
    let generated = bench_support::generate(&open(&database, &folder)?, "bench", events).await?;
    for question in questions(generated.range) {
        let mut cold = Vec::new();
        let (mut rows, mut shown) = (0, 0);
        for _ in 0..COLD_RUNS {
            let store = open(&database, &folder)?;
            let start_us = now_us();
            let table = store.run(generated.tenant, &Visibility::everything(), &question.query).await?;
            cold.push((now_us() - start_us) / 1_000.0);
            (rows, shown) = (table.row_count, table.rows.len());
        }
        let store = open(&database, &folder)?;
        let first = store.run_uncached(generated.tenant, &Visibility::everything(), &question.query).await?;
        ensure!(first.row_count == rows && rows > 0, "{}: {rows} rows", question.name);
        let mut engine = Vec::new();
        for _ in 0..COLD_RUNS {
            let start_us = now_us();
            store.run_uncached(generated.tenant, &Visibility::everything(), &question.query).await?;
            engine.push((now_us() - start_us) / 1_000.0);
        }
        store.run(generated.tenant, &Visibility::everything(), &question.query).await?;
        let mut repeated = Vec::new();
        for _ in 0..REPEATED_RUNS {
            let start_us = now_us();
            store.run(generated.tenant, &Visibility::everything(), &question.query).await?;
            repeated.push((now_us() - start_us) / 1_000.0);
        }
        let name = question.name;
        let events = generated.events;
        let note = format!(
            "p50 of {COLD_RUNS}, a new engine each time; {rows} rows of {events} events, {shown} of them shown"
        );
        report(&format!("{name}, cold"), median(&mut cold), "ms", question.cold, &note)?;
        let note = format!("p50 of {COLD_RUNS}, the same engine, no remembered answer");
        report(&format!("{name}, computed again"), median(&mut engine), "ms", Target::None, &note)?;
        let note = format!("p50 of {REPEATED_RUNS}, remembered until the ledger moves");
        report(&format!("{name}, repeated"), median(&mut repeated), "ms", question.repeated, &note)?;
    }
    let size_mb = generated.size_bytes as f64 / f64::from(1 << 20);
    report("size of the parts", size_mb, "MB", Target::None, "Parquet")?;
    database.close().await?;
    Ok(())
}

fn open(database: &Database, folder: &Path) -> Result<FactStore> {
    let random = Arc::new(SeededRandom::new(1));
    Ok(FactStore::new(database.clone(), folder, Arc::new(SystemClock), random)?)
}

pub fn questions(range: DateRange) -> [Question; 3] {
    let newest_year = DateRange { from: range.until.plus_months(-12), until: range.until };
    [
        Question {
            name: "day × channel",
            query: Query::over(range, &["net_sales"]).by("channel").every(GrainChoice::Day),
            cold: Target::AtMost(250.0),
            repeated: Target::AtMost(5.0),
        },
        Question {
            name: "top products of a year",
            query: Query::over(newest_year, &["net_sales"]).by("product").top(20, "net_sales"),
            cold: Target::None,
            repeated: Target::AtMost(5.0),
        },
        Question {
            name: "distinct customers by month",
            query: Query::over(range, &["customers"]).every(GrainChoice::Month),
            cold: Target::None,
            repeated: Target::AtMost(5.0),
        },
    ]
}
