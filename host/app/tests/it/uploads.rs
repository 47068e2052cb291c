//! Files that people give to a connection.

use portolan_app::connections::uploads::{NewUpload, remove_waiting, take_file};
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_app::web::error::AppResult;
use portolan_connector::fake::record_of;
use portolan_connector::{ChunkInfo, Continuation, Page, Payload, RawChunk};
use portolan_core::ConnectionId;
use portolan_db::entity::slice::SliceState;
use portolan_db::entity::{sync, upload};

use crate::support::*;

/// A plugin that takes one file a page, oldest first; tables by their column "order".
fn read_files(shop: &TestApp) {
    shop.runtime.clone().on_fetch(|request| {
        let done = request.token.as_ref().and_then(|token| std::str::from_utf8(token).ok()?.parse().ok());
        let waiting = request.connection.files.iter().filter(|file| file.stream == request.slice.stream);
        let mut waiting = waiting.filter(|file| done.is_none_or(|done: u64| file.id > done));
        let file = waiting.next()?;
        let framing = if file.name.ends_with(".csv") { "csv;group-by=order" } else { "json" };
        let chunk = RawChunk {
            info: ChunkInfo {
                stream: file.stream.clone(),
                framing: framing.to_owned(),
                content_type: file.content_type.clone(),
            },
            payload: Payload::Staged(file.id),
        };
        let next = match waiting.next() {
            Some(_) => Continuation::More(file.id.to_string().into()),
            None => Continuation::Done,
        };
        Some(Ok(Page::new(vec![chunk], next)))
    });
}

async fn give(
    shop: &TestApp,
    connection: ConnectionId,
    name: &str,
    content: &[u8],
) -> AppResult<upload::Model> {
    let upload = NewUpload {
        stream: "sheets".to_owned(),
        name: name.to_owned(),
        content_type: "application/octet-stream".to_owned(),
        path: shop.file(name, content),
    };
    take_file(&shop.app, shop.tenant, connection, upload).await
}

async fn sync_uploads(shop: &TestApp, connection: ConnectionId) -> sync::Model {
    let id = start_sync(&shop.app, shop.tenant, connection, Trigger::Upload).await.expect("a sync");
    shop.work().await;
    shop.sync_row(id).await
}

fn sheet(keys: &[&str]) -> Vec<u8> {
    let records: Vec<_> = keys.iter().map(|key| record_of(&order(key, 1, 60))).collect();
    serde_json::to_vec(&records).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_is_refused_before_and_after_its_import() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        read_files(&shop);
        let connection = shop.connect().await;
        let taken = give(&shop, connection, "may.json", &sheet(&["A", "B"])).await.expect("taken in");
        let again = give(&shop, connection, "copy.json", &sheet(&["A", "B"])).await.expect_err("refused");
        assert_eq!(again.status, 409);
        assert!(again.detail.contains("may.json"), "{}", again.detail);
        assert_succeeded(&sync_uploads(&shop, connection).await);
        assert_eq!(shop.net_minor(None).await, 2_000);
        assert!(give(&shop, connection, "copy.json", &sheet(&["A", "B"])).await.is_err());
        assert!(!shop.app.data_dir.join(&taken.path).exists(), "the staged file is gone");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_waiting_file_is_imported_by_one_sync() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        read_files(&shop);
        let connection = shop.connect().await;
        for (name, keys) in [("may.json", ["A", "B"]), ("june.json", ["B", "C"])] {
            give(&shop, connection, name, &sheet(&keys)).await.expect("taken in");
        }
        let sync = sync_uploads(&shop, connection).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, shop.net_minor(None).await), (4, 3_000));
        assert!(shop.rows::<upload::Entity>().await.iter().all(|upload| upload.state == "staged"));
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_key_column_fails_with_its_columns_named_and_out_of_the_way() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        read_files(&shop);
        let connection = shop.connect().await;
        give(&shop, connection, "bad.csv", b"invoice,amount\n1,10.00\n").await.expect("taken in");
        let sync = sync_uploads(&shop, connection).await;
        let told = assert_failed(&sync, "unreadable_file");
        for word in ["bad.csv", "order", "invoice", "amount"] {
            assert!(told.contains(word), "{told}");
        }
        assert_eq!(shop.slices_of(sync.id, "sheets").await[0].state, SliceState::Failed);
        shop.assert_idle().await;

        // It does not stand before the next file, and may come again.
        give(&shop, connection, "good.json", &sheet(&["A"])).await.expect("taken in");
        assert_succeeded(&sync_uploads(&shop, connection).await);
        assert_eq!(shop.net_minor(None).await, 1_000);
        give(&shop, connection, "bad.csv", b"invoice,amount\n1,10.00\n").await.expect("taken in again");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_file_can_be_taken_away_and_uploaded_again() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let given = give(&shop, connection, "sheet.json", &sheet(&["A"])).await.expect("taken in");
        let remove = || remove_waiting(&shop.app, shop.tenant, connection, given.id);
        remove().await.expect("taken away");
        assert!(!shop.app.data_dir.join(&given.path).exists());
        assert!(remove().await.is_err(), "gone is gone");
        give(&shop, connection, "sheet.json", &sheet(&["A"])).await.expect("taken in again");
    })
    .await;
}
