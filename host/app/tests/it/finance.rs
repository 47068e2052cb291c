//! Payouts beside the entries that they pay out: on pages and over the API.

use portolan_app::ingest::batch::BatchAim;
use portolan_commerce::document::{Document, Payout};
use portolan_core::Currency;
use serde_json::{Value, json};

use crate::batches::post;
use crate::support::*;

pub fn payout(key: &str, amount_minor: i64, minutes_ago: i64) -> Document {
    Document::Payout(Payout {
        src: 0,
        key: key.to_owned(),
        updated_at: minutes_before_start(minutes_ago),
        deleted: false,
        state: "paid".to_owned(),
        initiated_at: minutes_before_start(minutes_ago),
        arrives_on: None,
        currency: "EUR".parse::<Currency>().expect("a currency"),
        amount_minor,
        bank_reference: None,
    })
}

/// An entry of a payout.
pub fn entry(key: &str, payout: &str, category: &str, amounts: (i64, i64)) -> Document {
    let mut document = balance_entry(key, Some("ch_1"), category, amounts, 90);
    if let Document::BalanceEntry(entry) = &mut document {
        entry.payout = Some(payout.to_owned());
    }
    document
}

/// Money of a payout that the bank refused, in the balance of another.
fn sent_back(key: &str, payout: &str, refused: &str, amount_minor: i64) -> Document {
    let mut document = entry(key, payout, "payout_reversal", (amount_minor, 0));
    if let Document::BalanceEntry(entry) = &mut document {
        (entry.payment, entry.source) = (None, Some(refused.to_owned()));
    }
    document
}

async fn json_of(shop: &TestApp, session: &str, path: &str) -> Value {
    let answer = shop.get(session, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_stands_beside_what_its_entries_add_up_to() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let connection = shop.connect().await;
        let mut foreign = entry("t-9", "po_foreign", "sale", (500, 0));
        if let Document::BalanceEntry(entry) = &mut foreign {
            entry.currency = "USD".parse().expect("a currency");
        }
        let told = vec![
            payout("po_good", 570, 10),
            entry("t-1", "po_good", "sale", (1_000, 30)),
            entry("t-2", "po_good", "refund", (-400, 0)),
            entry("t-3", "po_good", "payout", (-570, 0)),
            payout("po_short", 1_000, 20),
            entry("t-4", "po_short", "sale", (990, 0)),
            // What the bank sent back of an earlier payout is paid out again with the next.
            payout("po_next", 900, 25),
            entry("t-5", "po_next", "sale", (200, 0)),
            sent_back("t-6", "po_next", "po_failed", 700),
            sent_back("t-7", "po_next", "po_next", 50),
            payout("po_new", 300, 30),
            payout("po_foreign", 500, 40),
            foreign,
        ];
        post(&shop, connection, told, BatchAim::default()).await;
        // A correction takes the first entry back and replaces it: the sum is of what stands.
        let corrected = entry("t-1", "po_good", "sale", (1_000, 30));
        post(&shop, connection, vec![corrected], BatchAim::default()).await;

        let session = shop.session().await;
        let listed = json_of(&shop, &session, "/api/v1/payouts").await;
        let told: Vec<Value> = listed["data"]
            .as_array()
            .expect("payouts")
            .iter()
            .map(|payout| {
                json!([payout["key"], payout["entry_count"], payout["difference_minor"], payout["explained"]])
            })
            .collect();
        assert_eq!(
            told,
            [
                json!(["po_good", 2, 0, true]),
                json!(["po_short", 1, 10, false]),
                json!(["po_next", 2, 0, true]),
                json!(["po_new", 0, 300, false]),
                json!(["po_foreign", 0, 500, false]),
            ]
        );
        let id = listed["data"][0]["id"].as_str().expect("an id").to_owned();
        let entries = json_of(&shop, &session, &format!("/api/v1/payouts/{id}/entries")).await;
        let nets: Vec<i64> = entries["data"]
            .as_array()
            .expect("entries")
            .iter()
            .filter_map(|entry| entry["net_minor"].as_i64())
            .collect();
        assert_eq!(nets.iter().sum::<i64>(), 0, "entries less the payout itself: {nets:?}");

        let page = shop.get(&session, "/finance").await;
        for text in [
            "adds up",
            "0.10\u{202f}EUR unexplained",
            "no entries yet",
            "unlike currencies",
            "2 of the payouts below",
        ] {
            assert!(page.body.contains(text), "{text} in {}", page.body);
        }
        let page = shop.get(&session, &format!("/finance/payouts/{id}")).await;
        for text in ["From gross to payout", "10.00", "−0.30", "5.70", "provider refund"] {
            assert!(page.body.contains(text), "{text}");
        }
        assert!(!page.body.contains("do not add up"));
        let short = listed["data"][1]["id"].as_str().expect("an id");
        assert!(
            shop.get(&session, &format!("/finance/payouts/{short}")).await.body.contains("do not add up")
        );

        let theirs = other.session().await;
        for path in [
            format!("/api/v1/payouts/{id}"),
            format!("/api/v1/payouts/{id}/entries"),
            format!("/finance/payouts/{id}"),
        ] {
            assert_eq!(other.get(&theirs, &path).await.status, 404, "{path}");
        }
        assert_eq!(json_of(&other, &theirs, "/api/v1/payouts").await["data"], json!([]));
        assert!(other.get(&theirs, "/finance").await.body.contains("Connect a provider"));
    })
    .await;
}
