//! The sandbox shop travels the whole way on both databases, through the channel's bad days, and
//! comes out as it went in. Its history comes by a bulk operation, whose file is being read when the server is killed;
//! read again by pages it adds nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_core::TenantId;
use portolan_db::entity::{connection, document, stream, tenant};
use portolan_db::sea_orm::sea_query::Expr;
use portolan_db::sea_orm::{ColumnTrait, QueryFilter};
use portolan_db::testing::TestDatabase;
use portolan_db::{Database, DatabaseConfig, DbError};
use portolan_sandbox_shopify::{
    ExportOutcome, Fault, FaultKind, Handle, MonthTruth, Options, Sandbox, Truth, serve,
};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{Portolan, column, number, wait_until};

/// The label of the shop's connection.
const SHOP: &str = "Lotus & Lamp";

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
    let late = FaultKind::Export { outcome: ExportOutcome::Late };
    for kind in [FaultKind::Throttled, FaultKind::InternalError, late] {
        handle.sandbox.inject(Fault::next(kind));
    }
    handle
}

/// How often the file of a bulk operation was asked for.
fn reads(sandbox: &Sandbox) -> u64 {
    sandbox.report()["reads"].as_u64().expect("a count")
}

async fn answers_what_its_world_says(portolan: Portolan, shop: &Handle) {
    let (url, sandbox) = (shop.url(), Arc::clone(&shop.sandbox));
    let truth = shop.sandbox.world.shops[0].truth();
    let (portolan, answers) = tokio::task::spawn_blocking(move || {
        let csv = portolan.folder.path().join("till.csv");
        std::fs::write(&csv, TILL).expect("write till export");
        portolan.set_up_demo(&url, &csv);
        let server = portolan.serve();
        wait_until("the file is being read", || reads(&sandbox) > 0);
        server.kill();
        let server = portolan.serve();
        for sync in portolan.wait_for_syncs() {
            assert_eq!(sync["state"], "succeeded", "{sync:#}");
            let counted = sync["emitted"].as_i64().zip(sync["skipped"].as_i64()).map(|(a, b)| a + b);
            assert_eq!(sync["seen"].as_i64(), counted);
        }
        drop(server);
        assert!(reads(&sandbox) > 1, "what was being read when the server died is read again");
        let answers = METRICS.map(|(metric, _)| by_month(&portolan, metric));
        (portolan, answers)
    })
    .await
    .expect("story");
    assert_eq!(documents_of(&portolan.database()).await, expected_documents(&truth));
    for ((metric, told), answered) in METRICS.iter().zip(answers) {
        let expected: BTreeMap<String, i64> = truth
            .months
            .iter()
            .map(|(month, facts)| (month.clone(), told(facts)))
            .filter(|(_, amount)| *amount != 0)
            .collect();
        assert_eq!(answered, expected, "{metric}");
    }
    begin_again_by_pages(&portolan.database()).await;
    let read_before = reads(&shop.sandbox);
    let portolan = tokio::task::spawn_blocking(move || {
        portolan.run(&["sync", "run", SHOP]);
        let again = portolan.wait_for_sync_of(SHOP);
        assert_eq!(again["state"], "succeeded", "{again:#}");
        assert!(again["seen"].as_u64() > Some(240), "all of it came again: {again:#}");
        assert_eq!(again["events_posted"], 0, "and nothing of it was new: {again:#}");
        portolan
    })
    .await
    .expect("story");
    assert_eq!(reads(&shop.sandbox), read_before, "by pages");
    assert_eq!(documents_of(&portolan.database()).await, expected_documents(&truth));
}

/// How many documents of each kind the world makes.
fn expected_documents(truth: &Truth) -> BTreeMap<String, u64> {
    let counts = [
        ("order", truth.order_documents),
        ("refund", truth.refund_documents),
        ("transaction", truth.transaction_documents),
        ("product", truth.products + truth.variants),
        ("customer", truth.customers),
        ("location", truth.locations),
        ("inventory_level", truth.inventory_levels),
        ("checkout", truth.checkouts),
        ("store", 1),
    ];
    counts.map(|(entity, count)| (entity.to_owned(), count)).into()
}

async fn open(database: &DatabaseConfig) -> (Database, TenantId) {
    let db = Database::connect(database).await.expect("open database");
    let tx = db.system_read().await.expect("read");
    let tenant = tx.find::<tenant::Entity>().one(&tx).await.expect("query").expect("tenant");
    drop(tx);
    (db, TenantId(tenant.id))
}

/// The shop's documents by kind: its stock by the newest level of each variant and location.
async fn documents_of(database: &DatabaseConfig) -> BTreeMap<String, u64> {
    let (db, tenant) = open(database).await;
    let tx = db.read(tenant).await.expect("read");
    let shop = tx.find::<connection::Entity>().filter(connection::Column::PluginId.eq("shopify"));
    let shop = shop.one(&tx).await.expect("query").expect("the shop's connection");
    let documents = tx.find::<document::Entity>().filter(document::Column::ConnectionId.eq(shop.id));
    let mut counts = BTreeMap::new();
    for document in documents.all(&tx).await.expect("documents") {
        *counts.entry(document.entity).or_default() += 1;
    }
    drop(tx);
    db.close().await.expect("close database");
    counts
}

/// Forgets how far the shop's streams have come, and sets the connection to page whatever there is.
async fn begin_again_by_pages(database: &DatabaseConfig) {
    let (db, tenant) = open(database).await;
    db.write(tenant, |tx| {
        Box::pin(async move {
            let shop = tx.find::<connection::Entity>().filter(connection::Column::PluginId.eq("shopify"));
            let shop = shop.one(tx).await.map_err(DbError::from)?.expect("the shop's connection");
            let mut config: Value = serde_json::from_str(&shop.config).expect("JSON");
            config["bulk_from_points"] = 1_000_000_000.into();
            tx.update_many::<connection::Entity>()
                .col_expr(connection::Column::Config, Expr::value(config.to_string()))
                .filter(connection::Column::Id.eq(shop.id))
                .exec(tx)
                .await
                .map_err(DbError::from)?;
            tx.update_many::<stream::Entity>()
                .col_expr(stream::Column::WatermarkAt, Expr::value(None::<i64>))
                .filter(stream::Column::ConnectionId.eq(shop.id))
                .exec(tx)
                .await
                .map_err(DbError::from)?;
            Ok::<_, DbError>(())
        })
    })
    .await
    .expect("begin again");
    db.close().await.expect("close database");
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
