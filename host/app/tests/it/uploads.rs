//! Files that people give to a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portolan_app::connections::passing::sweep_left_over;
use portolan_app::connections::uploads::{NewUpload, remove_waiting, retry_refused, take_file};
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_app::web::error::AppResult;
use portolan_connector::fake::record_of;
use portolan_connector::{ChunkInfo, Continuation, Fault, FieldError, Page, Payload, RawChunk, StagedFile};
use portolan_core::{ConnectionId, Duration, SyncId};
use portolan_db::entity::slice::SliceState;
use portolan_db::entity::sync::{self, SyncState};
use portolan_db::entity::upload;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::*;

/// A plugin that takes one file a page, oldest first; tables by their column "order".
fn read_files(shop: &TestApp) {
    shop.runtime.clone().on_fetch(|request| {
        let done = request.token.as_ref().and_then(|token| std::str::from_utf8(token).ok()?.parse().ok());
        let waiting = request.connection.files.iter().filter(|file| file.stream == request.slice.stream);
        let mut waiting = waiting.filter(|file| done.is_none_or(|done: u64| file.id > done));
        let file = waiting.next()?;
        let mut page = whole_file(file);
        if waiting.next().is_some() {
            page.next = Continuation::More(file.id.to_string().into());
        }
        Some(Ok(page))
    });
}

/// The page that hands a file over.
fn whole_file(file: &StagedFile) -> Page {
    let framing = if file.name.ends_with(".csv") { "csv;group-by=order" } else { "json" };
    let chunk = RawChunk {
        info: ChunkInfo {
            stream: file.stream.clone(),
            framing: framing.to_owned(),
            content_type: file.content_type.clone(),
        },
        payload: Payload::Staged(file.id),
    };
    Page::new(vec![chunk], Continuation::Done)
}

pub async fn give(
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
    take_file(&shop.app, shop.tenant, shop.who(), connection, upload).await
}

async fn sync_uploads(shop: &TestApp, connection: ConnectionId) -> sync::Model {
    let id =
        start_sync(&shop.app, shop.tenant, shop.who(), connection, Trigger::Upload).await.expect("a sync");
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
async fn a_file_is_taken_in_by_what_its_name_ends_in() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        read_files(&shop);
        let connection = shop.connect().await;
        for (number, name) in ["a.csv", "B.CSV", "c.csv.gz", "d.csv.XZ"].into_iter().enumerate() {
            let content = sheet(&[&format!("A{number}")]);
            give(&shop, connection, name, &content).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
        for (name, hint) in [
            ("sales.xlsx", "Save the workbook as CSV first."),
            ("run.exe", "a file that ends in .json, .csv"),
            ("a.csv.exe", "a file that ends in .json, .csv"),
            ("csv", "a file that ends in .json, .csv"),
            ("a.gz", "or in one of them and .gz"),
            (".gz", "a file that ends in .json, .csv"),
        ] {
            let error = give(&shop, connection, name, &sheet(&["Z"])).await.expect_err(name);
            assert_eq!(
                (error.status.as_u16(), error.detail.contains(hint)),
                (422, true),
                "{name}: {error:?}"
            );
        }
        assert_eq!(shop.rows::<upload::Entity>().await.len(), 4);
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
        let told = assert_failed(&sync, "file_refused");
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
        let remove = || remove_waiting(&shop.app, shop.tenant, shop.who(), connection, given.id);
        remove().await.expect("taken away");
        assert!(!shop.app.data_dir.join(&given.path).exists());
        assert!(remove().await.is_err(), "gone is gone");
        give(&shop, connection, "sheet.json", &sheet(&["A"])).await.expect("taken in again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_a_sync_has_seen_names_no_other_file() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        refuse(&shop, "bad.json");
        let connection = shop.connect().await;
        let bad = give(&shop, connection, "bad.json", &sheet(&["A"])).await.expect("taken in");
        sync_uploads(&shop, connection).await;
        remove_waiting(&shop.app, shop.tenant, shop.who(), connection, bad.id).await.expect("taken away");
        let good = give(&shop, connection, "good.json", &sheet(&["B"])).await.expect("taken in");
        assert!(good.number > bad.number, "{} is used again", bad.number);
    })
    .await;
}

