//! What a sync brings in, and what it leaves alone.

use std::sync::atomic::Ordering;

use portolan_app::connections::ops::set_state;
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_connector::Fault;
use portolan_connector::fake::record_of;
use portolan_core::Duration;
use portolan_db::DbError;
use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::connection::ConnectionState;
use portolan_db::entity::slice::SliceState;
use portolan_db::entity::sync::SyncState;
use portolan_db::entity::{document, document_version, quarantine, sale_event, stream, sync};
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_stages_normalises_and_posts() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime
            .clone()
            .page("orders", &[order("A", 2, 60), order("B", 1, 50)])
            .page("orders", &[order("C", 4, 40), refund("R", "C", 1, 30)]);
        shop.runtime.clone().page("stores", &[store("north")]);
        let sync = shop.sync(shop.connect().await).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, sync.emitted, sync.documents), (5, 5, 5));
        assert!(shop.rows::<chunk::Entity>().await.iter().all(|chunk| chunk.state == ChunkState::Normalised));
        assert_eq!(shop.rows::<document::Entity>().await.len(), 5);
        assert_eq!(shop.rows::<sale_event::Entity>().await.len() as i64, sync.events_posted);
        assert_eq!((shop.net_minor(None).await, shop.net_minor(Some("C")).await), (6_000, 3_000));
        let orders = shop.rows::<stream::Entity>().await;
        let orders = orders.iter().find(|stream| stream.name == "orders").expect("the stream");
        assert_eq!(orders.watermark_at, shop.slices_of(sync.id, "orders").await[0].until);
        assert_eq!(shop.folds.load(Ordering::SeqCst), 1);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_between_pages_has_no_page_counted_twice() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let clock = shop.clock.clone();
        let mut runtime = shop.runtime.clone().on_fetch(move |_| {
            clock.advance(Duration::from_secs(-10));
            None
        });
        // More than one transaction posts: so a page is stored while the one before it is still being posted.
        for page in 0..3 {
            let orders = (0..1_000).map(|number| order(&format!("{page}-{number}"), 1, 60));
            runtime = runtime.page("orders", &orders.collect::<Vec<_>>());
        }
        let sync = shop.sync(shop.connect().await).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, sync.emitted, sync.documents), (3_000, 3_000, 3_000));
        assert_eq!(shop.net_minor(None).await, 3_000_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaying_the_same_pages_adds_nothing_to_the_ledger() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 2, 60), refund("R", "A", 1, 30)]);
        let connection = shop.connect().await;
        let first = shop.sync(connection).await;
        let events = shop.rows::<sale_event::Entity>().await.len();
        let versions = shop.rows::<document_version::Entity>().await.len();
        let second = shop.sync(connection).await;
        assert_succeeded(&second);
        assert_eq!((first.seen, second.seen, second.events_posted), (2, 2, 0));
        assert_eq!(shop.rows::<sale_event::Entity>().await.len(), events);
        assert_eq!(shop.rows::<document_version::Entity>().await.len(), versions);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_record_is_quarantined_with_its_reason_and_its_neighbours_pass() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let records =
            vec![record_of(&order("A", 1, 60)), json!({ "no": "document" }), record_of(&order("B", 1, 60))];
        shop.runtime.clone().records("orders", None, records);
        let sync = shop.sync(shop.connect().await).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, sync.emitted, sync.skipped), (3, 2, 1));
        let rejected = shop.rows::<quarantine::Entity>().await;
        assert_eq!((rejected.len(), rejected[0].src, rejected[0].stream.as_str()), (1, 1, "orders"));
        assert!(rejected[0].reason.contains("entity"), "{}", rejected[0].reason);
        assert_eq!(shop.net_minor(None).await, 2_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_stream_does_not_keep_the_others() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let unavailable = Fault::Unavailable { detail: "stores need a larger plan".to_owned() };
        shop.runtime.clone().page("orders", &[order("A", 2, 60)]).fetch_fault("stores", 0, unavailable);
        let sync = shop.sync(shop.connect().await).await;
        let told = assert_failed(&sync, "unavailable");
        assert!(told.contains("larger plan"), "{told}");
        assert_eq!(shop.slices_of(sync.id, "stores").await[0].state, SliceState::Failed);
        assert_eq!(shop.slices_of(sync.id, "orders").await[0].state, SliceState::Done);
        assert_eq!(shop.net_minor(None).await, 2_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_a_connection_is_refused_with_the_open_one_named() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let first = shop.start(connection).await;
        let refused = start_sync(&shop.app, shop.tenant, shop.who(), connection, Trigger::Manual).await;
        let refused = refused.expect_err("refused");
        assert_eq!(refused.status, 409);
        assert!(refused.detail.contains(&format!("/syncs/{first}")), "{}", refused.detail);
        shop.work().await;
        assert_succeeded(&shop.sync_row(first).await);
        assert_eq!(shop.rows::<sync::Entity>().await.len(), 1);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_starts_a_sync_of_its_stream_but_none_of_a_paused_connection() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        set_state(&shop.app, shop.tenant, shop.who(), connection, ConnectionState::Paused)
            .await
            .expect("paused");
        shop.advance(Duration::from_hours(7));
        shop.work().await;
        assert_eq!(shop.rows::<sync::Entity>().await, []);

        set_state(&shop.app, shop.tenant, shop.who(), connection, ConnectionState::Active)
            .await
            .expect("resumed");
        shop.advance(Duration::from_hours(7));
        shop.work().await;
        let mut syncs = shop.rows::<sync::Entity>().await;
        syncs.iter().for_each(assert_succeeded);
        syncs.sort_by(|left, right| left.trigger.cmp(&right.trigger));
        let triggers: Vec<_> = syncs.iter().map(|sync| sync.trigger.as_str()).collect();
        assert_eq!(triggers, ["schedule:orders", "schedule:stores"]);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_sync_staged_and_left_is_normalised_by_the_next_one() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let connection = shop.connect().await;
        assert_succeeded(&shop.sync(connection).await);
        // As a sync leaves it that ends between staging and normalising.
        let left = shop.app.db.write(shop.tenant, |tx| {
            Box::pin(async move {
                let staged = tx.update_many::<chunk::Entity>();
                let staged = staged.col_expr(chunk::Column::State, Expr::value(ChunkState::Staged.as_str()));
                Ok::<_, DbError>(staged.exec(tx).await?.rows_affected)
            })
        });
        assert_eq!(left.await.expect("staged again"), 1);
        shop.runtime.clear_pages("orders");
        assert_succeeded(&shop.sync(connection).await);
        let chunks = shop.rows::<chunk::Entity>().await;
        assert!(chunks.iter().all(|chunk| chunk.state == ChunkState::Normalised));
        assert_eq!(shop.net_minor(None).await, 1_000, "replaying adds nothing");
        shop.assert_idle().await;
    })
    .await;
}

