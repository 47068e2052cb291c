//! Questions to the cash ledger, alone and beside the sales ledger.

use portolan_analytics::{Additivity, Cell, Fact, GrainChoice, METRICS, Query, QueryEngine, Visibility};
use portolan_commerce::cash::{BalanceCategory, is_payout_itself};
use portolan_core::LocalDate;
use portolan_db::entity::fact_part;
use portolan_db::testing::{TestDatabase, on_both};
use proptest::prelude::*;
use serde_json::json;

use crate::breakdowns::{addend, sums};
use crate::property::property;
use crate::support::{CashLine, EventLine, World, plain_rows, range, sale};

fn moved(at: &str, entry: &str, category: &str, amount: i64, fee: i64) -> CashLine {
    CashLine {
        at: format!("{at}T10:00:00Z"),
        entry: entry.to_owned(),
        payment: Some(format!("ch-{entry}")),
        category: category.to_owned(),
        method: Some("card".to_owned()),
        amount,
        fee,
        ..CashLine::default()
    }
}

fn of_payout(payout: &str, line: CashLine) -> CashLine {
    CashLine { payout: Some(payout.to_owned()), ..line }
}

#[tokio::test]
async fn one_fold_moves_both_ledgers_and_answers_stay() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        let months =
            Query::over(range("2026-01-01", "2026-04-01"), &["gross_payments", "net_sales", "payment_fees"])
                .every(GrainChoice::Month);
        world.post(&[sale("2026-01-05", "A", 1_000), sale("2026-02-05", "B", 2_000)]).await;
        world.post_cash(&[moved("2026-01-06", "1", "sale", 1_000, 30)]).await;
        let expected =
            json!([["2026-01-01", "EUR", 1_000, 1_000, 30], ["2026-02-01", "EUR", 1_990, 2_000, 60]]);
        world.post_cash(&[moved("2026-02-06", "2", "sale", 1_990, 60)]).await;
        assert_eq!(plain_rows(&world.ask_afresh(&months).await.rows), expected, "from the tail");

        let report = world.fold().await;
        assert_eq!((report.events, report.parts_written), (4, 4));
        assert_eq!(plain_rows(&world.ask_afresh(&months).await.rows), expected, "from parts");
        assert_eq!(world.fold().await.events, 0);
        let tx = world.database.read(world.tenant).await.expect("read");
        let mut parts = tx.find::<fact_part::Entity>().all(&tx).await.expect("parts");
        parts.sort_by(|left, right| left.path.cmp(&right.path));
        let facts: Vec<&str> = parts.iter().map(|part| part.fact.as_str()).collect();
        assert_eq!(facts, ["cash_events", "cash_events", "sale_events", "sale_events"]);

        world.post_cash(&[moved("2026-03-31", "3", "refund", -500, 0)]).await;
        let days = world.store.days(world.tenant, &Visibility::everything()).await.expect("days");
        assert_eq!(days, Some(range("2026-01-05", "2026-04-01")), "whatever ledger an event is in");
        let refunds = Query::over(range("2026-03-01", "2026-04-01"), &["payment_refunds"]);
        assert_eq!(plain_rows(&world.ask(&refunds).await.rows), json!([["EUR", 500]]), "from parts and tail");
    })
    .await;
}

#[tokio::test]
async fn many_small_parts_of_a_balance_become_one_and_leave_sales_alone() {
    let test = TestDatabase::sqlite(portolan_migrations::migrate).await;
    let world = World::new(&test).await;
    world.post(&[sale("2026-01-05", "A", 1_000)]).await;
    let mut merged = 0;
    for number in 0..10 {
        world.post_cash(&[moved("2026-01-06", &number.to_string(), "sale", 1_000 + number, 0)]).await;
        merged += world.fold().await.parts_merged;
    }
    assert_eq!((merged, world.files().len()), (9, 1));
    let query = Query::over(range("2026-01-01", "2026-02-01"), &["gross_payments", "net_sales"]);
    assert_eq!(plain_rows(&world.ask(&query).await.rows), json!([["EUR", 10_045, 1_000]]));
    // What the merge has replaced is swept in the folder of its own ledger.
    assert_eq!(world.store.sweep(world.tenant).await.expect("sweep"), 0);
    world.minutes_pass(20);
    assert_eq!(world.store.sweep(world.tenant).await.expect("sweep"), 9);
    assert_eq!(plain_rows(&world.ask_afresh(&query).await.rows), json!([["EUR", 10_045, 1_000]]));
    test.discard().await;
}