/// The plugin refuses files of this name, as one that has no mapping for their columns.
fn refuse(shop: &TestApp, name: &'static str) {
    shop.runtime.clone().on_fetch(move |request| {
        let file = request.connection.files.iter().find(|file| file.stream == request.slice.stream)?;
        if file.name == name {
            let field =
                FieldError { path: "columns".to_owned(), message: "there is no column order".to_owned() };
            return Some(Err(Fault::InvalidConfig { fields: vec![field] }));
        }
        Some(Ok(whole_file(file)))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_plugin_refuses_is_set_aside_and_later_ones_go_on() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        refuse(&shop, "bad.json");
        let connection = shop.connect().await;
        let bad = give(&shop, connection, "bad.json", &sheet(&["A"])).await.expect("taken in");
        for (name, key) in [("june.json", "B"), ("july.json", "C")] {
            give(&shop, connection, name, &sheet(&[key])).await.expect("taken in");
        }
        let sync = sync_uploads(&shop, connection).await;
        let told = assert_failed(&sync, "file_refused");
        assert!(told.contains("bad.json") && told.contains("there is no column order"), "{told}");
        assert_eq!((sync.seen, shop.net_minor(None).await), (2, 2_000), "the others are imported");
        let states: Vec<_> =
            shop.slices_of(sync.id, "sheets").await.iter().map(|slice| slice.state).collect();
        assert_eq!(states, [SliceState::Failed, SliceState::Done, SliceState::Done]);

        let session = shop.session().await;
        let page = shop.get(&session, &format!("/connections/{connection}")).await.body;
        assert!(page.contains("set aside") && page.contains("there is no column order"), "{page}");
        assert!(page.contains(&format!("/uploads/{}/retry", bad.id)), "{page}");
        let page = shop.get(&session, &format!("/syncs/{}", sync.id)).await.body;
        assert!(page.contains("A file was set aside") && page.contains("june.json"), "{page}");

        // It stands before nobody, and the next sync is not blamed for it.
        assert_succeeded(&sync_uploads(&shop, connection).await);
        // The mapping was mended.
        read_files(&shop);
        retry_refused(&shop.app, shop.tenant, shop.who(), connection, bad.id).await.expect("waits again");
        assert!(retry_refused(&shop.app, shop.tenant, shop.who(), connection, bad.id).await.is_err(), "once");
        assert_succeeded(&sync_uploads(&shop, connection).await);
        assert_eq!(shop.net_minor(None).await, 3_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_also_where_the_sync_is_interrupted_after_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let asked = Arc::new(AtomicUsize::new(0));
        shop.runtime.clone().on_fetch(move |request| {
            let file = request.connection.files.iter().find(|file| file.stream == request.slice.stream)?;
            if file.name == "bad.json" {
                return Some(Err(Fault::PluginBug { detail: "it is no sheet".to_owned() }));
            }
            if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                return Some(Err(Fault::Transient { after_ms: None, detail: "busy".to_owned() }));
            }
            Some(Ok(whole_file(file)))
        });
        let connection = shop.connect().await;
        give(&shop, connection, "bad.json", &sheet(&["A"])).await.expect("taken in");
        give(&shop, connection, "good.json", &sheet(&["B"])).await.expect("taken in");
        let waiting = sync_uploads(&shop, connection).await;
        assert_eq!(waiting.error_code.as_deref(), Some("retrying"));
        shop.advance(Duration::from_minutes(1));
        shop.work().await;
        let told = shop.sync_row(SyncId(waiting.id)).await;
        assert!(assert_failed(&told, "file_refused").contains("it is no sheet"));
        assert_eq!(shop.net_minor(None).await, 1_000);
        shop.assert_idle().await;
    })
    .await;
}

