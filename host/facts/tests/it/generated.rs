//! The ledger of the benchmarks is a real one.

use std::sync::Arc;

use portolan_analytics::{GrainChoice, Query, QueryEngine, Visibility};
use portolan_core::{SeededRandom, SystemClock};
use portolan_db::testing::TestDatabase;
use portolan_facts::{FactStore, bench_support};
use tempfile::TempDir;

#[tokio::test]
async fn the_generated_ledger_answers_the_questions_of_the_benchmarks() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let folder = TempDir::new().expect("temporary folder");
    let random = Arc::new(SeededRandom::new(1));
    let store =
        FactStore::new(test.database.clone(), folder.path(), Arc::new(SystemClock), random).expect("store");
    let generated = bench_support::generate(&store, "bench", 6_000).await.expect("generate");
    assert!((6_000..7_000).contains(&generated.events), "{} events", generated.events);

    let sales = Query::over(generated.range, &["net_sales"]).by("channel").every(GrainChoice::Day);
    let sales = store.run(generated.tenant, &Visibility::everything(), &sales).await.expect("day × channel");
    assert!(sales.row_count > 1_000);
    assert_eq!(sales.rows_scanned, Some(generated.events));

    let products = Query::over(generated.range, &["net_sales"]).by("product").top(10, "net_sales");
    let products =
        store.run(generated.tenant, &Visibility::everything(), &products).await.expect("top products");
    assert_eq!(products.rows.len(), 30, "ten of each currency");

    let customers = Query::over(generated.range, &["customers"]).every(GrainChoice::Month);
    let customers =
        store.run(generated.tenant, &Visibility::everything(), &customers).await.expect("customers by month");
    assert_eq!(customers.rows.len(), 60);
    test.discard().await;
}
