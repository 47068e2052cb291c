//! What a question may ask, and how it is answered.

use portolan_analytics::{
    AnalyticsError, Comparison, Filter, FilterOp, GrainChoice, Query, QueryEngine, Visibility,
};
use portolan_core::calendar::DateRange;
use portolan_core::{Currency, TenantId};
use portolan_db::testing::TestDatabase;
use serde_json::json;

use crate::support::{EventLine, World, plain_rows, range, sale};

fn january() -> DateRange {
    range("2026-01-01", "2026-02-01")
}

fn in_country(mut line: EventLine, country: Option<&str>) -> EventLine {
    line.country = country.map(str::to_owned);
    line
}

fn of(mut line: EventLine, customer: &str) -> EventLine {
    line.customer = Some(customer.to_owned());
    line
}

fn of_product(mut line: EventLine, product: &str) -> EventLine {
    line.product = Some(product.to_owned());
    line
}

fn through(mut line: EventLine, connection: &str) -> EventLine {
    line.connection = Some(connection.to_owned());
    line
}

#[tokio::test]
async fn a_period_stands_beside_the_one_before_it() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world
        .post(&[sale("2025-12-31", "A", 1_000), sale("2026-01-05", "B", 1_500), sale("2026-01-31", "C", 500)])
        .await;
    let query = Query::over(january(), &["net_sales", "orders", "discount_rate"])
        .compared_to(Comparison::PreviousPeriod);
    let table = world.ask(&query).await;

    assert_eq!(table.comparison.map(|compared| compared.range), Some(range("2025-12-01", "2026-01-01")));
    let row = &table.rows[0];
    let sales = table.compared(row, "net_sales").expect("compared");
    assert_eq!(sales.value.as_money().map(|money| money.amount_minor), Some(1_000));
    assert_eq!(sales.change, Some(1.0));
    assert_eq!(table.compared(row, "orders").and_then(|orders| orders.change), Some(1.0));
    assert_eq!(
        table.compared(row, "discount_rate").and_then(|rate| rate.change),
        None,
        "0 before: no change"
    );
    test.discard().await;
}

#[tokio::test]
async fn periods_are_compared_by_their_place_in_the_range() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world
        .post(&[sale("2025-11-03", "A", 100), sale("2026-01-05", "B", 300), sale("2026-02-05", "C", 500)])
        .await;
    world.fold().await;
    let query = Query::over(range("2026-01-01", "2026-03-01"), &["net_sales"])
        .every(GrainChoice::Month)
        .compared_to(Comparison::PreviousPeriod);
    let table = world.ask(&query).await;

    let then: Vec<Option<i64>> = table
        .rows
        .iter()
        .map(|row| table.compared(row, "net_sales").and_then(|c| c.value.as_money()).map(|m| m.amount_minor))
        .collect();
    assert_eq!(plain_rows(&table.rows), json!([["2026-01-01", "EUR", 300], ["2026-02-01", "EUR", 500]]));
    assert_eq!(then, [Some(100), Some(0)], "November beside January, December beside February");
    test.discard().await;
}

#[tokio::test]
async fn filters_keep_and_leave_out_and_know_the_unknown() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::with_connections(&test, &[("shop", "shopify"), ("till", "csv")]).await;
    world
        .post(&[
            in_country(sale("2026-01-02", "A", 100), Some("DE")),
            in_country(sale("2026-01-03", "B", 200), Some("FR")),
            in_country(sale("2026-01-04", "C", 400), None),
            through(in_country(sale("2026-01-05", "D", 800), Some("DE")), "till"),
        ])
        .await;
    let orders = |filters: Vec<(&str, FilterOp, Vec<Option<&str>>)>| {
        let mut query = Query::over(january(), &["units_net", "orders"]);
        query.filters = filters
            .into_iter()
            .map(|(dimension, op, values)| Filter {
                dimension: dimension.to_owned(),
                op,
                values: values.into_iter().map(|value| value.map(str::to_owned)).collect(),
            })
            .collect();
        query
    };
    let cases = [
        (orders(vec![("country", FilterOp::In, vec![Some("DE")])]), json!([["2", 2]])),
        (orders(vec![("country", FilterOp::In, vec![Some("FR"), None])]), json!([["2", 2]])),
        (orders(vec![("country", FilterOp::NotIn, vec![Some("DE")])]), json!([["2", 2]])),
        (orders(vec![("country", FilterOp::NotIn, vec![Some("DE"), None])]), json!([["1", 1]])),
        (orders(vec![("channel", FilterOp::In, vec![Some("csv")])]), json!([["1", 1]])),
        (orders(vec![("channel", FilterOp::In, vec![Some("amazon")])]), json!([["0", 0]])),
        (
            orders(vec![
                ("channel", FilterOp::NotIn, vec![Some("csv")]),
                ("country", FilterOp::In, vec![Some("DE")]),
            ]),
            json!([["1", 1]]),
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(plain_rows(&world.ask(&query).await.rows), expected, "{:?}", query.filters);
    }
    test.discard().await;
}

