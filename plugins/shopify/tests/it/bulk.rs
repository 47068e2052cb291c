//! History by bulk operations: the same documents as by pages, through everything that can happen to a file.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::LazyLock;

use portolan_sandbox_shopify::{BulkPlan, ExportOutcome, Fault, FaultKind, Options, Sandbox};
use portolan_sdk::testing::{Output, request};
use portolan_sdk::{Continuation, Error, FetchRequest, Page, Result};
use serde_json::Value;

use crate::support::{Synced, bulk_connection_to, connection_to, fetch, history, sync, sync_over, window};

const SHOPS: [&str; 3] = ["demo-kolkata", "demo-berlin", "demo-tokyo"];
const SHOP: &str = SHOPS[0];

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(Options::tiny()));

fn by_bulk(sandbox: &Sandbox, shop: &str, stream: &str) -> Result<Synced> {
    let until = Some(sandbox.world.until);
    sync_over(sandbox, shop, &bulk_connection_to(shop), &history(stream, Some(0), until))
}

fn after(outcome: ExportOutcome) -> (Sandbox, Result<Synced>) {
    let sandbox = Sandbox::new(Options::tiny());
    sandbox.inject(Fault::next(FaultKind::Export { outcome }));
    let synced = by_bulk(&sandbox, SHOP, "orders");
    (sandbox, synced)
}

/// Documents by key, without the place of their records.
fn by_key<T: Clone + Debug>(documents: &[T], key: impl Fn(&mut T) -> String) -> BTreeMap<String, String> {
    let told = |document: &T| {
        let mut document = document.clone();
        let key = key(&mut document);
        (key, format!("{document:?}"))
    };
    documents.iter().map(told).collect()
}

fn documents(output: &Output) -> [BTreeMap<String, String>; 5] {
    [
        by_key(&output.orders, |one| {
            one.src = 0;
            one.key.clone()
        }),
        by_key(&output.refunds, |one| {
            one.src = 0;
            one.key.clone()
        }),
        by_key(&output.transactions, |one| {
            one.src = 0;
            one.key.clone()
        }),
        by_key(&output.products, |one| {
            one.src = 0;
            one.key.clone()
        }),
        by_key(&output.customers, |one| {
            one.src = 0;
            one.key.clone()
        }),
    ]
}

/// What is staged, record by record. A cursor says only where a page ended.
fn records(synced: &Synced, stream: &str) -> BTreeMap<String, Value> {
    let mut records = BTreeMap::new();
    for chunk in &synced.chunks {
        let mut body: Value = serde_json::from_slice(&chunk.body).expect("JSON");
        for mut record in body["data"][stream]["nodes"].take().as_array_mut().expect("records").drain(..) {
            without_cursors(&mut record);
            records.insert(record["id"].to_string(), record);
        }
    }
    records
}

/// A page's last cursor is of no use once it is whole; what was read on behind its first page has none either.
fn without_cursors(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(cursor) = object.get_mut("endCursor") {
                *cursor = Value::Null;
            }
            object.values_mut().for_each(without_cursors);
        }
        Value::Array(items) => items.iter_mut().for_each(without_cursors),
        _ => {}
    }
}

fn assert_complete(synced: &Synced, what: &str) {
    let pages = sync(&SANDBOX, SHOP, &window("orders", None, None)).expect("pages");
    assert_eq!(documents(&synced.output), documents(&pages.output), "{what}");
}

#[test]
fn a_file_brings_the_very_documents_that_pages_bring() {
    for shop in SHOPS {
        for stream in ["orders", "products", "customers"] {
            let bulk = by_bulk(&SANDBOX, shop, stream).expect("a file");
            let pages = sync(&SANDBOX, shop, &window(stream, None, None)).expect("pages");
            assert!(bulk.waits > 0 && pages.waits == 0, "{shop} {stream}");
            assert!(bulk.output.skipped.is_empty() && pages.output.seen > 0);
            assert_eq!(bulk.expected, Some(pages.output.seen));
            assert_eq!(documents(&bulk.output), documents(&pages.output), "{shop} {stream}");
            assert_eq!(records(&bulk, stream), records(&pages, stream), "{shop} {stream}");
        }
    }
}

