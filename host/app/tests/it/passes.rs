//! What a complete pass no longer shows is gone; a pass that is not complete, or shows too little, takes nothing.

use portolan_app::syncs::vanish::confirm;
use portolan_commerce::document::Document;
use portolan_connector::{Fault, Manifest};
use portolan_core::ConnectionId;
use portolan_db::entity::document;
use portolan_db::entity::sync::SyncState;
use serde_json::{Value, json};

use crate::replays::read_again;
use crate::support::*;

/// Orders that are taken whole each time.
fn taken_whole() -> Manifest {
    let mut text = serde_json::to_value(manifest()).expect("json");
    text["streams"] = json!([{
        "name": "orders", "entity": "order", "mode": "snapshot", "framing": "json", "record_key": "/key"
    }]);
    text["files"] = json!([]);
    Manifest::parse(text.to_string().as_bytes()).expect("a manifest")
}

async fn a_shop(test: &TestDatabase) -> (TestApp, ConnectionId) {
    let shop = TestApp::new(test, "shop").await;
    shop.runtime.clone().plugin(taken_whole());
    let connection = shop.connect().await;
    (shop, connection)
}

fn orders(numbers: std::ops::Range<usize>) -> Vec<Document> {
    numbers.map(|number| order(&format!("order-{number}"), 1, 60)).collect()
}

/// The channel shows these orders from now on.
fn show(shop: &TestApp, documents: &[Document]) {
    shop.runtime.clear_pages("orders");
    shop.runtime.clone().page("orders", documents);
}

async fn gone(shop: &TestApp) -> Vec<String> {
    let heads = shop.rows::<document::Entity>().await;
    let mut gone: Vec<String> = heads.into_iter().filter(|head| head.deleted).map(|head| head.key).collect();
    gone.sort();
    gone
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_complete_pass_does_not_show_is_gone_until_it_is_shown_again() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_shop(test).await;
        show(&shop, &orders(0..5));
        assert_succeeded(&shop.sync(connection).await);
        show(&shop, &orders(1..5));
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(gone(&shop).await, ["order-0"]);
        assert_eq!(shop.net_minor(None).await, 4_000, "what is gone is taken back");
        // Reading the stored pages again does not bring it back.
        assert_eq!(read_again(&shop, connection).await.events_posted, 0);
        assert_eq!(gone(&shop).await, ["order-0"]);
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(shop.net_minor(None).await, 4_000, "and it goes only once");

        show(&shop, &orders(0..5));
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(gone(&shop).await, Vec::<String>::new());
        assert_eq!(shop.net_minor(None).await, 5_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_is_not_complete_takes_nothing() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_shop(test).await;
        show(&shop, &orders(0..5));
        assert_succeeded(&shop.sync(connection).await);
        // The second page of the pass fails.
        show(&shop, &orders(0..2));
        shop.runtime.clone().page("orders", &orders(2..5));
        shop.runtime.clone().fetch_fault("orders", 1, Fault::PluginBug { detail: "it broke".to_owned() });
        assert_eq!(shop.sync(connection).await.state, SyncState::Failed);
        assert_eq!(gone(&shop).await, Vec::<String>::new());
        // One record of the pass can't be understood: it may be any of those that are missing.
        show(&shop, &orders(0..4));
        shop.runtime.clone().records("orders", None, vec![json!({ "key": "order-4" })]);
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(gone(&shop).await, Vec::<String>::new());
        assert_eq!(shop.net_minor(None).await, 5_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_at_once_waits_for_a_person() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_shop(test).await;
        show(&shop, &orders(0..40));
        assert_succeeded(&shop.sync(connection).await);
        show(&shop, &orders(10..40));
        let sync = shop.sync(connection).await;
        assert_eq!((sync.state, sync.error_code.as_deref()), (SyncState::Succeeded, Some("deletes_held")));
        let told = sync.error_detail.expect("a sentence");
        assert!(told.starts_with("10 of 40 documents of orders are missing"), "{told}");
        assert_eq!(gone(&shop).await, Vec::<String>::new());
        let session = shop.session().await;
        let page = shop.get(&session, &format!("/connections/{connection}")).await.body;
        assert!(page.contains("They are gone"), "{page}");
        let path = format!("/api/v1/connections/{connection}/held-deletes");
        let held: Value = serde_json::from_str(&shop.get(&session, &path).await.body).expect("json");
        assert_eq!((&held[0]["vanished"], &held[0]["total"]), (&json!(10), &json!(40)));

        // The channel has recovered: nothing is left to decide.
        show(&shop, &orders(0..40));
        assert_succeeded(&shop.sync(connection).await);
        let nothing = confirm(&shop.app, shop.tenant, shop.who(), connection, "orders".to_owned()).await;
        assert_eq!(nothing.expect_err("decided by itself").code, "conflict");

        show(&shop, &orders(10..40));
        shop.sync(connection).await;
        let path = format!("/api/v1/connections/{connection}/streams/orders/confirm-deletes");
        let other = TestApp::new(test, "other").await;
        let theirs = other.session().await;
        assert_eq!(other.post_json(&theirs, &path, "").await.status, 404);
        let answer = shop.post_json(&session, &path, "").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, r#"{"documents":10}"#));
        assert_eq!(gone(&shop).await.len(), 10);
        assert_eq!(shop.net_minor(None).await, 30_000);

        // A few of many are believed unasked.
        show(&shop, &orders(13..40));
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(gone(&shop).await.len(), 13);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_change_are_told() {
    on_both(migrate, async |test| {
        let (shop, connection) = a_shop(test).await;
        show(&shop, &orders(0..30));
        assert_succeeded(&shop.sync(connection).await);
        shop.advance(portolan_core::Duration::from_days(1));
        let changed: Vec<Value> = orders(0..30)
            .iter()
            .map(|order| {
                let mut record = portolan_connector::fake::record_of(order);
                let fields = record.as_object_mut().expect("a record");
                fields.insert("loyalty".to_owned(), json!({ "tier": "gold" }));
                fields.remove("also");
                fields.insert("also".to_owned(), json!([]));
                fields.insert("number".to_owned(), json!(null));
                record
            })
            .collect();
        shop.runtime.clear_pages("orders");
        shop.runtime.clone().records("orders", None, changed);
        assert_succeeded(&shop.sync(connection).await);
        let session = shop.session().await;
        let answer = shop.get(&session, &format!("/api/v1/connections/{connection}/schema-drift")).await;
        let streams: Value = serde_json::from_str(&answer.body).expect("json");
        let drift = streams[0]["drift"].as_array().expect("drift");
        let told: Vec<String> = drift
            .iter()
            .map(|drift| {
                format!(
                    "{} {}",
                    drift["what"].as_str().unwrap_or_default(),
                    drift["path"].as_str().unwrap_or_default()
                )
            })
            .collect();
        assert_eq!(told, ["new loyalty", "new loyalty.tier", "changed number"]);
        assert!(!answer.body.contains("gold"), "no value is kept");
        let page = shop.get(&session, &format!("/connections/{connection}")).await.body;
        assert!(page.contains("Shape of what the channel sends") && page.contains("loyalty.tier"), "{page}");
        // A replay brings no new answer of the channel.
        read_again(&shop, connection).await;
        let again = shop.get(&session, &format!("/api/v1/connections/{connection}/schema-drift")).await;
        assert_eq!(again.body, answer.body);
        let other = TestApp::new(test, "other").await;
        let theirs = other.session().await;
        let path = format!("/api/v1/connections/{connection}/schema-drift");
        assert_eq!(other.get(&theirs, &path).await.status, 404);
    })
    .await;
}