/// Lets every transaction fail that sets a file aside, where it does so: as a worker that dies at that very place.
async fn dies_when_a_file_is_set_aside(test: &TestDatabase, dies: bool) {
    let connection = test.database.migration_connection();
    let backend = connection.get_database_backend();
    let statements: &[&str] = match (backend, dies) {
        (DbBackend::Sqlite, true) => &[
            "CREATE TRIGGER dies BEFORE UPDATE ON upload WHEN NEW.state = 'refused' BEGIN SELECT RAISE(ABORT, 'died'); END",
        ],
        (DbBackend::Sqlite, false) => &["DROP TRIGGER dies"],
        (_, true) => &[
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''died''; END'",
            "CREATE TRIGGER dies BEFORE UPDATE ON upload FOR EACH ROW WHEN (NEW.state = 'refused') EXECUTE FUNCTION die()",
        ],
        (_, false) => &["DROP TRIGGER dies ON upload"],
    };
    for sql in statements {
        connection.execute_raw(Statement::from_string(backend, *sql)).await.expect("done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_between_setting_a_file_aside_and_ending_its_slice_leaves_neither_half() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        refuse(&shop, "bad.json");
        let connection = shop.connect().await;
        give(&shop, connection, "bad.json", &sheet(&["A"])).await.expect("taken in");
        give(&shop, connection, "good.json", &sheet(&["B"])).await.expect("taken in");
        dies_when_a_file_is_set_aside(test, true).await;
        let died = sync_uploads(&shop, connection).await;
        assert_eq!(died.state, SyncState::Running, "its job waits for the next attempt");
        let slices = shop.slices_of(died.id, "sheets").await;
        assert!(slices.iter().all(|slice| slice.state != SliceState::Failed), "{slices:?}");
        let waiting = shop.rows::<upload::Entity>().await;
        assert!(waiting.iter().all(|upload| upload.state != "refused" && upload.reason.is_none()));

        dies_when_a_file_is_set_aside(test, false).await;
        shop.advance(Duration::from_hours(1));
        shop.work().await;
        let told = shop.sync_row(SyncId(died.id)).await;
        assert_failed(&told, "file_refused");
        assert_eq!(shop.net_minor(None).await, 1_000, "the other file is imported");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_that_is_read_later_does_not_stand_above_a_newer_one() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        refuse(&shop, "may.json");
        let connection = shop.connect().await;
        let old = give(&shop, connection, "may.json", &sheet(&["A"])).await.expect("taken in");
        let new = serde_json::to_vec(&[record_of(&order("A", 3, 60))]).expect("json");
        give(&shop, connection, "june.json", &new).await.expect("taken in");
        sync_uploads(&shop, connection).await;
        read_files(&shop);
        retry_refused(&shop.app, shop.tenant, shop.who(), connection, old.id).await.expect("waits again");
        assert_succeeded(&sync_uploads(&shop, connection).await);
        assert_eq!(shop.net_minor(None).await, 3_000, "the newer file's order stands");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_from_the_disk_or_was_taken_away_stands_before_no_other() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        read_files(&shop);
        let connection = shop.connect().await;
        let gone = give(&shop, connection, "gone.json", &sheet(&["A"])).await.expect("taken in");
        give(&shop, connection, "good.json", &sheet(&["B"])).await.expect("taken in");
        std::fs::remove_file(shop.app.data_dir.join(&gone.path)).expect("removed");
        let sync = sync_uploads(&shop, connection).await;
        assert!(assert_failed(&sync, "file_refused").contains("Upload it again"));
        assert_eq!(shop.net_minor(None).await, 1_000);
        remove_waiting(&shop.app, shop.tenant, shop.who(), connection, gone.id).await.expect("taken away");
        give(&shop, connection, "gone.json", &sheet(&["A"])).await.expect("taken in again");
        assert_succeeded(&sync_uploads(&shop, connection).await);
        assert_eq!(shop.net_minor(None).await, 2_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_left_while_receiving_is_swept_a_day_later() {
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    assert_eq!(sweep_left_over(&shop.app).await.expect("nothing there yet"), 0);
    let folder = shop.app.data_dir.join("uploads/incoming");
    std::fs::create_dir_all(&folder).expect("a folder");
    let written = std::time::UNIX_EPOCH + std::time::Duration::from_micros(START.0.unsigned_abs());
    for name in ["old", "new"] {
        let file = std::fs::File::create(folder.join(name)).expect("a file");
        file.set_modified(written + std::time::Duration::from_secs(if name == "new" { 7_200 } else { 0 }))
            .expect("a time");
    }
    shop.advance(Duration::from_hours(25));
    assert_eq!(sweep_left_over(&shop.app).await.expect("swept"), 1);
    assert!(folder.join("new").exists() && !folder.join("old").exists());
}
