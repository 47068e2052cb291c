//! Stored pages are read again: nothing is added where nothing changed, and what changed is put right.

use std::sync::{Arc, Mutex};

use portolan_access::audit::Who;
use portolan_app::replays::ops::{ReplayScope, cancel_replay, start_replay};
use portolan_commerce::document::Document;
use portolan_connector::{Normalized, PluginRef};
use portolan_core::ConnectionId;
use portolan_db::entity::replay::{self, ReplayState};
use portolan_db::entity::{chunk, document, document_version, quarantine, sale_event, sync, version_source};
use serde_json::{Value, json};

use crate::support::*;

/// Reads everything that is stored again and waits for the end.
pub async fn read_again(shop: &TestApp, connection: ConnectionId) -> replay::Model {
    read_scope_again(shop, connection, ReplayScope::default()).await
}

async fn read_scope_again(shop: &TestApp, connection: ConnectionId, scope: ReplayScope) -> replay::Model {
    let id = start_replay(&shop.app, shop.tenant, shop.who(), connection, scope).await.expect("a replay");
    shop.work().await;
    shop.assert_idle().await;
    let rows = shop.rows::<replay::Entity>().await;
    rows.into_iter().find(|row| row.id == id).expect("the replay")
}

/// Has the plugin say something else of every order from now on.
pub fn on_orders(
    shop: &TestApp,
    change: impl Fn(&mut portolan_commerce::document::Order) + Send + Sync + 'static,
) {
    shop.runtime.clone().on_normalize(move |_: &PluginRef, normalized: &mut Normalized| {
        for document in &mut normalized.documents {
            if let Document::Order(order) = document {
                change(order);
            }
        }
    });
}