#[tokio::test]
async fn text_that_looks_like_sql_is_a_value() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let odd = "O'Neil\\'; DROP TABLE sale_events; --";
    world.post(&[of_product(sale("2026-01-02", "A", 100), odd)]).await;
    let query = Query::over(january(), &["orders"]).only("product", &[odd]);
    assert_eq!(plain_rows(&world.ask(&query).await.rows), json!([[1]]));
    test.discard().await;
}

#[tokio::test]
async fn connections_of_one_channel_are_one_row_and_their_products_stay_apart() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world =
        World::with_connections(&test, &[("north", "shopify"), ("south", "shopify"), ("till", "csv")]).await;
    world
        .post(&[
            through(of_product(sale("2026-01-02", "A", 100), "p1"), "north"),
            through(of_product(sale("2026-01-03", "A", 200), "p1"), "south"),
            through(of_product(sale("2026-01-04", "A", 400), "p1"), "till"),
        ])
        .await;
    world.fold().await;
    let by_channel = Query::over(january(), &["net_sales", "orders"]).by("channel");
    assert_eq!(
        plain_rows(&world.ask(&by_channel).await.rows),
        json!([["csv", "EUR", 400, 1], ["shopify", "EUR", 300, 2]])
    );
    let by_product = world.ask(&Query::over(january(), &["net_sales"]).by("product")).await;
    let key = |connection: &str| format!("{}/p1", world.connection(connection));
    assert_eq!(
        plain_rows(&by_product.rows),
        json!([[key("till"), "EUR", 400], [key("south"), "EUR", 200], [key("north"), "EUR", 100]])
    );
    let one = Query::over(january(), &["net_sales"]).only("product", &[&key("south")]);
    assert_eq!(plain_rows(&world.ask(&one).await.rows), json!([["EUR", 200]]));
    test.discard().await;
}

#[tokio::test]
async fn orders_are_new_or_returning_by_the_whole_ledger() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world
        .post(&[
            of(sale("2025-06-01", "A", 100), "c1"),
            of(sale("2026-01-02", "B", 200), "c1"),
            of(sale("2026-01-03", "C", 400), "c2"),
            of(sale("2026-01-04", "D", 800), "c2"),
            sale("2026-01-05", "E", 1_600),
        ])
        .await;
    world.fold().await;
    let query = Query::over(january(), &["net_sales", "orders", "customers"]).by("new_returning");
    let table = world.ask(&query).await;
    assert_eq!(
        plain_rows(&table.rows),
        json!([[null, "EUR", 1_600, 1, 0], ["returning", "EUR", 1_000, 2, 2], ["new", "EUR", 400, 1, 1]])
    );
    // c2 is in both rows, so the total is not their sum.
    assert_eq!(plain_rows(&table.totals), json!([[null, "EUR", 3_000, 4, 2]]));
    test.discard().await;
}

#[tokio::test]
async fn an_order_of_two_products_is_one_order_in_the_total() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world
        .post(&[
            of_product(sale("2026-01-02", "A", 100), "p1"),
            of_product(sale("2026-01-02", "A", 200), "p2"),
            of_product(sale("2026-01-03", "B", 400), "p2"),
        ])
        .await;
    let table = world.ask(&Query::over(january(), &["orders", "units_net"]).by("product")).await;
    assert_eq!(plain_rows(&table.totals), json!([[null, 2, "3"]]));
    let counts: Vec<_> = table.rows.iter().map(|row| row.cells[1].as_f64()).collect();
    assert_eq!(counts, [Some(2.0), Some(1.0)]);
    test.discard().await;
}

