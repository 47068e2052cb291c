//! The payments of the sandbox shop travel the whole way on both databases, through the provider's bad days, and come
//! out as they went in: by month and kind, and payout by payout.

use std::collections::BTreeMap;

use portolan_db::testing::TestDatabase;
use portolan_sandbox_stripe::{Account, CategoryTruth, EntryKind, Fault, FaultKind, Handle, Options, serve};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{Portolan, column, number};
use crate::visitor::Visitor;

/// What a month of the account says under a metric's name, by what each category adds to it.
type Told = fn(category: &str, sums: &CategoryTruth) -> i64;

const METRICS: [(&str, Told); 6] = [
    ("gross_payments", |category, sums| if category == "sale" { sums.amount_minor } else { 0 }),
    ("payment_refunds", |category, sums| if category == "refund" { -sums.amount_minor } else { 0 }),
    ("disputed_payments", |category, sums| match category {
        "dispute" | "dispute-reversal" => -sums.amount_minor,
        _ => 0,
    }),
    ("payment_fees", |category, sums| match category {
        "fee" | "fee-refund" | "tax-on-fee" => sums.fee_minor - sums.amount_minor,
        _ => sums.fee_minor,
    }),
    ("payouts", |category, sums| match category {
        "payout" | "payout-reversal" => -sums.amount_minor,
        _ => 0,
    }),
    ("net_payout", |category, sums| match category {
        "payout" | "payout-reversal" => 0,
        _ => sums.net_minor,
    }),
];

/// What the demo calls the connection to it.
const PROVIDER: &str = "Card payments";

const TILL: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
    1,A,Lamp,2,2026-03-01 10:00:00,1.50,7,United Kingdom\n";

