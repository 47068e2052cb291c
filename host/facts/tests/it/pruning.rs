//! What a question needs not, it does not read: parts of other months, rows of other connections.

use portolan_analytics::{AnalyticsError, GrainChoice, Query, QueryEngine, Visibility};
use portolan_db::testing::TestDatabase;
use portolan_facts::FactStoreConfig;
use serde_json::json;

use crate::support::{EventLine, World, plain_rows, range, sale};

fn through(mut line: EventLine, connection: &str) -> EventLine {
    line.connection = Some(connection.to_owned());
    line
}

/// Ten orders in each of the first three months.
async fn three_months(world: &World) {
    let months = (1..=3).flat_map(|month| (1..=10).map(move |day| (month, day)));
    let lines: Vec<EventLine> = months
        .map(|(month, day)| {
            let mut line = sale(&format!("2026-{month:02}-{day:02}"), &format!("{month}-{day}"), 100);
            line.customer = Some(format!("c{day}"));
            line
        })
        .collect();
    world.post(&lines).await;
    world.fold().await;
}

#[tokio::test]
async fn a_question_about_a_month_opens_that_months_part_alone() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    three_months(&world).await;
    for file in world.files().iter().filter(|file| !file.starts_with("2026-01")) {
        let folder = world.folder.path().join(format!("{}/sale_events", world.tenant));
        std::fs::remove_file(folder.join(file)).expect("remove");
    }
    let january = Query::over(range("2026-01-01", "2026-02-01"), &["net_sales"]);
    let table = world.ask(&january).await;
    assert_eq!(plain_rows(&table.rows), json!([["EUR", 1_000]]));
    assert_eq!(table.rows_scanned, Some(10));

    let quarter = Query::over(range("2026-01-01", "2026-04-01"), &["net_sales"]);
    let missing = world.store.run(world.tenant, &Visibility::everything(), &quarter).await;
    let missing = missing.expect_err("the sales of February are gone, and no answer may be without them");
    assert!(matches!(missing, AnalyticsError::Engine(_)), "{missing:?}");
    assert!(missing.to_string().contains("is missing or damaged: restore it"), "{missing}");
    test.discard().await;
}

#[tokio::test]
async fn a_part_of_another_size_is_refused() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    three_months(&world).await;
    let part = world.folder.path().join(format!("{}/sale_events/{}", world.tenant, world.files()[0]));
    let whole = std::fs::read(&part).expect("a part");
    let query = Query::over(range("2026-01-01", "2026-04-01"), &["net_sales"]);
    let expected = plain_rows(&world.ask_afresh(&query).await.rows);
    let longer = [&whole[..], b"."].concat();
    let others: [&[u8]; 3] = [&whole[..whole.len() - 1], &longer, b""];
    for damaged in others {
        std::fs::write(&part, damaged).expect("damage");
        let refused = world
            .store
            .run_uncached(world.tenant, &Visibility::everything(), &query)
            .await
            .expect_err("not the file it was");
        assert!(refused.to_string().contains("is missing or damaged: restore it"), "{refused}");
    }
    std::fs::write(&part, &whole).expect("restore");
    assert_eq!(plain_rows(&world.ask_afresh(&query).await.rows), expected);
    test.discard().await;
}

#[tokio::test]
async fn parts_without_an_order_of_the_range_are_skipped_by_their_statistics() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    three_months(&world).await;
    let february = range("2026-02-01", "2026-03-01");
    for metric in ["orders", "customers"] {
        let table = world.ask(&Query::over(february, &[metric])).await;
        assert_eq!(table.rows_scanned, Some(10), "{metric} go by the date of the order");
    }
    test.discard().await;
}

#[tokio::test]
async fn parts_of_other_connections_are_skipped_by_their_statistics() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::with_connections(&test, &[("shop", "shopify"), ("till", "csv")]).await;
    for (connection, count) in [("shop", 7), ("till", 3)] {
        let lines: Vec<EventLine> = (0..count)
            .map(|number| through(sale("2026-01-05", &format!("{connection} {number}"), 100), connection))
            .collect();
        world.post(&lines).await;
        world.fold().await;
    }
    let january = Query::over(range("2026-01-01", "2026-02-01"), &["net_sales"]);
    assert_eq!(world.ask(&january).await.rows_scanned, Some(10));
    let till = world.connection("till").to_string();
    for filtered in [january.clone().only("connection", &[&till]), january.clone().only("channel", &["csv"])]
    {
        let table = world.ask(&filtered).await;
        assert_eq!(plain_rows(&table.rows), json!([["EUR", 300]]));
        assert_eq!(table.rows_scanned, Some(3));
    }
    test.discard().await;
}

#[tokio::test]
async fn a_question_beyond_its_memory_says_so_and_leaves_its_neighbours_alone() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let lines: Vec<EventLine> = (0..12_000)
        .map(|number| {
            let mut line = sale("2026-01-02", &format!("order {number}"), 100);
            line.customer = Some(format!("{number:0>300}"));
            line.product.clone_from(&line.customer);
            line
        })
        .collect();
    world.post(&lines).await;
    world.fold().await;
    let config = FactStoreConfig { memory_bytes: 4 << 20, spill_bytes: 0, ..FactStoreConfig::default() };
    let store = world.store_with(&config);
    let january = range("2026-01-01", "2026-02-01");
    let greedy = [
        Query::over(january, &["net_sales"]).by("product"),
        Query::over(january, &["customers"]).every(GrainChoice::Day),
        Query::over(january, &["new_customers"]).every(GrainChoice::Day),
    ];
    for query in greedy {
        let all = Visibility::everything();
        let modest = Query::over(january, &["net_sales"]).every(GrainChoice::Day);
        let (refused, answered) = tokio::join!(
            store.run_uncached(world.tenant, &all, &query),
            store.run_uncached(world.tenant, &all, &modest)
        );
        let refused = refused.expect_err("too large");
        assert!(matches!(refused, AnalyticsError::TooLarge), "{:?}: {refused:?}", query.metrics);
        assert!(refused.to_string().contains("choose a shorter range"), "{refused}");
        let rows = plain_rows(&answered.expect("the neighbour's answer").rows);
        assert_eq!(rows, json!([["2026-01-02", "EUR", 1_200_000]]));
    }
    test.discard().await;
}
