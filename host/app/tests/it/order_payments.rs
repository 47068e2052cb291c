//! The money of an order: found by ids and numbers, never guessed, on its page, over the API and from the payout.

use portolan_app::ingest::batch::BatchAim;
use portolan_commerce::document::{Document, Payout, Transaction};
use portolan_core::{ConnectionId, Currency};
use portolan_db::entity::document;
use serde_json::{Value, json};

use crate::batches::post;
use crate::support::*;

fn euro() -> Currency {
    "EUR".parse().expect("a currency")
}

/// What a channel or a provider notes of a payment.
fn transaction(key: &str, order: Option<&str>, provider_reference: &str) -> Document {
    Document::Transaction(Transaction {
        src: 0,
        key: key.to_owned(),
        updated_at: minutes_before_start(60),
        order: order.map(str::to_owned),
        parent: None,
        kind: "sale".to_owned(),
        state: "succeeded".to_owned(),
        at: minutes_before_start(100),
        gateway: "cards".to_owned(),
        provider_reference: Some(provider_reference.to_owned()),
        currency: euro(),
        amount_minor: 1_000,
        test: false,
    })
}

fn entry(key: &str, payment: &str, category: &str, amounts: (i64, i64), reference: Option<&str>) -> Document {
    let mut document = balance_entry(key, Some(payment), category, amounts, 90);
    if let Document::BalanceEntry(entry) = &mut document {
        entry.reference = reference.map(str::to_owned);
    }
    document
}

fn payout(key: &str, amount_minor: i64) -> Document {
    Document::Payout(Payout {
        src: 0,
        key: key.to_owned(),
        updated_at: minutes_before_start(10),
        deleted: false,
        state: "paid".to_owned(),
        initiated_at: minutes_before_start(10),
        arrives_on: None,
        currency: euro(),
        amount_minor,
        bank_reference: None,
    })
}

async fn json_of(shop: &TestApp, session: &str, path: &str) -> Value {
    let answer = shop.get(session, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).expect("json")
}

async fn id_of(shop: &TestApp, connection: ConnectionId, entity: &str, key: &str) -> Uuid {
    let documents = shop.rows::<document::Entity>().await;
    let found = documents
        .iter()
        .find(|row| row.connection_id == connection.0 && row.entity == entity && row.key == key);
    found.unwrap_or_else(|| panic!("no {entity} {key}")).id
}

