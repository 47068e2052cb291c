//! Who sees a part of the ledger is answered as if there were no more of it: whatever is asked, wherever events lie.

use std::collections::BTreeSet;

use portolan_analytics::policy::{ColumnEffect, ColumnPolicy};
use portolan_analytics::{
    AnalyticsError, Dimension, FilterOp, GrainChoice, Query, QueryEngine, RowLimit, Table, Visibility,
};
use portolan_db::testing::{TestDatabase, on_both};
use proptest::prelude::*;
use serde_json::Value;

use crate::property::property;
use crate::support::{CashLine, EventLine, World, plain_rows, range, sale};

const CONNECTIONS: [(&str, &str); 3] = [("shop", "shopify"), ("till", "shopify"), ("bank", "stripe")];

#[derive(Debug, Clone)]
struct Story {
    sales: Vec<EventLine>,
    cash: Vec<CashLine>,
    /// Whether the first half lies in parts.
    folded: bool,
    limits: Vec<RowLimit>,
}

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.8, prop::sample::select(names).prop_map(str::to_owned))
}

fn sold() -> impl Strategy<Value = EventLine> {
    let kinds = prop::sample::select(&["sale", "sale", "sale", "cancel", "return", "edit_add"][..]);
    let place = (one_of(&["DE", "FR"]), one_of(&["s1", "s2"]), one_of(&["p1", "p2"]), one_of(&["c1", "c2"]));
    let connection = prop::sample::select(&["shop", "till"][..]);
    let currency = prop::sample::select(&["EUR", "JPY"][..]);
    (1..59_u32, 0..4_u8, kinds, connection, currency, place, 1..900_i64).prop_map(
        |(day, order, kind, connection, currency, (country, store, product, customer), gross)| {
            let (month, day) = (1 + day / 30, 1 + day % 28);
            let takes_back = matches!(kind, "cancel" | "return");
            let sign = if takes_back { -1 } else { 1 };
            EventLine {
                kind: kind.to_owned(),
                connection: Some(connection.to_owned()),
                currency: Some(currency.to_owned()),
                ordered: Some(format!("2026-01-{:02}T10:00:00Z", 1 + order)),
                quantity: f64::from(sign),
                gross: gross * i64::from(sign),
                discount: gross / 10 * i64::from(sign),
                cost: gross / 3 * i64::from(sign),
                country,
                store,
                product,
                customer,
                ..sale(&format!("2026-{month:02}-{day:02}"), &format!("o{order}"), 0)
            }
        },
    )
}

fn moved() -> impl Strategy<Value = CashLine> {
    let categories = prop::sample::select(&["sale", "refund", "fee", "payout", "dispute"][..]);
    let currency = prop::sample::select(&["EUR", "JPY"][..]);
    (1..28_u32, categories, currency, 0..3_u8, 1..900_i64, any::<u32>()).prop_map(
        |(day, category, currency, payout, amount, entry)| CashLine {
            at: format!("2026-01-{day:02}T10:00:00Z"),
            connection: Some("bank".to_owned()),
            entry: format!("e{entry}"),
            category: category.to_owned(),
            payout: (payout > 0).then(|| format!("po{payout}")),
            currency: Some(currency.to_owned()),
            amount: if category == "sale" { amount } else { -amount },
            fee: amount / 50,
            ..CashLine::default()
        },
    )
}

fn limit() -> impl Strategy<Value = RowLimit> {
    let values = |names: &'static [&'static str]| prop::collection::btree_set(one_of(names), 0..3);
    let named = prop_oneof![
        values(&["shopify", "stripe"]).prop_map(|values| (Dimension::Channel, values)),
        values(&["DE", "FR"]).prop_map(|values| (Dimension::Country, values)),
        values(&["s1", "s2"]).prop_map(|values| (Dimension::Store, values)),
        values(&["p1", "p2"]).prop_map(|values| (Dimension::Product, values)),
        values(&["EUR", "JPY"]).prop_map(|values| (Dimension::Currency, values)),
        // By their names, as their ids are not known yet.
        values(&["shop", "till", "bank"]).prop_map(|values| (Dimension::Connection, values)),
    ];
    let op = prop_oneof![Just(FilterOp::In), Just(FilterOp::NotIn)];
    (named, op).prop_map(|((dimension, values), op)| RowLimit { dimension, op, values })
}

fn story() -> impl Strategy<Value = Story> {
    let (sales, cash) = (prop::collection::vec(sold(), 0..30), prop::collection::vec(moved(), 0..12));
    (sales, cash, any::<bool>(), prop::collection::vec(limit(), 1..3))
        .prop_map(|(sales, cash, folded, limits)| Story { sales, cash, folded, limits })
}

fn channel_of(connection: &str) -> &'static str {
    CONNECTIONS.iter().find(|(name, _)| *name == connection).expect("a connection").1
}