#[test]
fn only_history_that_pages_would_wait_for_goes_by_bulk() {
    let fetched =
        |shop: &str, stream: &str| sync(&SANDBOX, shop, &history(stream, None, None)).expect("a sync");
    assert!(fetched(SHOP, "orders").waits > 0, "240 orders are three pages of 750 points");
    assert_eq!(fetched("demo-berlin", "orders").waits, 0, "24 orders are one");
    assert_eq!(fetched(SHOP, "customers").waits, 0, "customers are cheap");
    assert_eq!(
        sync(&SANDBOX, SHOP, &window("orders", None, None)).expect("a sync").waits,
        0,
        "not what is new"
    );
}

#[test]
fn a_window_without_anything_has_no_file() {
    let empty = history("orders", Some(0), Some(1_000));
    let synced = sync_over(&SANDBOX, SHOP, &bulk_connection_to(SHOP), &empty).expect("nothing");
    assert_eq!((synced.output.seen, synced.pages, synced.waits), (0, 1, 0));
}

/// Steps through a slice, one call at a time, with the page after each.
fn steps(sandbox: &Sandbox, mut each: impl FnMut(&Page)) -> Vec<Vec<u8>> {
    let connection = bulk_connection_to(SHOP);
    let slice = history("orders", Some(0), Some(sandbox.world.until));
    let mut tokens = Vec::new();
    loop {
        let token = tokens.last().cloned();
        let page = fetch(sandbox, SHOP, &FetchRequest { token, ..request(&connection, &slice, None) });
        let page = page.page.expect("a page");
        each(&page);
        match page.next {
            Continuation::Wait(wait) => tokens.push(wait.token),
            Continuation::More(token) => tokens.push(token),
            _ => return tokens,
        }
    }
}

#[test]
fn it_waits_longer_each_time_says_why_and_keeps_no_address() {
    let bulk = BulkPlan { roots_per_poll: 50, ..BulkPlan::USUAL };
    let sandbox = Sandbox::new(Options { bulk, ..Options::tiny() });
    let (mut waits, mut whys) = (Vec::new(), Vec::new());
    let tokens = steps(&sandbox, |page| {
        if let Continuation::Wait(wait) = &page.next {
            waits.push(wait.ms);
            whys.push(wait.why.clone());
            assert!(page.chunks.is_empty() && page.expected == Some(240));
        }
    });
    assert_eq!(waits, [1_000, 1_000, 2_000, 4_000, 8_000, 15_000]);
    assert_eq!(whys[3], "Shopify writes the history of orders: 100 of 240");
    for token in tokens {
        let text = String::from_utf8(token).expect("text");
        assert!(text.contains("BulkOperation/") && !text.contains("http"), "{text}");
    }
}