/// Payment, by what it was linked, and what its entries did: category, net, payout.
fn told(answer: &Value) -> Vec<Value> {
    let payments = answer["payments"].as_array().expect("payments");
    let payment = |payment: &Value| {
        let entries = payment["entries"].as_array().expect("entries");
        let entries: Vec<Value> = entries
            .iter()
            .map(|entry| json!([entry["category"], entry["net_minor"], entry["payout_key"]]))
            .collect();
        json!([payment["key"], payment["linked_by"], entries])
    };
    payments.iter().map(payment).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_shows_its_payments_and_a_payout_its_orders() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let (store, bank) = (shop.connect().await, shop.connect_as("Harbour payments").await);
        let aim = BatchAim::default();
        let sold = vec![
            order("A", 1, 60),
            order("B", 2, 60),
            order("C", 1, 60),
            // The channel knows the provider's id, or that of the attempt, which the provider itself explains.
            transaction("tx-A", Some("A"), "ch_A"),
            transaction("tx-B", Some("B"), "pi_B"),
        ];
        post(&shop, store, sold, aim).await;
        let moved = vec![
            entry("t-1", "ch_A", "sale", (1_000, 30), None),
            entry("t-2", "ch_A", "refund", (-400, 0), Some("B")),
            transaction("ch_B", Some("#B"), "pi_B"),
            entry("t-3", "ch_B", "sale", (2_000, 60), None),
            // Written by hand, in another case and without the sign.
            entry("t-4", "ch_C", "sale", (1_000, 30), Some("c")),
            entry("t-5", "ch_9", "sale", (700, 0), Some("9")),
            payout("po_1", 4_210),
        ];
        post(&shop, bank, moved, aim).await;
        let session = shop.session().await;
        let of = async |key: &str| {
            let id = id_of(&shop, store, "order", key).await;
            (id, json_of(&shop, &session, &format!("/api/v1/orders/{id}/payments")).await)
        };
        let (first, answer) = of("A").await;
        let entries = json!([["sale", 970, "po_1"], ["refund", -400, "po_1"]]);
        assert_eq!(
            told(&answer),
            [json!(["ch_A", "provider_id", entries])],
            "the id is stronger than the number"
        );
        assert_eq!(
            answer["totals"],
            json!([{ "currency": "EUR", "amount_minor": 600, "fee_minor": 30, "net_minor": 570 }])
        );
        let payout = id_of(&shop, bank, "payout", "po_1").await;
        assert_eq!(answer["payments"][0]["entries"][0]["payout_id"], payout.to_string());
        assert_eq!(told(&of("B").await.1), [json!(["ch_B", "provider_id", [["sale", 1_940, "po_1"]]])]);
        let (third, answer) = of("C").await;
        assert_eq!(told(&answer), [json!(["ch_C", "reference", [["sale", 970, "po_1"]]])]);
        assert_eq!(answer["ambiguous"], json!([]));

        let page = shop.get(&session, &format!("/orders/{first}")).await.body;
        for text in
            ["Payments", "provider refund", "ch_A", "by the provider&#39;s id", "Harbour payments", "5.70"]
        {
            assert!(page.contains(text), "{text} in {page}");
        }
        assert!(page.contains(&format!("href=\"/finance/payouts/{payout}\"")), "{page}");

        let entries = json_of(&shop, &session, &format!("/api/v1/payouts/{payout}/entries")).await;
        let orders: Vec<Value> = entries["data"]
            .as_array()
            .expect("entries")
            .iter()
            .map(|entry| json!([entry["key"], entry["order_id"], entry["linked_by"]]))
            .collect();
        assert!(orders.contains(&json!(["t-1", first, "provider_id"])), "{orders:?}");
        assert!(orders.contains(&json!(["t-2", first, "provider_id"])), "{orders:?}");
        assert!(orders.contains(&json!(["t-4", third, "reference"])), "{orders:?}");
        assert!(orders.contains(&json!(["t-5", null, null])), "no order of this number: {orders:?}");
        let page = shop.get(&session, &format!("/finance/payouts/{payout}")).await.body;
        assert!(page.contains(&format!("href=\"/orders/{first}\"")), "{page}");

        let theirs = other.session().await;
        for path in [format!("/api/v1/orders/{first}/payments"), format!("/orders/{first}")] {
            assert_eq!(other.get(&theirs, &path).await.status, 404, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_fits_two_orders_is_linked_to_none_and_both_say_so() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let (harbour, island) = (shop.connect().await, shop.connect_as("Island shop").await);
        let bank = shop.connect_as("Harbour payments").await;
        let aim = BatchAim::default();
        post(&shop, harbour, vec![order("A", 1, 60)], aim).await;
        post(&shop, island, vec![order("A", 3, 60)], aim).await;
        let moved = vec![entry("t-1", "ch_1", "sale", (1_000, 30), Some("A")), payout("po_1", 970)];
        post(&shop, bank, moved.clone(), aim).await;
        // Another tenant has the same numbers, and its own money.
        let (their_shop, their_bank) = (other.connect().await, other.connect_as("Bank").await);
        post(&other, their_shop, vec![order("A", 1, 60)], aim).await;
        post(&other, their_bank, moved, aim).await;

        let session = shop.session().await;
        let ids = [id_of(&shop, harbour, "order", "A").await, id_of(&shop, island, "order", "A").await];
        for (id, rest) in [(ids[0], ids[1]), (ids[1], ids[0])] {
            let answer = json_of(&shop, &session, &format!("/api/v1/orders/{id}/payments")).await;
            assert_eq!((answer["payments"].clone(), answer["totals"].clone()), (json!([]), json!([])));
            assert_eq!(answer["ambiguous"][0]["key"], "ch_1");
            let others = answer["ambiguous"][0]["other_orders"].as_array().expect("orders");
            assert_eq!((others.len(), others[0]["id"].clone()), (1, json!(rest)));
            let page = shop.get(&session, &format!("/orders/{id}")).await.body;
            assert!(page.contains("A payment fits several orders"), "{page}");
        }
        let payout = id_of(&shop, bank, "payout", "po_1").await;
        let entries = json_of(&shop, &session, &format!("/api/v1/payouts/{payout}/entries")).await;
        let mut fitting: Vec<String> = entries["data"][0]["fitting_order_ids"]
            .as_array()
            .expect("orders")
            .iter()
            .map(|id| id.as_str().expect("an id").to_owned())
            .collect();
        fitting.sort();
        let mut expected = ids.map(|id| id.to_string());
        expected.sort();
        assert_eq!((entries["data"][0]["order_id"].clone(), fitting), (Value::Null, expected.to_vec()));
        assert!(
            shop.get(&session, &format!("/finance/payouts/{payout}")).await.body.contains("fits 2 orders")
        );

        let theirs = other.session().await;
        let id = id_of(&other, their_shop, "order", "A").await;
        let answer = json_of(&other, &theirs, &format!("/api/v1/orders/{id}/payments")).await;
        assert_eq!(
            told(&answer),
            [json!(["ch_1", "reference", [["sale", 970, "po_1"]]])],
            "the only one of theirs"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_paid_for_says_so() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        post(&shop, connection, vec![order("A", 1, 60)], BatchAim::default()).await;
        let session = shop.session().await;
        let id = id_of(&shop, connection, "order", "A").await;
        let answer = json_of(&shop, &session, &format!("/api/v1/orders/{id}/payments")).await;
        assert_eq!((answer["payments"].clone(), answer["ambiguous"].clone()), (json!([]), json!([])));
        let page = shop.get(&session, &format!("/orders/{id}")).await.body;
        assert!(page.contains("No payment of a connected provider names this order"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_payment_is_linked_to_does_not_depend_on_the_payments_beside_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let (store, bank) = (shop.connect().await, shop.connect_as("Harbour payments").await);
        let aim = BatchAim::default();
        let sold = vec![order("Ab-1", 1, 60), transaction("tx-1", Some("Ab-1"), "ch_1")];
        post(&shop, store, sold, aim).await;
        // The second writes the number as nobody who looks for it would.
        let moved = vec![
            entry("t-1", "ch_1", "sale", (1_000, 30), None),
            entry("t-2", "ch_2", "sale", (500, 10), Some("aB-1")),
            payout("po_1", 1_460),
        ];
        post(&shop, bank, moved, aim).await;
        let session = shop.session().await;
        let order = id_of(&shop, store, "order", "Ab-1").await;
        let answer = json_of(&shop, &session, &format!("/api/v1/orders/{order}/payments")).await;
        assert_eq!(told(&answer), [json!(["ch_1", "provider_id", [["sale", 970, "po_1"]]])]);
        let payout = id_of(&shop, bank, "payout", "po_1").await;
        let entries = json_of(&shop, &session, &format!("/api/v1/payouts/{payout}/entries")).await;
        let orders: Vec<&Value> =
            entries["data"].as_array().expect("entries").iter().map(|entry| &entry["order_id"]).collect();
        assert_eq!(orders, [&json!(order), &Value::Null], "as the order's own page has it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_more_payments_than_are_looked_at_says_so() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let (store, bank) = (shop.connect().await, shop.connect_as("Harbour payments").await);
        post(&shop, store, vec![order("A", 1, 60), order("B", 1, 60)], BatchAim::default()).await;
        let parts = |order: &str, count: usize| {
            let entry = |part| {
                let (key, payment) = (format!("t-{order}-{part}"), format!("ch_{order}_{part}"));
                entry(&key, &payment, "sale", (10, 0), Some(order))
            };
            (0..count).map(entry).collect::<Vec<_>>()
        };
        post(&shop, bank, [parts("A", 101), parts("B", 100)].concat(), BatchAim::default()).await;
        let session = shop.session().await;
        for (key, more_exist) in [("A", true), ("B", false)] {
            let id = id_of(&shop, store, "order", key).await;
            let answer = json_of(&shop, &session, &format!("/api/v1/orders/{id}/payments")).await;
            assert_eq!((told(&answer).len(), &answer["more_exist"]), (100, &json!(more_exist)), "{key}");
            let page = shop.get(&session, &format!("/orders/{id}")).await.body;
            assert_eq!(page.contains("More payments name this order"), more_exist, "{key}");
        }
    })
    .await;
}
