//! Normalize reaches nothing, depends on nothing but its input, and accounts for every raw record.

use portolan_commerce::document::Document;
use portolan_connector::Fault;

use crate::support::{NOW, Sandbox, behaving};

async fn bug(sandbox: &Sandbox, behaviour: &str) -> String {
    match sandbox.normalize(behaviour, "a\nb\nc").await {
        Err(Fault::PluginBug { detail }) => detail,
        other => panic!("{behaviour}: expected the plugin's bug, got {other:?}"),
    }
}

#[tokio::test]
async fn normalize_has_no_network() {
    let sandbox = Sandbox::new().await;
    let detail = bug(&sandbox, "http").await;
    assert!(detail.contains("portolan:plugin/http") && detail.contains("pure"), "{detail}");
}

#[tokio::test]
async fn fetch_has_no_sink() {
    let sandbox = Sandbox::new().await;
    let answer = sandbox.fetch(behaving("sink", "")).await;
    assert!(matches!(&answer, Err(Fault::PluginBug { detail }) if detail.contains("sink")), "{answer:?}");
}

#[tokio::test]
async fn clock_and_random_numbers_are_the_same_at_every_call() {
    let sandbox = Sandbox::new().await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let normalized = sandbox.normalize("clock", "x").await.expect("documents");
        let Document::Store(store) = &normalized.documents[0] else { panic!("a store") };
        told.push(store.name.clone());
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[1], told[2]);
    assert!(told[0].starts_with(&NOW.0.to_string()), "{}", told[0]);

    let first = sandbox.check(behaving("clock", "")).await.expect("a report");
    let second = sandbox.check(behaving("clock", "")).await.expect("a report");
    assert_eq!(first.notes, second.notes);
    assert!(first.notes[0].starts_with(&format!("{} 0 ", NOW.0)), "{:?}", first.notes);
}

#[tokio::test]
async fn every_raw_record_is_emitted_or_skipped() {
    let sandbox = Sandbox::new().await;
    let normalized = sandbox.normalize("", "one\n\nthree").await.expect("documents");
    assert_eq!((normalized.seen, normalized.emitted, normalized.skipped.len()), (3, 2, 1));
    assert_eq!(normalized.skipped[0].src, 1);
    let keys: Vec<&str> = normalized
        .documents
        .iter()
        .map(|document| match document {
            Document::Order(order) => order.key.as_str(),
            _ => panic!("orders alone"),
        })
        .collect();
    assert_eq!(keys, ["one", "three"]);
}

#[tokio::test]
async fn counts_that_do_not_agree_are_the_plugins_bug() {
    let sandbox = Sandbox::new().await;
    assert!(bug(&sandbox, "wrong-sum").await.contains("saw 3 raw records but emitted 1 and skipped 1"));
    assert!(bug(&sandbox, "swallow").await.contains("emitted 3 raw records, but the documents name 0"));
    assert!(bug(&sandbox, "silent-skip").await.contains("skipped 1 raw records, but it gave reasons for 0"));
    assert!(bug(&sandbox, "beyond").await.contains("names raw record 5, but it saw 1"));
}

#[tokio::test]
async fn values_that_no_table_can_hold_are_the_plugins_bug() {
    let sandbox = Sandbox::new().await;
    assert!(bug(&sandbox, "bad-currency").await.contains("\"euro\" is not a currency code"));
    assert!(bug(&sandbox, "bad-moment").await.contains("placed-at is not between the years"));
    assert!(bug(&sandbox, "empty-key").await.contains("key is empty"));
}