#[tokio::test]
async fn refunds_count_on_their_own_day_or_on_the_order_day() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let refund = EventLine {
        kind: "return".to_owned(),
        ordered: Some("2026-01-02T10:00:00Z".to_owned()),
        quantity: -1.0,
        ..sale("2026-02-10", "A", -1_000)
    };
    world.post(&[sale("2026-01-02", "A", 1_000), refund]).await;
    world.fold().await;
    let mut query = Query::over(range("2026-01-01", "2026-03-01"), &["net_sales"]).every(GrainChoice::Month);
    assert_eq!(
        plain_rows(&world.ask(&query).await.rows),
        json!([["2026-01-01", "EUR", 1_000], ["2026-02-01", "EUR", -1_000]])
    );
    query.date_basis = Some(portolan_analytics::DateBasis::Order);
    assert_eq!(plain_rows(&world.ask(&query).await.rows), json!([["2026-01-01", "EUR", 0]]));
    test.discard().await;
}

#[tokio::test]
async fn unlike_currencies_are_rows_of_their_own() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let yen = EventLine { currency: Some("JPY".to_owned()), ..sale("2026-01-02", "A", 1_000) };
    world.post(&[yen, sale("2026-01-02", "B", 1_000)]).await;
    let table = world.ask(&Query::over(january(), &["net_sales"])).await;
    assert_eq!(plain_rows(&table.rows), json!([["EUR", 1_000], ["JPY", 1_000]]));
    assert_eq!(plain_rows(&table.totals), json!([["EUR", 1_000], ["JPY", 1_000]]));
    assert_eq!(table.columns[1].currency, None);
    let euros = world.ask(&Query::over(january(), &["net_sales"]).only("currency", &["EUR"])).await;
    assert_eq!(euros.columns[1].currency, "EUR".parse::<Currency>().ok());
    test.discard().await;
}

#[tokio::test]
async fn a_sum_beyond_64_bits_is_refused_and_not_wrapped() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let huge = i64::MAX - 5;
    world.post(&[sale("2026-01-02", "A", huge), sale("2026-01-03", "B", huge)]).await;
    let query = Query::over(january(), &["net_sales"]);
    let refused = world.store.run(world.tenant, &Visibility::everything(), &query).await;
    assert!(matches!(refused, Err(AnalyticsError::Overflow { .. })), "{refused:?}");
    // What is shown, the average, fits again.
    let average = world.ask(&Query::over(january(), &["aov"])).await;
    assert_eq!(plain_rows(&average.rows), json!([["EUR", huge]]));
    test.discard().await;
}

#[tokio::test]
async fn gaps_are_filled_when_asked() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world.post(&[sale("2026-01-02", "A", 100), sale("2026-01-04", "B", 100)]).await;
    let mut query = Query::over(range("2026-01-01", "2026-01-05"), &["orders"]).every(GrainChoice::Auto);
    assert_eq!(world.ask(&query).await.rows.len(), 2);
    query.dense = true;
    assert_eq!(
        plain_rows(&world.ask(&query).await.rows),
        json!([["2026-01-01", 0], ["2026-01-02", 1], ["2026-01-03", 0], ["2026-01-04", 1]])
    );
    test.discard().await;
}

#[tokio::test]
async fn the_top_is_cut_and_the_total_is_not() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    let lines: Vec<EventLine> = (1..=9)
        .map(|n| of_product(sale("2026-01-02", &format!("o{n}"), n * 100), &format!("p{n}")))
        .collect();
    world.post(&lines).await;
    let table = world.ask(&Query::over(january(), &["net_sales"]).by("product").top(2, "net_sales")).await;
    let sums: Vec<_> = table.rows.iter().map(|row| row.cells[2].as_f64()).collect();
    assert_eq!((table.row_count, sums), (9, vec![Some(9.0), Some(8.0)]));
    assert_eq!(plain_rows(&table.totals), json!([[null, "EUR", 4_500]]));
    test.discard().await;
}

#[tokio::test]
async fn a_tenant_sees_its_own_ledger_alone() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let (left, right) = (World::new(&test).await, World::new(&test).await);
    left.post(&[sale("2026-01-02", "A", 100)]).await;
    left.fold().await;
    right.post(&[sale("2026-01-02", "A", 100), sale("2026-01-03", "B", 100)]).await;
    let query = Query::over(january(), &["orders"]);
    assert_eq!(plain_rows(&left.ask(&query).await.rows), json!([[1]]));
    assert_eq!(plain_rows(&right.ask(&query).await.rows), json!([[2]]));
    let nobody = TenantId(uuid::Uuid::nil());
    let refused = left.store.run(nobody, &Visibility::everything(), &query).await;
    assert!(matches!(refused, Err(AnalyticsError::UnknownTenant)), "{refused:?}");
    test.discard().await;
}
