//! The sandbox shop travels the whole way on both databases, through the channel's bad days, and
//! comes out as it went in.

use std::collections::BTreeMap;

use portolan_db::testing::TestDatabase;
use portolan_sandbox_shopify::{Fault, FaultKind, Handle, MonthTruth, Options, serve};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{Portolan, column, number};

/// Reads one figure of a month of the world.
type Told = fn(&MonthTruth) -> i64;

/// What a month of the world says under a metric's name.
const METRICS: [(&str, Told); 10] = [
    ("gross_sales", |month| month.gross_sales_minor),
    ("discounts", |month| month.discounts_minor),
    ("net_sales", |month| month.net_sales_minor),
    ("returns", |month| month.returns_minor),
    ("shipping_revenue", |month| month.shipping_minor),
    ("taxes", |month| month.taxes_minor),
    ("tips", |month| month.tips_minor),
    ("duties", |month| month.duties_minor),
    ("gift_card_issued", |month| month.gift_cards_minor),
    ("orders", |month| month.orders as i64),
];

const TILL: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
    1,A,Lamp,2,2026-03-01 10:00:00,1.50,7,United Kingdom\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_answers_what_its_own_world_says_on_sqlite() {
    let shop = start_shop().await;
    answers_what_its_world_says(Portolan::embedded(), &shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_answers_what_its_own_world_says_on_postgres() {
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else {
        println!("skipped: PORTOLAN_TEST_POSTGRES_URL is not set");
        return;
    };
    let shop = start_shop().await;
    answers_what_its_world_says(Portolan::on_postgres(database.config.url.clone()), &shop).await;
    database.discard().await;
}

/// A shop that throttles, breaks and lies a little before it answers.
async fn start_shop() -> Handle {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let handle = serve(listener, Options::tiny()).expect("serve");
    for kind in [FaultKind::Throttled, FaultKind::InternalError] {
        handle.sandbox.inject(Fault::next(kind));
    }
    handle
}

async fn answers_what_its_world_says(portolan: Portolan, shop: &Handle) {
    let url = shop.url();
    let answers = tokio::task::spawn_blocking(move || {
        let csv = portolan.folder.path().join("till.csv");
        std::fs::write(&csv, TILL).expect("write till export");
        portolan.set_up_demo(&url, &csv);
        let server = portolan.serve();
        for sync in portolan.wait_for_syncs() {
            assert_eq!(sync["state"], "succeeded", "{sync:#}");
            let counted = sync["emitted"].as_i64().zip(sync["skipped"].as_i64()).map(|(a, b)| a + b);
            assert_eq!(sync["seen"].as_i64(), counted);
        }
        drop(server);
        METRICS.map(|(metric, _)| by_month(&portolan, metric))
    })
    .await
    .expect("story");
    let truth = shop.sandbox.world.shops[0].truth();
    for ((metric, told), answered) in METRICS.iter().zip(answers) {
        let expected: BTreeMap<String, i64> = truth
            .months
            .iter()
            .map(|(month, facts)| (month.clone(), told(facts)))
            .filter(|(_, amount)| *amount != 0)
            .collect();
        assert_eq!(answered, expected, "{metric}");
    }
}

fn by_month(portolan: &Portolan, metric: &str) -> BTreeMap<String, i64> {
    let table = portolan.query(&["--metric", metric, "--by", "month", "--where", "channel=shopify"]);
    let months = column(&table, "period");
    let amounts = column(&table, metric);
    months
        .iter()
        .zip(&amounts)
        .filter(|(_, amount)| !amount.is_null())
        .map(|(month, amount)| (month_of(month), number(amount)))
        .filter(|(_, amount)| *amount != 0)
        .collect()
}

fn month_of(period: &Value) -> String {
    let start = period["start"].as_str().or_else(|| period["from"].as_str()).expect("month");
    start[..7].to_owned()
}