#[tokio::test(flavor = "multi_thread")]
async fn payments_answer_what_their_own_world_says_on_sqlite() {
    answers_what_its_world_says(Portolan::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_answer_what_their_own_world_says_on_postgres() {
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else {
        println!("skipped: PORTOLAN_TEST_POSTGRES_URL is not set");
        return;
    };
    answers_what_its_world_says(Portolan::on_postgres(database.config.url.clone())).await;
    database.discard().await;
}

/// A provider that breaks off a little before it answers.
async fn start_provider() -> Handle {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let handle = serve(listener, Options::tiny()).expect("serve");
    for kind in [FaultKind::Truncated, FaultKind::InternalError] {
        handle.sandbox.inject(Fault::next(kind));
    }
    handle
}

async fn answers_what_its_world_says(portolan: Portolan) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let shop =
        portolan_sandbox_shopify::serve(listener, portolan_sandbox_shopify::Options::tiny()).expect("serve");
    let provider = start_provider().await;
    let (shop_url, provider_url) = (shop.url(), provider.url());
    let answers = tokio::task::spawn_blocking(move || {
        let csv = portolan.folder.path().join("till.csv");
        std::fs::write(&csv, TILL).expect("write till export");
        portolan.set_up_demo_with(&shop_url, &csv, &["--stripe-url", &provider_url]);
        let server = portolan.serve();
        for sync in portolan.wait_for_syncs() {
            assert_eq!(sync["state"], "succeeded", "{sync:#}");
            let counted = sync["emitted"].as_i64().zip(sync["skipped"].as_i64()).map(|(a, b)| a + b);
            assert_eq!((sync["seen"].as_i64(), sync["skipped"].as_i64()), (counted, Some(0)));
        }
        server.wait_until_up();
        let pulse =
            Visitor::sign_in(&portolan, server.port).get("/api/v1/pulse?range=all&convert=false").json();
        drop(server);
        check_pulse(&portolan, &pulse);
        check_reading_again(&portolan);
        (METRICS.map(|(metric, _)| by(&portolan, metric, "month")), by(&portolan, "net_payout", "payout"))
    })
    .await
    .expect("story");
    let account = &provider.sandbox.world.accounts[0];
    let months = account.truth(provider.sandbox.now()).months;
    for ((metric, told), answered) in METRICS.iter().zip(answers.0) {
        let sum = |categories: &BTreeMap<String, CategoryTruth>| {
            categories.iter().map(|(category, sums)| told(category, sums)).sum::<i64>()
        };
        let expected: BTreeMap<String, i64> = months
            .iter()
            .map(|(month, categories)| (month.clone(), sum(categories)))
            .filter(|(_, amount)| *amount != 0)
            .collect();
        assert_eq!(answered, expected, "{metric}");
    }
    let paid: Vec<i64> = sorted(answers.1.into_values());
    assert_eq!(
        paid,
        sorted(payouts_and_rest(account)),
        "what each payout is made of, and what is still to be paid"
    );
}

/// Pulse says of all days what the metrics say of all months, and it adds up.
fn check_pulse(portolan: &Portolan, pulse: &Value) {
    let money = pulse["money"].as_array().expect("money");
    let [flow] = money.as_slice() else { panic!("one currency expected: {pulse:#}") };
    let days = ["--from", "1990-01-01", "--until", "2090-01-01"];
    for (metric, _) in METRICS {
        let table = portolan.query(&[&["--metric", metric][..], &days].concat());
        let answered: i64 = column(&table, metric).iter().map(number).sum();
        assert_eq!(flow[format!("{metric}_minor")], answered, "{metric}");
    }
    let of = |metric: &str| flow[format!("{metric}_minor")].as_i64().expect(metric);
    let gone = of("payment_refunds") + of("disputed_payments") + of("payment_fees");
    assert_eq!(of("gross_payments") - gone + of("other_movements"), of("net_payout"));
    assert_eq!(of("net_payout") - of("payouts"), of("balance_change"));
    let kinds = flow["kinds"].as_array().expect("kinds");
    let kinds: i64 = kinds.iter().filter_map(|kind| kind["amount_minor"].as_i64()).sum();
    assert_eq!(kinds, of("balance_change"));
    assert_ne!(of("gross_payments"), 0);
}

/// Stored pages are read again from the command line: one record, one stream, all; nothing changes by it.
fn check_reading_again(portolan: &Portolan) {
    let before = by(portolan, "net_payout", "month");
    for scope in [&["--record", "payout:po_000000"][..], &["--stream", "payouts"], &[]] {
        let words = [&["replay", "run", PROVIDER, "--json"], scope].concat();
        let replay: Value = serde_json::from_str(&portolan.run(&words)).expect("json");
        assert_eq!(
            (replay["state"].as_str(), replay["events_posted"].as_i64()),
            (Some("succeeded"), Some(0))
        );
        assert_eq!(replay["chunks_done"], replay["chunks_total"], "{replay:#}");
        assert_ne!(replay["seen"], 0, "{replay:#}");
    }
    assert_eq!(portolan.run(&["replay", "status", PROVIDER]).lines().count(), 3);
    let unknown = portolan.output(&["replay", "run", PROVIDER, "--record", "payout:po_none"]);
    assert!(!unknown.status.success(), "no such record");
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(told.contains("No stored page"), "{told}");
    let status = portolan.run(&["upgrade", "status", PROVIDER]);
    assert!(status.starts_with("on     "), "{status}");
    assert!(!portolan.output(&["upgrade", "rollback", PROVIDER]).status.success(), "it was never switched");
    assert_eq!(by(portolan, "net_payout", "month"), before);
}

/// What each payout is made of, what the bank sent back of an earlier one too, and what is in none yet.
fn payouts_and_rest(account: &Account) -> Vec<i64> {
    let mut sums = BTreeMap::<Option<usize>, i64>::new();
    for entry in &account.entries {
        let is_part = match entry.kind {
            EntryKind::Payout => false,
            EntryKind::PayoutFailure => entry.payout.is_some(),
            _ => true,
        };
        if is_part {
            *sums.entry(entry.payout).or_default() += entry.net_minor();
        }
    }
    sums.into_values().filter(|sum| *sum != 0).collect()
}

fn sorted(amounts: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut sorted: Vec<i64> = amounts.into_iter().collect();
    sorted.sort_unstable();
    sorted
}

/// The metric by month or by payout, in the provider's currency.
fn by(portolan: &Portolan, metric: &str, cut: &str) -> BTreeMap<String, i64> {
    let table =
        portolan.query(&["--metric", metric, "--by", cut, "--where", "channel=stripe", "--limit", "1000"]);
    let keys = column(&table, if cut == "month" { "period" } else { cut });
    let amounts = column(&table, metric);
    keys.iter()
        .zip(&amounts)
        .filter(|(_, amount)| !amount.is_null())
        .map(|(key, amount)| (name_of(key), number(amount)))
        .filter(|(_, amount)| *amount != 0)
        .collect()
}

/// A month by its first day; anything else as it is written.
fn name_of(key: &Value) -> String {
    let start = key["start"].as_str().or_else(|| key["from"].as_str());
    start.map_or_else(|| key.to_string(), |start| start[..7].to_owned())
}