/// Everything that a replay must leave alone where nothing changed.
async fn everything(shop: &TestApp) -> String {
    let mut events = shop.rows::<sale_event::Entity>().await;
    let mut versions = shop.rows::<document_version::Entity>().await;
    let mut heads = shop.rows::<document::Entity>().await;
    let mut rejected = shop.rows::<quarantine::Entity>().await;
    let syncs = shop.rows::<sync::Entity>().await;
    events.sort_by_key(|row| row.id);
    versions.sort_by_key(|row| row.id);
    heads.sort_by_key(|row| row.id);
    rejected.sort_by_key(|row| row.id);
    format!("{events:?}{versions:?}{heads:?}{rejected:?}{syncs:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_again_without_a_change_adds_nothing() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().page("orders", &[order("A", 2, 60), order("B", 3, 60), refund("R", "A", 1, 30)]);
        shop.runtime.clone().records("orders", None, vec![json!({ "entity": "unknown" })]);
        assert_succeeded(&shop.sync(connection).await);
        // The same orders once more, as overlapping windows bring them.
        assert_succeeded(&shop.sync(connection).await);
        let before = everything(&shop).await;
        let replay = read_again(&shop, connection).await;
        assert_eq!((replay.state, &replay.error_detail), (ReplayState::Succeeded, &None));
        assert_eq!((replay.chunks_done, replay.chunks_total), (4, 4));
        assert_eq!((replay.seen, replay.skipped), (8, 2));
        assert_eq!((replay.events_posted, replay.superseded, replay.released), (0, 0, 0));
        assert_eq!(everything(&shop).await, before, "not a row has changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_plugin_reads_differently_is_put_right_and_back_again() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().page("orders", &[order("A", 2, 60), refund("R", "A", 1, 30)]);
        shop.runtime.clone().page("orders", &[order("B", 3, 60)]);
        assert_succeeded(&shop.sync(connection).await);
        let at_first = shop.standing().await;
        assert_eq!(shop.net_minor(None).await, 4_000);

        on_orders(&shop, |order| {
            order.gross_minor *= 2;
            order.total_minor *= 2;
            order.lines[0].gross_minor *= 2;
        });
        let replay = read_again(&shop, connection).await;
        assert_eq!(replay.superseded, 2, "both orders say something else now");
        assert_eq!(shop.net_minor(Some("B")).await, 6_000);
        // Read that way from the start, the ledger stands the same.
        let other = TestApp::new(test, "other").await;
        let there = other.connect().await;
        on_orders(&other, |order| {
            order.gross_minor *= 2;
            order.total_minor *= 2;
            order.lines[0].gross_minor *= 2;
        });
        other.runtime.clone().page("orders", &[order("A", 2, 60), refund("R", "A", 1, 30)]);
        other.runtime.clone().page("orders", &[order("B", 3, 60)]);
        assert_succeeded(&other.sync(there).await);
        assert_eq!(shop.standing().await, other.standing().await);
        let amounts = async |shop: &TestApp| {
            let mut heads: Vec<_> = shop
                .rows::<document::Entity>()
                .await
                .into_iter()
                .map(|head| (head.key, head.amount_minor))
                .collect();
            heads.sort();
            heads
        };
        assert_eq!(amounts(&shop).await, amounts(&other).await, "lists show what counts");

        on_orders(&shop, |_| {});
        let back = read_again(&shop, connection).await;
        assert_eq!(back.superseded, 2);
        assert_eq!(shop.standing().await, at_first);
        let heads = shop.rows::<document::Entity>().await;
        let versions = shop.rows::<document_version::Entity>().await;
        for head in &heads {
            let version = versions.iter().find(|version| version.id == head.version_id).expect("its version");
            assert!(version.source_chunk_id.is_some(), "{} names a version that counts", head.key);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_no_longer_read_stands_for_nothing() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().page("orders", &[order("A", 2, 60), order("B", 1, 60)]);
        assert_succeeded(&shop.sync(connection).await);
        shop.runtime.clone().on_normalize(|_, normalized| {
            normalized
                .documents
                .retain(|document| !matches!(document, Document::Order(order) if order.key == "A"));
            normalized.emitted = 1;
            normalized.skipped.push(portolan_commerce::document::Skipped {
                src: 0,
                path: Some("/key".to_owned()),
                reason: "no order of ours".to_owned(),
            });
        });
        let replay = read_again(&shop, connection).await;
        assert_eq!((replay.superseded, replay.skipped), (1, 1));
        assert_eq!((shop.net_minor(Some("A")).await, shop.net_minor(Some("B")).await), (0, 1_000));
        let heads: Vec<String> =
            shop.rows::<document::Entity>().await.into_iter().map(|head| head.key).collect();
        assert_eq!(heads, ["B"], "nothing says A any more");
        assert_eq!(shop.rows::<quarantine::Entity>().await.len(), 1);
        // What was reported stays in the ledger, taken back.
        assert_eq!(shop.rows::<sale_event::Entity>().await.len(), 3);

        shop.runtime.clone().on_normalize(|_, _| {});
        let replay = read_again(&shop, connection).await;
        assert_eq!(replay.released, 1, "the record has left the quarantine");
        assert_eq!(shop.rows::<quarantine::Entity>().await.len(), 0);
        assert_eq!(shop.net_minor(None).await, 3_000);
        assert_eq!(shop.rows::<document::Entity>().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_pages_say_counts_until_neither_says_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().page("orders", &[order("A", 2, 60)]);
        assert_succeeded(&shop.sync(connection).await);
        assert_succeeded(&shop.sync(connection).await);
        let mut chunks: Vec<Uuid> =
            shop.rows::<chunk::Entity>().await.into_iter().map(|chunk| chunk.id).collect();
        chunks.sort();
        assert_eq!(chunks.len(), 2);
        assert_eq!(shop.rows::<version_source::Entity>().await.len(), 1);
        let only = |chunk| ReplayScope { chunk: Some(chunk), ..ReplayScope::default() };

        on_orders(&shop, |order| order.country = Some("ES".to_owned()));
        // Whichever page is read first, the other one still says it.
        let first = read_scope_again(&shop, connection, only(chunks[0])).await;
        assert_eq!((first.superseded, first.chunks_total), (0, 1));
        let second = read_scope_again(&shop, connection, only(chunks[1])).await;
        assert_eq!(second.superseded, 1);
        let countries = |events: Vec<sale_event::Model>| {
            let mut standing: Vec<(Option<String>, i64)> =
                events.into_iter().map(|event| (event.country, event.gross_minor)).collect();
            standing.sort();
            standing
        };
        let told = countries(shop.rows::<sale_event::Entity>().await);
        let sum = |country: &str| -> i64 {
            told.iter().filter(|(told, _)| told.as_deref() == Some(country)).map(|(_, gross)| gross).sum()
        };
        assert_eq!((sum("PT"), sum("ES")), (0, 2_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_can_not_be_read_again_stays_as_it_was() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().page("orders", &[order("A", 2, 60)]).page("orders", &[order("B", 1, 60)]);
        assert_succeeded(&shop.sync(connection).await);
        let before = everything(&shop).await;
        let fault = portolan_connector::Fault::PluginBug { detail: "it fell over".to_owned() };
        shop.runtime.clone().normalize_fault(fault);
        let replay = read_again(&shop, connection).await;
        assert_eq!((replay.state, replay.chunks_failed, replay.chunks_done), (ReplayState::Failed, 1, 2));
        let told = replay.error_detail.expect("a reason");
        assert!(told.starts_with("A stored page could not be read again and stays as it was: "), "{told}");
        assert_eq!(everything(&shop).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_again_alone_newest_first_and_a_cancelled_one_not_at_all() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().page("stores", &[store("north")]).page("orders", &[order("A", 2, 60)]);
        assert_succeeded(&shop.sync(connection).await);
        let stream = ReplayScope { stream: Some("orders".to_owned()), chunk: None };
        let replay = read_scope_again(&shop, connection, stream).await;
        assert_eq!((replay.chunks_total, replay.chunks_done, replay.seen), (1, 1, 1));

        // What is newest is right first.
        shop.runtime.clone().clear_pages("orders");
        shop.runtime.clone().page("orders", &[order("B", 1, 50)]);
        assert_succeeded(&shop.sync(connection).await);
        let read = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&read);
        shop.runtime.clone().on_normalize(move |_, normalized| {
            let keys = normalized.documents.iter().filter_map(|document| match document {
                Document::Order(order) => Some(order.key.clone()),
                _ => None,
            });
            seen.lock().expect("a list").extend(keys);
        });
        read_again(&shop, connection).await;
        assert_eq!(*read.lock().expect("a list"), ["B", "A"]);

        let wrong = ReplayScope { stream: Some("teapots".to_owned()), chunk: None };
        let refused = start_replay(&shop.app, shop.tenant, Who::operator(), connection, wrong).await;
        assert_eq!(refused.expect_err("no such stream").code, "invalid_input");

        let scope = ReplayScope::default();
        let id = start_replay(&shop.app, shop.tenant, Who::operator(), connection, scope.clone())
            .await
            .expect("a replay");
        let second = start_replay(&shop.app, shop.tenant, Who::operator(), connection, scope).await;
        assert_eq!(second.expect_err("one at a time").code, "conflict");
        cancel_replay(&shop.app, shop.tenant, shop.who(), connection, id).await.expect("cancelled");
        shop.work().await;
        let rows = shop.rows::<replay::Entity>().await;
        let row = rows.into_iter().find(|row| row.id == id).expect("the replay");
        assert_eq!((row.state, row.chunks_done), (ReplayState::Cancelled, 0));
        let again = cancel_replay(&shop.app, shop.tenant, shop.who(), connection, id).await;
        assert_eq!(again.expect_err("it has ended").code, "conflict");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_starts_lists_and_cancels_and_knows_no_other_tenant() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let connection = shop.connect().await;
        shop.runtime.clone().page("orders", &[order("A", 2, 60)]);
        assert_succeeded(&shop.sync(connection).await);
        let path = format!("/api/v1/connections/{connection}/replays");
        let (mine, theirs) = (shop.session().await, other.session().await);
        assert_eq!(other.post_json(&theirs, &path, "{}").await.status, 404);
        assert_eq!(other.get(&theirs, &path).await.status, 404);

        let started = shop.post_json(&mine, &path, r#"{"stream":"orders"}"#).await;
        assert_eq!(started.status, 202, "{}", started.body);
        let started: Value = serde_json::from_str(&started.body).expect("json");
        let id = started["id"].as_str().expect("an id");
        assert_eq!(other.get(&theirs, &format!("{path}/{id}")).await.status, 404);
        assert_eq!(other.post_json(&theirs, &format!("{path}/{id}/cancel"), "").await.status, 404);
        shop.work().await;
        let list: Value = serde_json::from_str(&shop.get(&mine, &path).await.body).expect("json");
        assert_eq!((&list[0]["id"], &list[0]["state"]), (&started["id"], &json!("succeeded")));
        assert_eq!(shop.post_json(&mine, &format!("{path}/{id}/cancel"), "").await.status, 409);
        let page = shop.get(&mine, &format!("/connections/{connection}")).await.body;
        assert!(page.contains("Read stored data again") && page.contains("nothing changed"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_leads_to_its_record_and_the_build_that_read_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().page("orders", &[order("B", 1, 60), order("A", 2, 60)]);
        assert_succeeded(&shop.sync(connection).await);
        shop.runtime.clone().page("orders", &[order("B", 1, 60), refund("R", "A", 1, 30)]);
        assert_succeeded(&shop.sync(connection).await);
        let heads = shop.rows::<document::Entity>().await;
        let head = heads.iter().find(|head| head.key == "A").expect("A");
        let session = shop.session().await;
        let answer = shop.get(&session, &format!("/api/v1/orders/{}/lineage", head.id)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let lineage: Value = serde_json::from_str(&answer.body).expect("json");
        let postings = lineage["postings"].as_array().expect("postings");
        assert_eq!(postings.len(), 2, "the sale, and later the return");
        let events: usize =
            postings.iter().map(|posting| posting["event_ids"].as_array().map_or(0, Vec::len)).sum();
        let of_a = shop.rows::<sale_event::Entity>().await.into_iter().filter(|event| event.order_key == "A");
        assert_eq!(events, of_a.count());
        let versions = lineage["versions"].as_array().expect("versions");
        let named = |posting: &Value| -> Vec<(String, i64)> {
            let ids = posting["version_ids"].as_array().expect("versions");
            let named =
                ids.iter().map(|id| versions.iter().find(|version| version["id"] == *id).expect("a version"));
            named
                .map(|version| {
                    (
                        version["key"].as_str().unwrap_or_default().to_owned(),
                        version["record_index"].as_i64().unwrap_or(-1),
                    )
                })
                .collect()
        };
        assert_eq!(named(&postings[0]), [("A".to_owned(), 1)]);
        assert!(named(&postings[1]).contains(&("R".to_owned(), 1)));
        let chunks = shop.rows::<chunk::Entity>().await;
        for posting in postings {
            let id = posting["chunk_id"].as_str().expect("a chunk");
            let chunk = chunks.iter().find(|chunk| chunk.id.to_string() == id).expect("it is stored");
            assert_eq!(posting["chunk_sha256"], json!(chunk.sha256));
        }
        let page = shop.get(&session, &format!("/orders/{}", head.id)).await.body;
        assert!(page.contains("Where this comes from") && page.contains("order A, record 2"), "{page}");
        let other = TestApp::new(test, "other").await;
        let theirs = other.session().await;
        assert_eq!(other.get(&theirs, &format!("/api/v1/orders/{}/lineage", head.id)).await.status, 404);
    })
    .await;
}