#[tokio::test]
async fn a_payout_pays_out_what_its_entries_add_up_to() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::with_connections(test, &[("shop", "shopify"), ("bank", "stripe")]).await;
        let mut lines = vec![
            of_payout("po_1", moved("2026-01-05", "1", "sale", 10_000, 320)),
            of_payout("po_1", moved("2026-01-06", "2", "refund", -2_500, 0)),
            of_payout("po_1", moved("2026-01-07", "3", "payout", -7_180, 0)),
            of_payout("po_2", moved("2026-01-08", "4", "sale", 1_000, 30)),
            moved("2026-01-09", "5", "sale", 700, 20),
        ];
        for line in &mut lines {
            line.connection = Some("bank".to_owned());
        }
        world.post_cash(&lines).await;
        let query = Query::over(range("2026-01-01", "2026-02-01"), &["net_payout", "payouts"]);
        let bank = world.connection("bank");
        let (first, second) = (format!("{bank}/po_1"), format!("{bank}/po_2"));
        let table = world.ask(&query.clone().by("payout").top(10, "net_payout")).await;
        let expected = json!([[first, "EUR", 7_180, 7_180], [second, "EUR", 970, 0], [null, "EUR", 680, 0]]);
        assert_eq!(plain_rows(&table.rows), expected);
        let one = world.ask(&query.clone().only("payout", &[&first])).await;
        assert_eq!(plain_rows(&one.rows), json!([["EUR", 7_180, 7_180]]));
        let channels = world.ask(&query.by("channel")).await;
        assert_eq!(plain_rows(&channels.rows), json!([["stripe", "EUR", 8_830, 7_180]]));
    })
    .await;
}

#[tokio::test]
async fn what_a_bank_sent_back_is_part_of_the_payout_that_pays_it_out_again() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        let back = CashLine {
            source: Some("po_1".to_owned()),
            ..of_payout("po_2", moved("2026-01-08", "3", "payout_reversal", 700, 0))
        };
        let mut lines = vec![
            of_payout("po_1", moved("2026-01-05", "1", "sale", 720, 20)),
            of_payout("po_1", moved("2026-01-07", "2", "payout", -700, 0)),
            back,
            of_payout("po_2", moved("2026-01-09", "4", "sale", 210, 10)),
            of_payout("po_2", moved("2026-01-10", "5", "payout", -900, 0)),
        ];
        for folded in [false, true] {
            world.post_cash(&lines).await;
            lines.clear();
            if folded {
                world.fold().await;
            }
            let metrics = ["net_payout", "payouts", "balance_change", "other_movements"];
            let query = Query::over(range("2026-01-01", "2026-02-01"), &metrics);
            let shop = world.connection("shop");
            let (first, second) = (format!("{shop}/po_1"), format!("{shop}/po_2"));
            let table = world.ask_afresh(&query.clone().by("payout").top(10, "net_payout")).await;
            let expected = json!([[second, "EUR", 900, 900, 0, 700], [first, "EUR", 700, 700, 0, 0]]);
            assert_eq!(plain_rows(&table.rows), expected, "each as its page says");
            assert_eq!(
                plain_rows(&table.totals),
                json!([[null, "EUR", 900, 900, 0, 0]]),
                "once in the total"
            );
            let named = world.ask_afresh(&query.clone().only("payout", &[&second])).await;
            assert_eq!(plain_rows(&named.rows), json!([["EUR", 900, 900, 0, 700]]));
            assert_eq!(plain_rows(&named.totals), plain_rows(&named.rows));
            assert_eq!(plain_rows(&world.ask_afresh(&query).await.rows), json!([["EUR", 900, 900, 0, 0]]));
        }
    })
    .await;
}

#[tokio::test]
async fn sales_and_payments_stand_side_by_side_where_both_are_known() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::with_connections(test, &[("shop", "shopify"), ("bank", "stripe")]).await;
        world.post(&[sale("2026-01-05", "A", 1_000), sale("2026-01-06", "B", 500)]).await;
        let paid = |entry: &str, code: &str, amount: i64| CashLine {
            connection: Some("bank".to_owned()),
            currency: Some(code.to_owned()),
            ..moved("2026-01-07", entry, "sale", amount, 10)
        };
        world.post_cash(&[paid("1", "EUR", 1_400), paid("2", "JPY", 90)]).await;
        let query =
            Query::over(range("2026-01-01", "2026-02-01"), &["net_sales", "orders", "gross_payments"]);
        let whole = world.ask(&query).await;
        assert_eq!(
            plain_rows(&whole.rows),
            json!([["EUR", 1_500, 2, 1_400], ["JPY", 0, 0, 90]]),
            "unlike currencies stay apart across ledgers, too"
        );
        let by_connection = world.ask(&query.clone().by("connection")).await;
        let (shop, bank) = (world.connection("shop").to_string(), world.connection("bank").to_string());
        assert_eq!(
            plain_rows(&by_connection.rows),
            json!([[shop, "EUR", 1_500, 2, 0], [bank, "EUR", 0, 0, 1_400], [bank, "JPY", 0, 0, 90]])
        );
        let refused = world
            .store
            .run(world.tenant, &Visibility::everything(), &query.by("product"))
            .await
            .expect_err("refused");
        assert!(refused.to_string().contains("gross_payments is about payments"), "{refused}");
    })
    .await;
}

