//! A server that is killed again and again in the middle of a sync ends with the same ledger.

use std::fmt::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use portolan_core::{Random as _, SeededRandom, TenantId};
use portolan_db::entity::{sale_event, tenant};
use portolan_db::{Database, DatabaseConfig};

use crate::support::Portolan;

const KILLS: u64 = 50;
const ORDERS: usize = 25_000;
/// The server is killed at a random moment up to this long after it is up.
const LONGEST_LIFE_MS: u64 = 500;
const SEED: u64 = 20_261_120;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_fifty_times_ends_with_the_ledger_of_an_undisturbed_one() {
    let undisturbed = tokio::task::spawn_blocking(|| {
        let portolan = imported();
        let server = portolan.serve();
        finish(&portolan);
        drop(server);
        portolan
    })
    .await
    .expect("undisturbed run");
    let disturbed = tokio::task::spawn_blocking(|| {
        let portolan = imported();
        let random = SeededRandom::new(SEED);
        for _ in 0..KILLS {
            let server = portolan.serve();
            server.wait_until_up();
            sleep(Duration::from_millis(random.next_u64() % LONGEST_LIFE_MS));
            server.kill();
        }
        let server = portolan.serve();
        finish(&portolan);
        drop(server);
        portolan
    })
    .await
    .expect("disturbed run");
    let expected = ledger_of(undisturbed.folder.path()).await;
    let found = ledger_of(disturbed.folder.path()).await;
    assert_eq!(expected.len(), found.len(), "as many events");
    assert!(expected == found, "the same events");
}

/// A till's export that waits for its first sync.
fn imported() -> Portolan {
    let portolan = Portolan::embedded();
    let csv = portolan.folder.path().join("till.csv");
    std::fs::write(&csv, till_export()).expect("write till export");
    portolan.set_up_demo("http://127.0.0.1:9", &csv);
    portolan
}

fn finish(portolan: &Portolan) {
    let sync = portolan.wait_for_sync_of("Online retail");
    assert_eq!(sync["state"], "succeeded", "{sync:#}");
    assert_eq!(sync["documents"], ORDERS);
}

/// Orders of one to five rows, some of them returns, rows of one order sometimes far apart.
fn till_export() -> String {
    let random = SeededRandom::new(7);
    let mut text =
        String::from("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
    let mut late = String::new();
    for order in 0..ORDERS {
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
    text + &late
}

/// Every event's content, sorted: ids and moments of recording aside.
async fn ledger_of(folder: &Path) -> Vec<String> {
    let db =
        Database::connect(&DatabaseConfig::sqlite(&folder.join("portolan.db"))).await.expect("open database");
    let tx = db.system_read().await.expect("read");
    let tenant = tx.find::<tenant::Entity>().one(&tx).await.expect("query").expect("tenant");
    drop(tx);
    let tx = db.read(TenantId(tenant.id)).await.expect("read");
    let rows = tx.find::<sale_event::Entity>().all(&tx).await.expect("events");
    let mut events: Vec<String> = rows
        .into_iter()
        .map(|row| {
            let posted = row.into_posted().expect("readable event");
            assert_eq!(posted.reverses, None, "nothing had to be taken back");
            format!("{:?}", posted.event)
        })
        .collect();
    events.sort_unstable();
    events
}