#[test]
fn a_call_that_is_repeated_brings_the_same_and_begins_nothing_twice() {
    let sandbox = Sandbox::new(Options::tiny());
    let connection = bulk_connection_to(SHOP);
    let slice = history("orders", Some(0), Some(sandbox.world.until));
    let first = || fetch(&sandbox, SHOP, &request(&connection, &slice, None)).page.expect("a page").next;
    let operation = |next: &Continuation| match next {
        Continuation::Wait(wait) => {
            let token: serde_json::Value = serde_json::from_slice(&wait.token).expect("JSON");
            token["operation"].clone()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(operation(&first()), operation(&first()), "it is found again");
    let tokens = steps(&sandbox, |_| {});
    let last = |_: ()| {
        let token = tokens.last().cloned();
        fetch(&sandbox, SHOP, &FetchRequest { token, ..request(&connection, &slice, None) })
            .page
            .expect("a page")
    };
    assert_eq!(last(()), last(()));
}

#[test]
fn what_another_operation_takes_is_waited_for() {
    let (_, synced) = after(ExportOutcome::Busy);
    let synced = synced.expect("orders");
    assert!(synced.whys[0].contains("other bulk operations"), "{:?}", synced.whys);
    assert_complete(&synced, "busy");
}

#[test]
fn a_file_that_never_comes_to_be_is_asked_for_again_and_then_paged() {
    use ExportOutcome::{Canceled, CutShort, Expired, Failed, LinkExpired};
    for outcome in [Failed, Canceled, Expired, CutShort, LinkExpired] {
        let (_, synced) = after(outcome);
        let synced = synced.expect("orders");
        assert!(synced.whys.iter().any(|why| why.contains("again")), "{outcome:?}: {:?}", synced.whys);
        assert_complete(&synced, &format!("{outcome:?}"));
    }
    let sandbox = Sandbox::new(Options::tiny());
    sandbox.inject(Fault { kind: FaultKind::Export { outcome: Failed }, after: 0, count: 9 });
    let synced = by_bulk(&sandbox, SHOP, "orders").expect("orders");
    assert_eq!(synced.output.largest_batch, 100, "by pages, after three tries");
    assert_complete(&synced, "paged");
}

#[test]
fn what_takes_too_long_is_halved() {
    let (_, synced) = after(ExportOutcome::TimedOut);
    let synced = synced.expect("orders");
    assert_complete(&synced, "halved");
}

#[test]
fn what_may_not_be_read_asks_for_a_person() {
    let (_, synced) = after(ExportOutcome::AccessDenied);
    assert!(matches!(synced.map(|_| ()), Err(Error::Auth(_))));
}

#[test]
fn a_host_without_ranges_is_read_all_the_same() {
    let (_, synced) = after(ExportOutcome::WithoutRanges);
    assert_complete(&synced.expect("orders"), "without ranges");
}

#[test]
fn a_file_that_breaks_off_is_read_again() {
    for kind in [FaultKind::Truncated, FaultKind::ServerError { status: Some(503) }] {
        let sandbox = Sandbox::new(Options::tiny());
        let connection = bulk_connection_to(SHOP);
        let slice = history("orders", Some(0), Some(sandbox.world.until));
        let tokens = steps(&sandbox, |_| {});
        // The question about the operation passes, its file does not.
        sandbox.inject(Fault { kind, after: 1, count: 1 });
        let last = || {
            let token = tokens.last().cloned();
            fetch(&sandbox, SHOP, &FetchRequest { token, ..request(&connection, &slice, None) }).page
        };
        assert!(matches!(last(), Err(Error::Transient(_))));
        assert!(last().is_ok());
    }
}

/// Ranges of a file that is larger than one of them.
mod large {
    use portolan_sandbox_shopify::Size;

    use super::*;

    fn large() -> Sandbox {
        Sandbox::new(Options { size: Size::S, ..Options::tiny() })
    }

    #[test]
    fn a_large_file_is_read_in_ranges_and_an_address_that_expires_begins_anew() {
        let sandbox = large();
        let shop = "demo-tokyo";
        let synced = by_bulk(&sandbox, shop, "orders").expect("orders");
        let pages = sync(&sandbox, shop, &window("orders", None, None)).expect("pages");
        assert_eq!(documents(&synced.output), documents(&pages.output));
        let read = synced.pages - synced.waits;
        assert!(read > 3, "{read} ranges");
        assert!(synced.chunks.iter().all(|chunk| chunk.body.len() < 2 << 20), "chunks as large as pages");

        sandbox.inject(Fault {
            kind: FaultKind::Export { outcome: ExportOutcome::LinkExpired },
            after: 2,
            count: 1,
        });
        let cut = by_bulk(&sandbox, shop, "orders");
        assert!(matches!(cut.map(|_| ()), Err(Error::CursorExpired(_))), "the host restarts the slice");
    }
}

#[test]
fn the_count_of_the_channel_is_held_against_the_file() {
    let connection = connection_to(SHOP);
    let open = history("orders", Some(0), None);
    let synced = sync_over(&SANDBOX, SHOP, &connection, &open).expect("orders");
    assert_eq!(synced.expected, Some(synced.output.seen));
}