fn any_movement() -> impl Strategy<Value = CashLine> {
    let keys = (0..6_u8, 0..4_u8, 0..3_u8, 0..3_u8, 0..2_u8);
    let amounts = (-500_000_i64..500_000, -900_i64..900, 0..40_i32);
    (0..80_i32, 0..BalanceCategory::ALL.len(), keys, amounts).prop_map(|(day, category, keys, amounts)| {
        let (entry, payment, payout, method, currency) = keys;
        let date = LocalDate::from_ymd(2026, 1, 1).expect("date").plus_days(day);
        let known = |prefix: &str, number: u8| (number > 0).then(|| format!("{prefix}{number}"));
        CashLine {
            at: format!("{date}T10:00:00Z"),
            paid: Some(format!("{}T10:00:00Z", date.plus_days(-amounts.2))),
            connection: Some(if entry % 2 == 0 { "shop" } else { "till" }.to_owned()),
            entry: format!("e{entry}"),
            payment: known("ch", payment),
            category: BalanceCategory::ALL[category].to_string(),
            payout: known("po", payout),
            source: known("po", entry % 3),
            method: known("m", method),
            dispute: None,
            currency: Some(if currency == 0 { "EUR" } else { "JPY" }.to_owned()),
            reverses: false,
            amount: amounts.0,
            fee: amounts.1,
        }
    })
}

#[test]
fn rows_of_any_breakdown_of_a_balance_add_up_to_the_total() {
    let lines = proptest::collection::vec(any_movement(), 1..120);
    property(6, &lines, async |test, lines| check(test, lines).await);
}

async fn check(test: &TestDatabase, lines: &[CashLine]) {
    let additive: Vec<&str> = METRICS
        .iter()
        .filter(|metric| metric.additivity != Additivity::Non && metric.needs(Fact::Cash))
        .map(|metric| metric.id)
        .collect();
    let world = World::with_connections(test, &[("shop", "shopify"), ("till", "csv")]).await;
    let (first, second) = lines.split_at(lines.len() / 2);
    world.post_cash(first).await;
    world.post(&[EventLine { connection: Some("till".to_owned()), ..sale("2026-01-05", "A", 1) }]).await;
    world.fold().await;
    world.post_cash(second).await;
    let whole = Query::over(range("2025-11-01", "2026-03-22"), &additive);
    let total = world.ask(&whole).await;
    let expected = sums(&total, &total.totals, &additive);
    for ((currency, metric), sum) in &expected {
        let of = |id: &str| expected[&(currency.clone(), id.to_owned())];
        if metric == "net_payments" {
            let parts = of("payment_refunds") + of("disputed_payments") + of("payment_fees");
            assert_eq!(*sum, of("gross_payments") - parts);
        }
        let of_currency = lines.iter().filter(|line| line.currency.as_ref() == Some(currency));
        let paid_out = |line: &&CashLine| line.category.starts_with("payout");
        match metric.as_str() {
            "balance_change" => {
                let naive: i128 = of_currency.map(|line| i128::from(line.amount - line.fee)).sum();
                assert_eq!(*sum, naive, "{currency}: what the balance gained is what its entries say");
                assert_eq!(*sum, of("net_payout") - of("payouts"));
            }
            "payouts" => {
                let naive: i128 = of_currency.filter(paid_out).map(|line| -i128::from(line.amount)).sum();
                assert_eq!(*sum, naive, "{currency}");
            }
            "net_payout" => assert_eq!(*sum, of("net_payments") + of("other_movements")),
            _ => {}
        }
    }
    let by_payment = Query { date_basis: Some(portolan_analytics::DateBasis::Order), ..whole.clone() };
    let breakdowns = [
        whole.clone().by("channel"),
        whole.clone().by("balance_category").every(GrainChoice::Week),
        whole.clone().by("payment_method").by("connection").every(GrainChoice::Day),
        by_payment.every(GrainChoice::Month),
    ];
    for breakdown in breakdowns {
        let table = world.ask(&breakdown).await;
        assert_eq!(sums(&table, &table.rows, &additive), expected, "{:?}", breakdown.dimensions);
    }
    let by_payout = world.ask(&whole.by("payout")).await;
    assert_eq!(sums(&by_payout, &by_payout.totals, &additive), expected, "the total knows each amount once");
    check_payouts(&world, &by_payout, lines);
}

/// Each payout is made of what `payout_check` says: of the same entries, without what is the payout itself.
fn check_payouts(world: &World, by_payout: &portolan_analytics::Table, lines: &[CashLine]) {
    for row in by_payout.rows.iter() {
        let cell = |id: &str| by_payout.cell(row, id).expect("a cell");
        let Cell::Key { key: Some(key), .. } = cell("payout") else { continue };
        let currency = cell("currency").label().expect("a currency");
        let (connection, payout) = key.split_once('/').expect("a connection and its payout");
        let of_row = |line: &&CashLine| {
            let name = line.connection.as_deref().expect("a connection");
            world.connection(name).to_string() == connection
                && line.payout.as_deref() == Some(payout)
                && line.currency.as_deref() == Some(currency)
        };
        let (mut part, mut own) = (0_i128, 0_i128);
        for event in lines.iter().filter(of_row).map(CashLine::event) {
            if is_payout_itself(&event, payout) {
                part -= i128::from(event.fee_minor);
                own -= i128::from(event.amount_minor);
            } else {
                part += i128::from(event.net_minor);
            }
        }
        assert_eq!((addend(cell("net_payout")), addend(cell("payouts"))), (part, own), "{key} {currency}");
    }
}