/// Whether a sale is seen, by its words.
fn sees_sale(limit: &RowLimit, line: &EventLine) -> bool {
    let connection = line.connection.as_deref().unwrap_or("shop");
    limit.admits(match limit.dimension {
        Dimension::Channel => Some(channel_of(connection)),
        Dimension::Connection => Some(connection),
        Dimension::Country => line.country.as_deref(),
        Dimension::Store => line.store.as_deref(),
        Dimension::Product => line.product.as_deref(),
        Dimension::Currency => line.currency.as_deref(),
        other => panic!("no limit by {other:?}"),
    })
}

fn sees_cash(limit: &RowLimit, line: &CashLine) -> bool {
    match limit.dimension {
        Dimension::Channel => limit.admits(Some("stripe")),
        Dimension::Connection => limit.admits(line.connection.as_deref()),
        Dimension::Currency => limit.admits(line.currency.as_deref()),
        // A movement of a balance has none of the others.
        _ => false,
    }
}

async fn told(test: &TestDatabase, sales: &[EventLine], cash: &[CashLine], folded: bool) -> World {
    let world = World::with_connections(test, &CONNECTIONS).await;
    let half = sales.len() / 2;
    world.post(&sales[..half]).await;
    world.post_cash(cash).await;
    if folded {
        world.fold().await;
    }
    world.post(&sales[half..]).await;
    world
}

/// The limits of a story as they are in a world, with ids in place of names.
fn visibility(world: &World, limits: &[RowLimit]) -> Visibility {
    let mut seen = Visibility::everything();
    for limit in limits {
        let mut limit = limit.clone();
        if limit.dimension == Dimension::Connection {
            let id = |name: String| world.connection(&name).to_string();
            limit.values = limit.values.into_iter().map(|name| name.map(id)).collect();
        }
        seen.limit(limit);
    }
    seen
}

fn questions() -> Vec<Query> {
    let days = || range("2026-01-01", "2026-04-01");
    let sums = || Query::over(days(), &["gross_sales", "net_sales", "returns", "units_net", "gross_profit"]);
    let counts = || Query::over(days(), &["orders", "customers", "new_customers", "returning_customers"]);
    vec![
        sums(),
        sums().by("country").by("store").every(GrainChoice::Month),
        sums().by("new_returning"),
        sums().by("product").top(100, "net_sales"),
        counts(),
        counts().by("country").every(GrainChoice::Month),
        counts().by("channel"),
        Query::over(days(), &["aov", "orders", "repeat_purchase_rate"]).by("product"),
        Query::over(days(), &["customers"]).every(GrainChoice::Month),
        Query::over(days(), &["orders", "net_sales"]).by("connection").only("country", &["DE"]),
        Query::over(days(), &["gross_payments", "payment_fees", "balance_change", "dispute_rate_count"]),
        Query::over(days(), &["net_payout", "payouts"]).by("payout"),
        Query::over(days(), &["net_sales", "gross_payments"]).by("channel"),
    ]
}

/// Rows and totals, with the names of connections in place of their ids.
fn said(world: &World, table: &Table) -> (BTreeSet<String>, BTreeSet<String>, usize) {
    let words = |rows: Value| -> BTreeSet<String> {
        let rows = rows.as_array().expect("rows").clone();
        let named = rows.into_iter().map(|row| {
            let text = row.to_string();
            CONNECTIONS
                .iter()
                .fold(text, |text, (name, _)| text.replace(&world.connection(name).to_string(), name))
        });
        named.collect()
    };
    (words(plain_rows(&table.rows)), words(plain_rows(&table.totals)), table.row_count)
}

async fn check(test: &TestDatabase, story: &Story) {
    let whole = told(test, &story.sales, &story.cash, story.folded).await;
    let sales: Vec<EventLine> = story
        .sales
        .iter()
        .filter(|line| story.limits.iter().all(|limit| sees_sale(limit, line)))
        .cloned()
        .collect();
    let cash: Vec<CashLine> = story
        .cash
        .iter()
        .filter(|line| story.limits.iter().all(|limit| sees_cash(limit, line)))
        .cloned()
        .collect();
    let part = told(test, &sales, &cash, story.folded).await;
    let seen = visibility(&whole, &story.limits);
    for query in questions() {
        let expected =
            part.store.run(part.tenant, &Visibility::everything(), &query).await.expect("of the part");
        let answer = match whole.store.run(whole.tenant, &seen, &query).await {
            // Only where payments can't be told apart by what the limit is about.
            Err(AnalyticsError::Closed { pointer, message }) => {
                let cash = ["gross_payments", "net_payout"]
                    .iter()
                    .position(|id| query.metrics.contains(&(*id).to_owned()));
                assert!(cash.is_some() && !cannot_tell(story).is_empty(), "{pointer}: {message}");
                continue;
            }
            answer => answer.expect("an answer"),
        };
        assert_eq!(said(&whole, &answer), said(&part, &expected), "{query:?}");
    }
    let days =
        async |world: &World, seen: &Visibility| world.store.days(world.tenant, seen).await.expect("days");
    assert_eq!(days(&whole, &seen).await, days(&part, &Visibility::everything()).await);
}

