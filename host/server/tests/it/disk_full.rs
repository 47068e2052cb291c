//! A disk without room: said to everybody, nothing acknowledged lost, and the work goes on by itself.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::small_disk::SmallDisk;
use crate::support::{Portolan, single, wait_until};
use crate::till::{TILL, import, ledger_of};
use crate::visitor::{Answer, Visitor};

const ORDERS: usize = 10_000;
const SENTENCE: &str = "The disk of this server is full. Free some space";

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_waits_for_room_on_the_disk_and_ends_with_the_ledger_of_an_undisturbed_one() {
    let folder = TempDir::new().expect("folder");
    let Some(disk) = SmallDisk::mount(folder.path(), 256 << 10) else { return };
    let undisturbed = tokio::task::spawn_blocking(|| {
        let portolan = Portolan::embedded();
        import(&portolan, ORDERS);
        let server = portolan.serve();
        assert_eq!(portolan.wait_for_sync_of(TILL)["state"], "succeeded");
        drop(server);
        portolan
    });
    let undisturbed = undisturbed.await.expect("undisturbed run");
    let place = folder.path().to_owned();
    let (disturbed, disk) = tokio::task::spawn_blocking(move || {
        let portolan = Portolan::embedded_below(&place);
        import(&portolan, ORDERS);
        let server = portolan.serve();
        server.wait_until_up();
        let visitor = Visitor::sign_in(&portolan, server.port);
        disk.fill();
        server.wait_for_log("the disk of the database is full: free some space");
        everybody_is_told(&visitor, &disk);
        disk.make_room();
        let sync = portolan.wait_for_sync_of(TILL);
        assert_eq!((&sync["state"], &sync["error_code"]), (&json!("succeeded"), &Value::Null), "{sync:#}");
        assert_eq!(sync["documents"], ORDERS);
        server.wait_for_log("room");
        let page = visitor.get("/syncs");
        assert!(page.status == 200 && !page.body.contains(SENTENCE), "{page:?}");
        drop(server);
        portolan.run(&["doctor"]);
        (portolan, disk)
    })
    .await
    .expect("disturbed run");
    let expected = ledger_of(&undisturbed.database()).await;
    let found = ledger_of(&disturbed.database()).await;
    assert_eq!(expected.len(), found.len(), "as many events");
    assert!(expected == found, "the same events");
    drop((disturbed, disk));
}

/// Pages, API and uploads, while nothing can be written. A small write still fits now and then, where the write-ahead
/// log has begun anew: then the disk counts as one with room until the next that does not fit.
fn everybody_is_told(visitor: &Visitor, disk: &SmallDisk) {
    wait_until("the page says that the disk is full", || {
        disk.fill();
        let page = visitor.get("/syncs");
        page.status == 200 && page.body.contains(SENTENCE)
    });

    let connections = visitor.get("/api/v1/connections").json();
    let id = |label: &str| {
        let connections = connections["data"].as_array().expect("connections").iter();
        let found = connections.into_iter().find(|connection| connection["label"] == label);
        found.expect("the connection")["id"].as_str().expect("an id").to_owned()
    };
    let (till, shop) = (id(TILL), id("Lotus & Lamp"));
    wait_until("the sync says that the disk is full", || {
        disk.fill();
        let syncs = visitor.get(&format!("/api/v1/syncs?connection_id={till}")).json();
        let sync = &syncs["data"][0];
        let told = sync["error_detail"].as_str().is_some_and(|detail| detail.contains(SENTENCE));
        sync["state"] == "running" && sync["error_code"] == "disk_full" && told
    });

    wait_until("a write is refused", || {
        disk.fill();
        let refused = visitor.post_json(&format!("/api/v1/connections/{shop}/pause"), &json!({}));
        if refused.status != 503 {
            visitor.post_json(&format!("/api/v1/connections/{shop}/resume"), &json!({}));
            return false;
        }
        assert_eq!(refused.problem()["code"], "disk_full");
        invites_back(&refused);
        true
    });

    let more = "InvoiceNo,StockCode\n".repeat(10_000);
    let refused = visitor.upload(&format!("/connections/{till}/uploads"), "orders", more.as_bytes());
    invites_back(&refused);
    let page = visitor.get(&format!("/connections/{till}"));
    assert!(page.status == 200 && !page.body.contains("more.csv"), "nothing is taken in by halves: {page:?}");
}

fn invites_back(answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
    assert!(answer.body.contains(SENTENCE), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_wait_for_room_on_their_disk_and_are_never_there_by_halves() {
    let story = tokio::task::spawn_blocking(|| {
        let portolan = Portolan::embedded();
        let parts = portolan.folder.path().join("parts");
        let Some(disk) = SmallDisk::mount(&parts, 64) else { return };
        import(&portolan, ORDERS);
        let server = portolan.serve();
        assert_eq!(portolan.wait_for_sync_of(TILL)["state"], "succeeded");
        server.wait_for_log("the ledger could not be folded: the disk is full, free some space");
        assert_eq!(files_below(&parts, "parquet"), BTreeSet::new());
        assert_eq!(
            files_below(&parts, "writing"),
            BTreeSet::new(),
            "what did not fit does not keep the room"
        );
        let told = net_sales(&portolan);

        disk.grow_to(64 << 10);
        wait_until("parts are written", || !files_below(&parts, "parquet").is_empty());
        assert_eq!(net_sales(&portolan), told, "the same answer from parts");
        drop(server);
        portolan.run(&["doctor"]);
    });
    story.await.expect("story");
}

fn net_sales(portolan: &Portolan) -> i64 {
    let answer = portolan.query(&["--metric", "net_sales"]);
    assert_ne!(single(&answer, "net_sales"), 0);
    single(&answer, "net_sales")
}

/// Files with this ending, however deep.
fn files_below(folder: &Path, ending: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path.extension() == Some(OsStr::new(ending)) {
            found.insert(path);
        }
    }
    found
}
