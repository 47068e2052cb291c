//! Parts and tail: no event twice, none lost, whatever happens in between.

use portolan_analytics::{GrainChoice, Query};
use portolan_db::testing::{TestDatabase, on_both};

use crate::support::{EventLine, World, plain_rows, range, sale};

fn question() -> Query {
    let metrics = ["net_sales", "orders", "customers", "units_net", "aov"];
    Query::over(range("2026-01-01", "2026-04-01"), &metrics).every(GrainChoice::Month)
}

/// Three months, two orders a day.
fn ledger() -> Vec<EventLine> {
    let mut lines = Vec::new();
    for month in 1..=3 {
        for day in 1..=28 {
            for order in 0..2 {
                let mut line = sale(
                    &format!("2026-{month:02}-{day:02}"),
                    &format!("{month}-{day}-{order}"),
                    1_000 + day,
                );
                line.customer = Some(format!("c{}", day % 5));
                lines.push(line);
            }
        }
    }
    lines
}

#[tokio::test]
async fn parts_and_tail_answer_like_tail_alone_and_parts_alone() {
    on_both(portolan_migrations::migrate, async |test| {
        let lines = ledger();
        let (first, second) = lines.split_at(100);

        let tail_only = World::new(test).await;
        tail_only.post(first).await;
        tail_only.post(second).await;

        let mixed = World::new(test).await;
        mixed.post(first).await;
        mixed.fold().await;
        mixed.post(second).await;

        let parts_only = World::new(test).await;
        parts_only.post(first).await;
        parts_only.post(second).await;
        parts_only.fold().await;

        let expected = plain_rows(&tail_only.ask(&question()).await.rows);
        assert_eq!(expected.as_array().map(Vec::len), Some(3));
        assert_eq!(plain_rows(&mixed.ask(&question()).await.rows), expected);
        assert_eq!(plain_rows(&parts_only.ask(&question()).await.rows), expected);
    })
    .await;
}

#[tokio::test]
async fn folding_again_does_nothing() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world.post(&ledger()).await;

    let first = world.fold().await;
    assert_eq!((first.events, first.parts_written), (168, 3));
    let files = world.files();
    let second = world.fold().await;

    assert_eq!((second.events, second.parts_written, second.parts_merged), (0, 0, 0));
    assert_eq!(world.files(), files);
    test.discard().await;
}

#[tokio::test]
async fn a_file_without_its_row_counts_nothing_and_is_swept_later() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world.post(&ledger()).await;
    world.fold().await;
    let expected = plain_rows(&world.ask_afresh(&question()).await.rows);
    // What a crash between the file and its row leaves behind.
    let folder = world.folder.path().join(format!("{}/sale_events", world.tenant));
    let listed = world.files();
    std::fs::copy(folder.join(&listed[0]), folder.join("2026-01-orphan.parquet")).expect("copy");
    std::fs::write(folder.join("2026-01-half.writing"), b"half").expect("write");

    assert_eq!(plain_rows(&world.ask_afresh(&question()).await.rows), expected);
    assert_eq!(world.store.sweep(world.tenant).await.expect("sweep"), 0, "another process may be reading it");
    world.minutes_pass(20);
    assert_eq!(world.store.sweep(world.tenant).await.expect("sweep"), 2);
    assert_eq!(world.files().len(), listed.len());
    assert_eq!(plain_rows(&world.ask_afresh(&question()).await.rows), expected);
    test.discard().await;
}

#[tokio::test]
async fn two_processes_that_fold_at_once_list_every_event_once() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        world.post(&ledger()).await;
        let expected = plain_rows(&world.ask_afresh(&question()).await.rows);

        let other = world.another_store();
        let (left, right) = tokio::join!(world.store.fold(world.tenant), other.fold(world.tenant));

        let folded = left.expect("fold").events + right.expect("fold").events;
        assert_eq!(folded, 168);
        assert_eq!(plain_rows(&world.ask_afresh(&question()).await.rows), expected);
    })
    .await;
}

#[tokio::test]
async fn many_small_parts_of_a_month_become_one() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let mut merged = 0;
    for line in ledger().iter().filter(|line| line.at.starts_with("2026-01")).take(10) {
        world.post(std::slice::from_ref(line)).await;
        merged += world.fold().await.parts_merged;
    }
    let orders = Query::over(range("2026-01-01", "2026-02-01"), &["orders", "net_sales"]);

    assert_eq!(merged, 9, "the ninth part is one too many");
    let table = world.ask(&orders).await;
    assert_eq!(plain_rows(&table.rows), serde_json::json!([["EUR", 10, 10_030]]));
    test.discard().await;
}

#[tokio::test]
async fn a_merge_without_one_of_its_parts_says_so_and_waits_for_it() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let lines = ledger();
    for line in &lines[..8] {
        world.post(std::slice::from_ref(line)).await;
        world.fold().await;
    }
    let gone = world.folder.path().join(format!("{}/sale_events/{}", world.tenant, world.files()[0]));
    let bytes = std::fs::read(&gone).expect("a part");
    std::fs::remove_file(&gone).expect("remove");
    world.post(&lines[8..9]).await;

    let error =
        world.store.fold(world.tenant).await.expect_err("nine parts are merged, and one is not there");
    assert!(error.to_string().contains("is missing or damaged: restore it from a backup"), "{error}");
    std::fs::write(&gone, bytes).expect("restore");
    let report = world.fold().await;
    assert_eq!((report.events, report.parts_merged), (0, 9));
    let orders = Query::over(range("2026-01-01", "2026-02-01"), &["orders"]);
    assert_eq!(plain_rows(&world.ask(&orders).await.rows), serde_json::json!([[9]]));
    test.discard().await;
}

#[tokio::test]
async fn a_posting_after_an_answer_is_in_the_next_one() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let orders = Query::over(range("2026-01-01", "2026-02-01"), &["orders"]);
    world.post(&[sale("2026-01-05", "A", 1_000)]).await;
    let before = world.ask(&orders).await;
    world.post(&[sale("2026-01-06", "B", 1_000)]).await;
    let after = world.ask(&orders).await;

    assert_eq!(plain_rows(&before.rows), serde_json::json!([[1]]));
    assert_eq!(plain_rows(&after.rows), serde_json::json!([[2]]));
    assert!(after.data_version > before.data_version);
    test.discard().await;
}