/// Orders from a channel that is asked for them once; the page can't be read so many times.
async fn a_page_that_fails(test: &TestDatabase, times: usize) -> (TestApp, portolan_core::ConnectionId) {
    let shop = TestApp::new(test, "shop").await;
    let mut runtime = shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
    for _ in 0..times {
        let stopped = Fault::Stopped { limit: "deadline".to_owned(), detail: "it took too long".to_owned() };
        runtime = runtime.normalize_fault(stopped);
    }
    let connection = shop.connect().await;
    assert_failed(&shop.sync(connection).await, "plugin_stopped");
    shop.runtime.clear_pages("orders");
    (shop, connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_could_not_be_read_is_read_by_the_next_sync() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_page_that_fails(test, 1).await;
        let page = shop.get(&shop.session().await, &format!("/connections/{connection}")).await.body;
        assert!(page.contains("Stored, but not read"), "{page}");
        let second = shop.sync(connection).await;
        assert_succeeded(&second);
        assert_eq!((second.seen, shop.net_minor(None).await), (1, 1_000));
        let page = shop.get(&shop.session().await, &format!("/connections/{connection}")).await.body;
        assert!(!page.contains("Stored, but not read"), "{page}");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stays_unreadable_is_told_and_left_to_a_person_in_the_end() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_page_that_fails(test, 6).await;
        let scheduled = async || {
            let trigger = Trigger::Schedule { stream: "orders".to_owned() };
            let id =
                start_sync(&shop.app, shop.tenant, shop.who(), connection, trigger).await.expect("a sync");
            shop.work().await;
            shop.sync_row(id).await
        };
        for _ in 0..3 {
            let told = scheduled().await;
            assert!(assert_failed(&told, "left_unread").contains("it took too long"));
        }
        assert_succeeded(&scheduled().await);
        assert_eq!(shop.net_minor(None).await, 0);
        assert_failed(&shop.sync(connection).await, "left_unread");
        assert_failed(&shop.sync(connection).await, "left_unread");
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(shop.net_minor(None).await, 1_000, "a person can always try again");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_the_database_is_no_try_of_a_page() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_page_that_fails(test, 1).await;
        let rename = async |from: &str, to: &str| {
            let connection = test.database.migration_connection();
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            let rename = Statement::from_string(connection.get_database_backend(), sql);
            connection.execute_raw(rename).await.expect("renamed");
        };
        rename("sale_event", "away").await;
        let id = shop.start(connection).await;
        shop.work().await;
        rename("away", "sale_event").await;
        let chunk = shop.rows::<chunk::Entity>().await.remove(0);
        assert_eq!((chunk.state, chunk.tries, chunk.tried_by), (ChunkState::Failed, 0, None));
        assert_eq!(shop.sync_row(id).await.state, SyncState::Running, "its job waits for the next attempt");

        shop.advance(Duration::from_hours(1));
        shop.work().await;
        assert_succeeded(&shop.sync_row(id).await);
        assert_eq!(shop.net_minor(None).await, 1_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_with_an_unread_page_is_not_done() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let busy = Fault::Transient { after_ms: None, detail: "busy".to_owned() };
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]).page("orders", &[order("B", 1, 60)]);
        shop.runtime.clone().fetch_fault("orders", 1, busy);
        let connection = shop.connect().await;
        let id = start_sync(&shop.app, shop.tenant, shop.who(), connection, Trigger::Manual)
            .await
            .expect("a sync");
        shop.work().await;
        // As a worker leaves it that dies between noting the page's failure and the slice's.
        let failed = shop.app.db.write(shop.tenant, |tx| {
            Box::pin(async move {
                let all = tx.update_many::<chunk::Entity>();
                let failed = all.col_expr(chunk::Column::State, Expr::value(ChunkState::Failed.as_str()));
                Ok::<_, DbError>(failed.exec(tx).await?.rows_affected)
            })
        });
        assert_eq!(failed.await.expect("a failed page"), 1);
        shop.advance(Duration::from_hours(1));
        shop.work().await;
        assert_failed(&shop.sync_row(id).await, "left_unread");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stops_its_worker_stops_the_next_sync_once() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_page_that_fails(test, 1).await;
        let id = shop.start(connection).await;
        // As a worker leaves it that dies while it reads the page.
        let claimed = shop.app.queue.claim(Uuid::from_u128(7), 1).await.expect("a claim");
        assert_eq!(claimed.len(), 1);
        let noted = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move {
                let tried = tx.update_many::<chunk::Entity>();
                let tried = tried.col_expr(chunk::Column::TriedBy, Expr::value(id.0));
                Ok::<_, DbError>(tried.exec(tx).await?.rows_affected)
            })
        });
        assert_eq!(noted.await.expect("noted"), 1);
        shop.advance(Duration::from_minutes(2));
        assert_eq!(shop.app.queue.reap().await.expect("reaped"), 1);
        shop.advance(Duration::from_minutes(2));
        shop.work().await;
        assert_failed(&shop.sync_row(id).await, "left_unread");
        assert_eq!(shop.net_minor(None).await, 0, "it is not tried again by this sync");
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(shop.net_minor(None).await, 1_000);
        shop.assert_idle().await;
    })
    .await;
}