/// The limits that payments know nothing of.
fn cannot_tell(story: &Story) -> Vec<Dimension> {
    let of_cash = [Dimension::Channel, Dimension::Connection, Dimension::Currency];
    story.limits.iter().map(|limit| limit.dimension).filter(|one| !of_cash.contains(one)).collect()
}

#[test]
fn whoever_sees_a_part_is_answered_as_if_there_were_no_more() {
    property(10, &story(), async |test, story| check(test, story).await);
}

fn sum_of_column(table: &Table, id: &str) -> f64 {
    let cells = table.rows.iter().filter_map(|row| table.cell(row, id)?.as_f64());
    cells.sum()
}

async fn narrows(test: &TestDatabase, story: &Story) {
    // Sales alone, so that fewer rows are never a larger sum.
    let sales: Vec<EventLine> = story.sales.iter().filter(|line| line.gross > 0).cloned().collect();
    let world = told(test, &sales, &[], story.folded).await;
    let query =
        Query::over(range("2026-01-01", "2026-04-01"), &["gross_sales", "orders", "customers"]).by("product");
    let mut before = None;
    for applied in 0..=story.limits.len() {
        let seen = visibility(&world, &story.limits[..applied]);
        let table = world.store.run(world.tenant, &seen, &query).await.expect("an answer");
        let now = ["gross_sales", "orders", "customers"].map(|id| sum_of_column(&table, id));
        if let Some(before) = before {
            assert!(now.iter().zip(before).all(|(now, before)| *now <= before), "{now:?} after {before:?}");
        }
        before = Some(now);
    }
}

#[test]
fn one_more_policy_never_shows_more() {
    property(8, &story(), async |test, story| narrows(test, story).await);
}

fn closed(columns: &[&str], effect: ColumnEffect) -> Visibility {
    let mut seen = Visibility::everything();
    let columns = columns.iter().map(|id| (*id).to_owned()).collect();
    ColumnPolicy { columns, effect }.apply(&mut seen);
    seen
}

#[tokio::test]
async fn what_is_closed_is_refused_by_its_name_and_what_is_masked_tells_nothing() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        let mut lines = [sale("2026-01-02", "A", 700), sale("2026-01-03", "B", 1_100)];
        for (line, country) in lines.iter_mut().zip(["DE", "FR"]) {
            line.country = Some(country.to_owned());
            line.cost = 123;
        }
        world.post(&lines).await;
        let days = || range("2026-01-01", "2026-02-01");
        let ask = async |seen: &Visibility, query: &Query| world.store.run(world.tenant, seen, query).await;
        let refused = async |seen: &Visibility, query: &Query| match ask(seen, query).await {
            Err(AnalyticsError::Closed { pointer, message }) => {
                assert!(message.contains("owner or admin"), "{message}");
                pointer
            }
            other => panic!("not refused: {other:?}"),
        };
        let hidden = closed(&["costs", "cash", "country"], ColumnEffect::Hide);
        let margin = Query::over(days(), &["net_sales", "gross_margin"]);
        assert_eq!(refused(&hidden, &margin).await, "/metrics/1");
        assert_eq!(refused(&hidden, &Query::over(days(), &["payouts"])).await, "/metrics/0");
        assert_eq!(refused(&hidden, &Query::over(days(), &["orders"]).by("country")).await, "/dimensions/0");
        let masked = closed(&["gross_profit", "country"], ColumnEffect::Mask);
        for seen in [&hidden, &masked] {
            let filtered = Query::over(days(), &["orders"]).only("country", &["DE"]);
            assert_eq!(refused(seen, &filtered).await, "/filters/0/dimension");
        }
        let sorted = Query::over(days(), &["orders", "gross_profit"]).by("country");
        assert_eq!(refused(&masked, &sorted.clone().top(1, "gross_profit")).await, "/order_by/0/by");
        assert_eq!(refused(&masked, &sorted.clone().top(1, "country")).await, "/order_by/0/by");

        let everybody = Query::over(days(), &["gross_profit", "orders"]).by("country");
        let everybody = everybody.compared_to(portolan_analytics::Comparison::PreviousPeriod);
        let table = ask(&masked, &everybody).await.expect("an answer");
        assert_eq!(plain_rows(&table.rows), serde_json::json!([["•••", "EUR", "•••", 2]]));
        let text = serde_json::to_string(&table).expect("json");
        for told in ["DE", "FR", "577", "977", "1554"] {
            assert!(!text.contains(told), "{told} in {text}");
        }
        // The same question of somebody else is another one.
        let all = ask(&Visibility::everything(), &everybody).await.expect("an answer");
        assert_eq!(all.rows.len(), 2);
        assert_eq!(ask(&masked, &everybody).await.expect("an answer").rows.len(), 1);
        let nobody = ask(&Visibility::nothing(), &Query::over(days(), &["orders"])).await;
        assert!(matches!(nobody, Err(AnalyticsError::Closed { .. })));
    })
    .await;
}
