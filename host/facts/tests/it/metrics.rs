//! Every metric of the catalogue against hand-computed values, on the real engine.

use std::collections::BTreeSet;

use portolan_analytics::{METRICS, Query, iso_range};
use portolan_core::Currency;
use portolan_core::calendar::DateRange;
use portolan_db::testing::{TestDatabase, on_both};
use serde::Deserialize;

use crate::support::{CashLine, EventLine, RateLine, World, plain};

const FIXTURES: &[(&str, &str)] = &[
    ("sales", include_str!("../../../analytics/tests/fixtures/sales.json")),
    ("customers", include_str!("../../../analytics/tests/fixtures/customers.json")),
    ("currencies", include_str!("../../../analytics/tests/fixtures/currencies.json")),
    ("costs", include_str!("../../../analytics/tests/fixtures/costs.json")),
    ("payments", include_str!("../../../analytics/tests/fixtures/payments.json")),
    ("returned", include_str!("../../../analytics/tests/fixtures/returned.json")),
    ("exchange", include_str!("../../../analytics/tests/fixtures/exchange.json")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    #[serde(rename = "about")]
    _about: String,
    #[serde(with = "iso_range")]
    range: DateRange,
    connections: Vec<Connection>,
    #[serde(default)]
    events: Vec<EventLine>,
    #[serde(default)]
    cash: Vec<CashLine>,
    #[serde(default)]
    rates: Vec<RateLine>,
    #[serde(default)]
    display_currency: Option<Currency>,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    name: String,
    channel: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    metric: String,
    #[serde(default)]
    currency: Option<String>,
    value: serde_json::Value,
    because: String,
}

fn fixtures() -> impl Iterator<Item = (&'static str, Fixture)> {
    FIXTURES.iter().map(|(name, text)| (*name, serde_json::from_str(text).expect("fixture is readable")))
}

#[test]
fn every_metric_has_a_fixture_of_at_most_twenty_events() {
    let mut covered = BTreeSet::new();
    for (name, fixture) in fixtures() {
        let events = fixture.events.len() + fixture.cash.len();
        assert!(events <= 20, "{name} has {events} events");
        covered.extend(fixture.expected.into_iter().map(|expected| expected.metric));
    }
    for metric in METRICS {
        assert!(covered.contains(metric.id), "no fixture for {}", metric.id);
    }
}

#[tokio::test]
async fn metrics_have_their_hand_computed_values() {
    on_both(portolan_migrations::migrate, async |test| {
        for (name, fixture) in fixtures() {
            check(test, name, &fixture, false).await;
            check(test, name, &fixture, true).await;
        }
    })
    .await;
}

async fn check(test: &TestDatabase, name: &str, fixture: &Fixture, folded: bool) {
    let connections: Vec<(&str, &str)> =
        fixture.connections.iter().map(|known| (known.name.as_str(), known.channel.as_str())).collect();
    let world = World::with_connections(test, &connections).await;
    world.post(&fixture.events).await;
    world.post_cash(&fixture.cash).await;
    world.store_rates(&fixture.rates).await;
    if folded {
        world.fold().await;
    }
    for expected in &fixture.expected {
        let mut query = Query::over(fixture.range, &[&expected.metric]);
        query.display_currency = fixture.display_currency;
        let table = world.ask(&query).await;
        let row = table.rows.iter().find(|row| {
            let currency = table.cell(row, "currency").and_then(|cell| cell.label());
            expected.currency.is_none() || currency == expected.currency.as_deref()
        });
        let row = row.unwrap_or_else(|| panic!("{name}: {} has no row", expected.metric));
        let cell = table.cell(row, &expected.metric).expect("metric column");
        assert_eq!(
            plain(cell),
            expected.value,
            "{name}: {} because {} (folded: {folded})",
            expected.metric,
            expected.because
        );
        // Without a breakdown the total is the row.
        let total = table.totals.iter().find(|total| total.cells.last() == Some(cell));
        assert!(total.is_some(), "{name}: the total of {} is not its only row", expected.metric);
    }
}
