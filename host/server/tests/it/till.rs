//! A till's export, made up but always the same, and the ledger that it has to become.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portolan_access::PSEUDONYM_PREFIX;
use portolan_core::{Random as _, SeededRandom, TenantId};
use portolan_db::entity::{sale_event, tenant};
use portolan_db::{Database, DatabaseConfig};

use crate::support::Portolan;

/// The label of the connection that the export belongs to.
pub const TILL: &str = "Online retail";

/// Connects a till whose export of so many orders waits for its first sync, beside a shop that never answers.
pub fn import(portolan: &Portolan, orders: usize) {
    let csv = portolan.folder.path().join("till.csv");
    std::fs::write(&csv, till_export(orders)).expect("write till export");
    portolan.set_up_demo("http://127.0.0.1:9", &csv);
}

/// Orders of one to five rows, some of them returns, rows of one order sometimes far apart.
fn till_export(orders: usize) -> String {
    let random = SeededRandom::new(7);
    let mut text =
        String::from("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
    let mut late = String::new();
    for order in 0..orders {
        let sign = if order % 17 == 0 { "C" } else { "" };
        let day = order % 28 + 1;
        for row in 0..=random.next_u64() % 5 {
            let quantity = (random.next_u64() % 9 + 1) as i64 * if sign.is_empty() { 1 } else { -1 };
            let pence = random.next_u64() % 10_000;
            let line = format!(
                "{sign}{},{},Lamp {row},{quantity},2026-03-{day:02} 10:{:02}:00,{}.{:02},{},United Kingdom\n",
                500_000 + order,
                random.next_u64() % 300,
                order % 60,
                pence / 100,
                pence % 100,
                order % 900,
            );
            let target = if row == 4 { &mut late } else { &mut text };
            let _ = write!(target, "{line}");
        }
    }
    text + late.as_str()
}

/// Every event's content, sorted: ids and moments of recording aside. Each server has pseudonyms of its own for the same
/// customers, so a customer is called by the first of their orders.
pub async fn ledger_of(database: &DatabaseConfig) -> Vec<String> {
    let db = Database::connect(database).await.expect("open database");
    let tx = db.system_read().await.expect("read");
    let tenant = tx.find::<tenant::Entity>().one(&tx).await.expect("query").expect("tenant");
    drop(tx);
    let tx = db.read(TenantId(tenant.id)).await.expect("read");
    let rows = tx.find::<sale_event::Entity>().all(&tx).await.expect("events");
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let posted = row.into_posted().expect("readable event");
        assert_eq!(posted.reverses, None, "nothing had to be taken back");
        events.push(posted.event);
    }
    let mut first_orders = BTreeMap::<String, String>::new();
    for event in &events {
        if let Some(customer) = &event.customer_key {
            assert!(customer.starts_with(PSEUDONYM_PREFIX), "{customer} is no pseudonym");
            let first = first_orders.entry(customer.clone()).or_insert_with(|| event.order_key.clone());
            if event.order_key < *first {
                first.clone_from(&event.order_key);
            }
        }
    }
    for event in &mut events {
        event.customer_key = event.customer_key.take().map(|customer| first_orders[&customer].clone());
    }
    let mut events: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
    drop(tx);
    db.close().await.expect("close database");
    events.sort_unstable();
    events
}
