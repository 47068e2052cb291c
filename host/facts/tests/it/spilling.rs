//! Questions that don't fit into their memory go on with the disk and answer the same, or are refused with that reason.

use portolan_analytics::{AnalyticsError, GrainChoice, Query, QueryEngine, Table};
use portolan_core::TenantId;
use portolan_db::testing::TestDatabase;
use portolan_facts::{FactStoreConfig, bench_support};

use crate::support::{World, plain_rows};

/// More than any of the questions needs.
const PLENTY_BYTES: usize = 256 << 20;

/// The answer with the least memory that suffices for one, and what was written to disk on the way to it.
async fn ask_with_least_memory(world: &World, tenant: TenantId, query: &Query) -> (Table, u64) {
    let mut memory_bytes = 1 << 20;
    loop {
        let config = FactStoreConfig { memory_bytes, batch_rows: 256, ..FactStoreConfig::default() };
        let store = world.store_with(&config);
        match store.run_uncached(tenant, query).await {
            Ok(table) => return (table, store.spilled_bytes()),
            Err(AnalyticsError::TooLarge) if memory_bytes < PLENTY_BYTES => memory_bytes += memory_bytes / 2,
            Err(error) => {
                panic!("{:?} by {:?} with {memory_bytes} bytes: {error}", query.metrics, query.dimensions)
            }
        }
    }
}

#[tokio::test]
async fn a_question_that_spills_is_answered_like_one_that_fits() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let ledger = bench_support::generate(&world.store, "bench", 40_000).await.expect("a ledger");
    let about = |metric: &str| Query::over(ledger.range, &[metric]);
    let questions = [
        about("customers").every(GrainChoice::Month),
        about("customers").by("product"),
        about("orders").every(GrainChoice::Month),
        about("orders").by("product"),
    ];
    for query in questions {
        let expected = world.store.run(ledger.tenant, &query).await.expect("an answer");
        let (table, spilled_bytes) = ask_with_least_memory(&world, ledger.tenant, &query).await;
        let asked = (&query.metrics, &query.dimensions);
        assert!(spilled_bytes > 0, "{asked:?} needs no disk with the least memory");
        assert!(!expected.rows.is_empty());
        assert_eq!(plain_rows(&table.rows), plain_rows(&expected.rows), "{asked:?}");
        assert_eq!(plain_rows(&table.totals), plain_rows(&expected.totals), "{asked:?}");
    }
    assert_eq!(world.store.spilled_bytes(), 0, "the first store has the memory for all of them");
    test.discard().await;
}
