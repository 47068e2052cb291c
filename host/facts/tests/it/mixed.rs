//! Whatever lies in parts and whatever in the tail: sums equal those of a plain loop over the events.

use std::collections::BTreeMap;

use portolan_analytics::{AnalyticsError, Cell, Query, QueryEngine, Visibility};
use portolan_commerce::ledger::EventKind;
use portolan_core::calendar::DateRange;
use portolan_core::{LocalDate, TenantId};
use portolan_db::testing::{TestDatabase, on_both};
use portolan_facts::FactStoreConfig;
use proptest::prelude::*;

use crate::property::property;
use crate::support::{EventLine, World, range, sale};

/// Events of one posting, and whether a fold follows.
type Step = (Vec<EventLine>, bool);

fn event() -> impl Strategy<Value = EventLine> {
    let gross = prop_oneof![
        6 => -1_000_i64..1_000,
        1 => prop_oneof![Just(i64::MAX), Just(i64::MIN), Just(i64::MAX / 2), Just(i64::MIN / 2)],
    ];
    let kinds = prop_oneof![Just("sale"), Just("edit_add"), Just("return"), Just("price_adjust")];
    (0..70_i32, 0..4_u8, 0..2_u8, kinds, gross).prop_map(|(day, product, currency, kind, gross)| {
        let date = LocalDate::from_ymd(2026, 1, 1).expect("date").plus_days(day);
        EventLine {
            kind: kind.to_owned(),
            product: (product > 0).then(|| format!("a product with a long key {product}")),
            currency: Some(if currency == 0 { "EUR" } else { "JPY" }.to_owned()),
            ..sale(&date.to_string(), &format!("o{day}"), gross)
        }
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec((proptest::collection::vec(event(), 0..12), any::<bool>()), 1..6)
}

type Sums = BTreeMap<(Option<String>, String), i128>;

/// Gross sales by product and currency.
fn naive(steps: &[Step]) -> Sums {
    let mut sums = BTreeMap::new();
    for line in steps.iter().flat_map(|(lines, _)| lines) {
        let forward = line.kind.parse::<EventKind>().expect("kind").is_sale_or_edit();
        let key = (line.product.clone(), line.currency.clone().expect("currency"));
        *sums.entry(key).or_default() += if forward { i128::from(line.gross) } else { 0 };
    }
    sums
}

/// What can be shown is 64 bits wide: of every row, and of every currency's total.
fn fits(sums: &Sums) -> bool {
    let mut totals: BTreeMap<&str, i128> = BTreeMap::new();
    for ((_, currency), sum) in sums {
        *totals.entry(currency).or_default() += sum;
    }
    sums.values().chain(totals.values()).all(|sum| i64::try_from(*sum).is_ok())
}

async fn check(test: &TestDatabase, steps: &[Step]) {
    let world = World::new(test).await;
    for (lines, fold) in steps {
        world.post(lines).await;
        if *fold {
            world.fold().await;
        }
    }
    let query = Query::over(range("2026-01-01", "2026-04-01"), &["gross_sales"]).by("product");
    let answer = world.store.run(world.tenant, &Visibility::everything(), &query).await;
    let expected = naive(steps);
    if !fits(&expected) {
        assert!(matches!(answer, Err(AnalyticsError::Overflow { .. })), "{answer:?}");
        return;
    }
    let table = answer.expect("answer");
    let prefix = format!("{}/", world.connection("shop"));
    let mut sums = Sums::new();
    for row in table.rows.iter() {
        let Some(Cell::Key { key, .. }) = table.cell(row, "product") else { panic!("no product") };
        let product = key.as_deref().map(|key| key.trim_start_matches(&prefix).to_owned());
        let Some(Cell::Money(money)) = table.cell(row, "gross_sales") else { panic!("no money") };
        assert!(sums.insert((product, money.currency.to_string()), money.amount_minor.into()).is_none());
    }
    assert_eq!(sums, expected);
}

#[test]
fn sums_over_parts_and_tail_equal_a_loop_over_the_events() {
    property(16, &steps(), async |test, steps| check(test, steps).await);
}

#[tokio::test]
async fn the_days_of_a_ledger_are_those_of_parts_and_tail() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        let days = async || world.store.days(world.tenant, &Visibility::everything()).await.expect("days");
        assert_eq!(days().await, None);

        world.post(&[sale("2026-02-05", "A", 100), sale("2026-02-20", "B", 100)]).await;
        assert_eq!(days().await, Some(range("2026-02-05", "2026-02-21")));
        world.fold().await;
        assert_eq!(days().await, Some(range("2026-02-05", "2026-02-21")));

        world.post(&[sale("2026-02-01", "C", 100), sale("2026-02-28", "D", 100)]).await;
        assert_eq!(days().await, Some(range("2026-02-01", "2026-03-01")), "the tail is part of it");
        world.post(&[sale("2025-11-30", "E", 100), sale("2026-04-01", "F", 100)]).await;
        world.fold().await;
        assert_eq!(days().await, Some(range("2025-11-30", "2026-04-02")), "across months");

        let nobody = TenantId(uuid::Uuid::nil());
        assert_eq!(world.store.days(nobody, &Visibility::everything()).await.expect("days"), None);
    })
    .await;
}

#[tokio::test]
async fn a_question_that_needs_too_much_memory_is_refused_and_the_next_one_answered() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let lines: Vec<EventLine> = (0..12_000)
        .map(|number| {
            let mut line = sale("2026-01-02", &format!("order {number}"), 100);
            line.product = Some(format!("{number:0>300}"));
            line
        })
        .collect();
    world.post(&lines).await;
    world.fold().await;
    let config = FactStoreConfig { memory_bytes: 4 << 20, spill_bytes: 0, ..FactStoreConfig::default() };
    let small = world.store_with(&config);
    let january: DateRange = range("2026-01-01", "2026-02-01");

    let refused = small
        .run(world.tenant, &Visibility::everything(), &Query::over(january, &["net_sales"]).by("product"))
        .await;
    assert!(matches!(refused, Err(AnalyticsError::TooLarge)), "{refused:?}");
    let total = small
        .run(world.tenant, &Visibility::everything(), &Query::over(january, &["net_sales"]))
        .await
        .expect("answer");
    assert_eq!(total.rows.len(), 1);
    test.discard().await;
}
