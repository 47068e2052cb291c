//! For every additive metric the rows of any breakdown add up to its total.

use std::collections::BTreeMap;

use portolan_analytics::{Additivity, Cell, Fact, GrainChoice, METRICS, Query, Table, Unit};
use portolan_db::testing::TestDatabase;
use proptest::prelude::*;

use crate::property::property;
use crate::support::{EventLine, RateLine, World, plain_rows, range};

const KINDS: [&str; 9] = [
    "sale",
    "sale",
    "sale",
    "edit_add",
    "edit_remove",
    "price_adjust",
    "cancel",
    "return",
    "refund_discrepancy",
];

fn event() -> impl Strategy<Value = EventLine> {
    let keys = (0..6_u8, 0..4_u8, 0..3_u8, 0..3_u8, 0..2_u8);
    let amounts = (-500_000_i64..500_000, -5_000_i64..5_000, -900_i64..900, -3_i64..4);
    (0..80_i32, 0..KINDS.len(), keys, amounts).prop_map(|(day, kind, keys, amounts)| {
        let (order, customer, product, country, currency) = keys;
        let date = portolan_core::LocalDate::from_ymd(2026, 1, 1).expect("date").plus_days(day);
        let known = |prefix: &str, number: u8| (number > 0).then(|| format!("{prefix}{number}"));
        EventLine {
            at: format!("{date}T10:00:00Z"),
            ordered: Some("2026-01-15T10:00:00Z".to_owned()),
            connection: Some(if order % 2 == 0 { "shop" } else { "till" }.to_owned()),
            order: format!("o{order}"),
            kind: KINDS[kind].to_owned(),
            customer: known("c", customer),
            product: known("p", product),
            country: known("L", country),
            currency: Some(if currency == 0 { "EUR" } else { "JPY" }.to_owned()),
            gross: amounts.0,
            discount: amounts.1,
            tax: amounts.2,
            quantity: amounts.3 as f64,
            ..EventLine::default()
        }
    })
}

/// What a cell adds, in the smallest units; counts and quantities, too.
pub fn addend(cell: &Cell) -> i128 {
    match cell {
        Cell::Money(money) => money.amount_minor.into(),
        Cell::Count(count) => (*count).into(),
        Cell::Quantity(quantity) => quantity.rescale(3).expect("thousandths").into(),
        other => panic!("{other:?} is no sum"),
    }
}

/// Sums per currency and metric.
pub fn sums(
    table: &Table,
    rows: &[portolan_analytics::Row],
    metrics: &[&str],
) -> BTreeMap<(String, String), i128> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let currency = table.cell(row, "currency").and_then(Cell::label).unwrap_or_default();
        for metric in metrics {
            let cell = table.cell(row, metric).expect("metric");
            *sums.entry((currency.to_owned(), (*metric).to_owned())).or_default() += addend(cell);
        }
    }
    sums
}

#[test]
fn rows_of_any_breakdown_add_up_to_the_total() {
    let additive: Vec<&str> = METRICS
        .iter()
        .filter(|metric| metric.additivity == Additivity::Additive && metric.unit != Unit::Ratio)
        .filter(|metric| !metric.needs(Fact::Cash))
        .map(|metric| metric.id)
        .collect();
    let ledgers = proptest::collection::vec(event(), 1..120);
    property(6, &ledgers, async |test, lines| check(test, lines, &additive).await);
}

async fn check(test: &TestDatabase, lines: &[EventLine], additive: &[&str]) {
    let world = World::with_connections(test, &[("shop", "shopify"), ("till", "csv")]).await;
    let (first, second) = lines.split_at(lines.len() / 2);
    world.post(first).await;
    world.fold().await;
    world.post(second).await;
    // On some days there is a rate, on others there is none.
    let said = |day: &str, rate: &str| RateLine {
        day: day.to_owned(),
        base: "EUR".to_owned(),
        quote: "JPY".to_owned(),
        rate: rate.to_owned(),
    };
    world.store_rates(&[said("2026-01-10", "161.37"), said("2026-02-20", "158.5")]).await;
    let whole = Query::over(range("2026-01-01", "2026-03-22"), additive);
    let as_sold: Vec<&str> = additive.iter().copied().filter(|metric| *metric != "fx_gain_loss").collect();
    let unconverted = Query::over(range("2026-01-01", "2026-03-22"), &as_sold);
    add_up(&world, &unconverted, &as_sold).await;
    add_up(&world, &whole.shown_in("EUR".parse().expect("a currency")), additive).await;
}

/// Rows of every breakdown of a question add up to its totals.
async fn add_up(world: &World, whole: &Query, additive: &[&str]) {
    let total = world.ask(whole).await;
    let expected = sums(&total, &total.totals, additive);
    let net = |table: &Table| {
        let of =
            |id: &str| table.totals.iter().map(|row| addend(table.cell(row, id).expect(id))).sum::<i128>();
        (of("net_sales"), of("gross_sales") - of("discounts") - of("returns"))
    };
    let (net_sales, parts) = net(&total);
    assert_eq!(net_sales, parts);
    let breakdowns = [
        whole.clone().by("channel"),
        whole.clone().by("product").by("country"),
        whole.clone().by("new_returning"),
        whole.clone().by("kind").every(GrainChoice::Week),
        whole.clone().by("connection").every(GrainChoice::Day),
    ];
    for breakdown in breakdowns {
        let table = world.ask(&breakdown).await;
        assert_eq!(sums(&table, &table.rows, additive), expected, "{:?}", breakdown.dimensions);
        assert_eq!(plain_amounts(&table), plain_amounts(&total), "{:?}", breakdown.dimensions);
    }
}

/// The totals' amounts, without the empty cells of dimensions.
fn plain_amounts(table: &Table) -> serde_json::Value {
    let dimensions = table.columns.iter().filter(|column| column.unit.is_none()).count();
    let rows: Vec<_> = table
        .totals
        .iter()
        .map(|row| portolan_analytics::Row { cells: row.cells[dimensions..].to_vec(), compared: None })
        .collect();
    plain_rows(&rows)
}
