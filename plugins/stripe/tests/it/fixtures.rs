//! Published objects of both generations (2023 and 2026), recorded ones, and those inside webhooks: each goes the
//! whole way from a list's page to a document.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::{map, say, shared};

const STREAM_OF: [(&str, &str); 8] = [
    ("balance_transaction", "balance_transactions"),
    ("charge", "charges"),
    ("refund", "refunds"),
    ("dispute", "disputes"),
    ("payout", "payouts"),
    ("payment_intent", "payment_intents"),
    ("customer", "customers"),
    ("product", "products"),
];

/// Every object of a used kind in a folder, and the events' own.
fn published(folder: &Path) -> Vec<(String, Value)> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read = |file: &Path| {
        serde_json::from_str::<Value>(&std::fs::read_to_string(file).expect("a file")).expect("JSON")
    };
    let named = files
        .iter()
        .map(|file| (file.file_name().unwrap_or_default().to_string_lossy().into_owned(), read(file)));
    named
        .map(|(name, value)| match value.pointer("/data/object") {
            Some(object) if value["object"] == "event" => (name, object.clone()),
            _ => (name, value),
        })
        .filter(|(_, object)| STREAM_OF.iter().any(|(kind, _)| object["object"] == *kind))
        // Fragments without an id are no answers.
        .filter(|(_, object)| object["id"].is_string())
        .collect()
}

#[test]
fn every_published_object_maps() {
    let mut counted = BTreeMap::<String, u32>::new();
    for folder in ["stripe/fixtures", "stripe/objects", "stripe/webhook-events"] {
        let Some(folder) = shared(folder) else { return };
        for (file, object) in published(&folder) {
            let kind = object["object"].as_str().expect("a kind").to_owned();
            let stream = STREAM_OF.iter().find(|(name, _)| *name == kind).expect("a stream").1;
            let output = map(stream, std::slice::from_ref(&object));
            // Two recordings were written by a library, with amounts as texts in whole units: Stripe sends whole
            // numbers, and what is none is no amount.
            if object["amount"].is_string() {
                assert_eq!(output.skipped[0].path.as_deref(), Some("amount"), "{file}");
                say(&format!("{file}: an amount in another notation is put aside"));
                continue;
            }
            assert!(output.skipped.is_empty(), "{file}: {:?}", output.skipped);
            assert_eq!(output.emitted, 1, "{file}");
            *counted.entry(kind).or_default() += 1;
        }
    }
    say(&format!("published objects that map: {counted:?}"));
    assert_eq!(counted.len(), STREAM_OF.len(), "{counted:?}");
    assert!(counted.values().sum::<u32>() > 25);
}

#[test]
fn a_published_dispute_says_what_was_taken() {
    let Some(path) = shared("stripe/objects/dispute_dp_fakefakefakefake01.json") else { return };
    let dispute: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    let taken = map("balance_transactions", dispute["balance_transactions"].as_array().expect("entries"));
    let entry = &taken.balance_entries[0];
    assert_eq!((entry.category.as_str(), entry.provider_kind.as_str()), ("dispute", "dispute"));
    assert_eq!((entry.amount, entry.fee, entry.net), (-1_000, 1_500, -2_500));
    let mapped = &map("disputes", &[dispute]).disputes[0];
    assert_eq!(
        (mapped.phase.as_str(), mapped.state.as_str(), mapped.reason.as_str()),
        ("chargeback", "needs-response", "fraud")
    );
    assert_eq!(mapped.payment.as_deref(), Some("ch_fakefakefakefakefake0001"));
}
