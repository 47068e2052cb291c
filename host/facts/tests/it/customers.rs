//! Distinct customers against counting them by hand: whatever happened to their orders, wherever events lie.

use std::collections::{BTreeMap, BTreeSet};

use portolan_analytics::{GrainChoice, Query, Table};
use portolan_db::testing::TestDatabase;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::property::property;
use crate::support::{EventLine, World, plain_rows, range, sale};

/// Month and number of the order, customer, product, units; and whether parts are written after it.
type Step = (u32, u8, u8, u8, i8, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let units = prop_oneof![5 => 1..3_i8, 2 => -3..0_i8];
    proptest::collection::vec(
        (1..4_u32, 0..3_u8, 0..4_u8, 0..2_u8, units, proptest::bool::weighted(0.1)),
        1..60,
    )
}

fn line(step: &Step) -> EventLine {
    let (month, order, customer, product, units, _) = step;
    let mut line = sale(&format!("2026-{month:02}-15"), &format!("{month}-{order}"), i64::from(*units) * 100);
    line.kind = if *units > 0 { "sale" } else { "cancel" }.to_owned();
    line.quantity = f64::from(*units);
    line.connection = Some(if order % 2 == 0 { "shop" } else { "till" }.to_owned());
    line.customer = (*customer > 0).then(|| format!("customer {customer} with a name beyond twelve bytes"));
    line.product = Some(format!("p{product}"));
    line
}

/// A customer is one within its connection; an order is one within its connection and customer.
type Customer = (bool, u8);

/// The customers with an order that stands, by what `row` says of an event.
fn standing<R: Ord>(steps: &[Step], row: impl Fn(&Step) -> R) -> BTreeMap<R, BTreeSet<Customer>> {
    let mut units: BTreeMap<(R, Customer, (u32, u8)), i64> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.2 > 0) {
        let (month, order, customer, _, count, _) = *step;
        *units.entry((row(step), (order % 2 == 0, customer), (month, order))).or_default() +=
            i64::from(count);
    }
    let mut rows: BTreeMap<R, BTreeSet<Customer>> = BTreeMap::new();
    for ((row, customer, _), _) in units.into_iter().filter(|(_, count)| *count > 0) {
        rows.entry(row).or_default().insert(customer);
    }
    rows
}

fn total(steps: &[Step]) -> usize {
    standing(steps, |_| ()).remove(&()).map_or(0, |customers| customers.len())
}

fn totals(table: &Table) -> Value {
    plain_rows(&table.totals)
}

async fn check(test: &TestDatabase, steps: &[Step]) {
    let world = World::with_connections(test, &[("shop", "shopify"), ("till", "csv")]).await;
    for step in steps {
        world.post(&[line(step)]).await;
        if step.5 {
            world.fold().await;
        }
    }
    let all = Query::over(range("2026-01-01", "2026-04-01"), &["customers"]);

    let by_month = world.ask(&all.clone().every(GrainChoice::Month)).await;
    let months = standing(steps, |step| step.0).into_iter();
    let expected: Value =
        months.map(|(month, customers)| json!([format!("2026-{month:02}-01"), customers.len()])).collect();
    assert_eq!(plain_rows(&by_month.rows), expected);
    assert_eq!(totals(&by_month), json!([[null, total(steps)]]));

    let by_both = world.ask(&all.clone().by("channel").every(GrainChoice::Month)).await;
    let rows = standing(steps, |step| (step.0, if step.1 % 2 == 0 { "shopify" } else { "csv" })).into_iter();
    let expected: Value = rows
        .map(|((month, channel), customers)| json!([format!("2026-{month:02}-01"), channel, customers.len()]))
        .collect();
    assert_eq!(plain_rows(&by_both.rows), expected);
    assert_eq!(totals(&by_both), json!([[null, null, total(steps)]]));

    let by_product = world.ask(&all.clone().by("product")).await;
    let mut counts: Vec<usize> =
        standing(steps, |step| (step.1 % 2, step.3)).values().map(BTreeSet::len).collect();
    counts.sort_unstable();
    let mut found: Vec<usize> =
        by_product.rows.iter().filter_map(|row| row.cells[1].as_f64()).map(|count| count as usize).collect();
    found.sort_unstable();
    assert_eq!(found, counts, "by product");
    assert_eq!(totals(&by_product), json!([[null, total(steps)]]));

    assert_eq!(plain_rows(&world.ask(&all).await.rows), json!([[total(steps)]]));
    let with_history = Query::over(range("2026-01-01", "2026-04-01"), &["customers", "new_customers"]);
    let beside = world.ask(&with_history.every(GrainChoice::Month)).await;
    let plain: Vec<_> = by_month.rows.iter().map(|row| &row.cells[1]).collect();
    let counted: Vec<_> = beside.rows.iter().map(|row| &row.cells[1]).collect();
    assert_eq!(plain, counted, "the statement with history counts the same");
}

#[test]
fn customers_are_those_with_an_order_that_stands() {
    property(24, &steps(), async |test, steps| check(test, steps).await);
}
