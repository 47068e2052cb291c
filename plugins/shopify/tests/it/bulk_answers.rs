//! What a channel may say of a bulk operation and no sandbox does: answers written by hand.

use std::cell::RefCell;
use std::rc::Rc;

use portolan_plugin_shopify::Shopify;
use portolan_sdk::http::HttpError;
use portolan_sdk::testing::{Answer, Call, Host, request};
use portolan_sdk::{Continuation, Error, FetchRequest, Page, Result};
use serde_json::{Value, json};

use crate::support::{bulk_connection_to, history};

const FILE_URL: &str = "https://storage.googleapis.com/shopify/file.jsonl";
/// An order with three refunds.
const FILE: &str = "{\"id\":\"o1\",\"refundIds\":[{\"id\":\"r1\"},{\"id\":\"r2\"},{\"id\":\"r3\"}]}\n";

/// A shop in the middle of a bulk operation.
struct Shop {
    stream: &'static str,
    /// Records and bytes of the file that were handed on before.
    seen: u64,
    offset: u64,
    operation: Value,
    file: Answer,
    /// Refunds by their ids that one question may ask for.
    most_refunds: usize,
    gone: &'static str,
}

impl Shop {
    fn with_file(file: Answer) -> Self {
        let operation = json!({ "id": "b1", "status": "COMPLETED", "errorCode": null, "objectCount": "1",
            "rootObjectCount": "1", "url": FILE_URL });
        Self { stream: "orders", seen: 0, offset: 0, operation, file, most_refunds: 50, gone: "" }
    }

    fn answer(&self, call: &Call) -> Answer {
        if call.url == FILE_URL {
            return self.file.clone();
        }
        let asked: Value = serde_json::from_str(&call.text()).expect("a question");
        let text = asked["query"].as_str().unwrap_or_default();
        let data = match text.split_whitespace().nth(1).unwrap_or_default() {
            name if name.starts_with("Operation") => json!({ "operation": self.operation }),
            name if name.starts_with("Refunds") => {
                let ids = asked["variables"]["ids"].as_array().expect("ids");
                if ids.len() > self.most_refunds {
                    return too_dear();
                }
                json!({ "nodes": ids.iter().map(|id| self.refund(id)).collect::<Vec<_>>() })
            }
            name if name.starts_with("Page") => {
                let nodes = json!({ "nodes": [], "pageInfo": { "hasNextPage": false, "endCursor": null } });
                json!({ "orders": nodes, "count": { "count": 0, "precision": "EXACT" } })
            }
            _ => json!({ "count": { "count": 1, "precision": "EXACT" } }),
        };
        Answer::json(json!({ "data": data }).to_string())
    }

    fn refund(&self, id: &Value) -> Value {
        let none = json!({ "nodes": [], "pageInfo": { "hasNextPage": false, "endCursor": null } });
        if id == self.gone {
            Value::Null
        } else {
            json!({ "id": id, "refundLineItems": none, "refundShippingLines": none })
        }
    }

    /// The next page, and what was asked for it.
    fn page(self) -> (Result<Page>, Vec<Call>) {
        let token = json!({ "operation": "b1", "begun": 1, "polls": 3, "offset": self.offset, "seen": self.seen, "lines": self.seen,
            "counted": 1 });
        let slice = history(self.stream, Some(0), Some(1_000_000));
        let calls = Rc::new(RefCell::new(Vec::new()));
        let heard = calls.clone();
        let host = Host::new().upstream(move |call| {
            heard.borrow_mut().push(call.clone());
            self.answer(call)
        });
        let request = request(&bulk_connection_to("demo"), &slice, None);
        let page =
            host.fetch::<Shopify>(&FetchRequest { token: Some(token.to_string().into_bytes()), ..request });
        (page, calls.take())
    }
}

fn too_dear() -> Answer {
    let error = json!({ "message": "Query cost is 1850", "extensions": { "code": "MAX_COST_EXCEEDED" } });
    Answer::json(json!({ "errors": [error] }).to_string())
}

fn part(range: &str, body: &str) -> Answer {
    Answer::new(206, "application/jsonl", body).header("content-range", range)
}

fn whole(body: &str) -> Answer {
    part(&format!("bytes 0-{}/{}", body.len() - 1, body.len()), body)
}

/// It is asked for again: nothing of it has been handed on.
fn is_asked_again(page: &Result<Page>, why: &str) -> bool {
    matches!(page, Ok(Page { next: Continuation::Wait(wait), chunks, .. })
        if chunks.is_empty() && wait.why.contains("again") && wait.why.contains(why))
}

#[test]
fn a_range_that_is_not_the_one_asked_for_is_the_channels_fault() {
    for range in [
        "bytes 5-3/10",
        "bytes 0-0/0",
        "bytes 1-70/71",
        "bytes 0-70/5",
        "bytes 0-18446744073709551615/18446744073709551615",
        "bytes 0-70/*",
        "bytes */71",
        "lines 0-1/2",
        "",
    ] {
        let (page, _) = Shop::with_file(part(range, FILE)).page();
        assert!(matches!(page, Err(Error::UpstreamBug(_))), "{range}: {page:?}");
    }
    let (page, _) = Shop { seen: 1, offset: 5, ..Shop::with_file(part("bytes 5-3/10", FILE)) }.page();
    assert!(matches!(page, Err(Error::UpstreamBug(_))), "{page:?}");
    let (short, _) = Shop::with_file(part("bytes 0-18446744073709551613/18446744073709551615", FILE)).page();
    assert!(matches!(short, Err(Error::Transient(_))), "{short:?}");
}

#[test]
fn the_files_have_a_budget_of_their_own_and_no_credential() {
    let (page, calls) = Shop::with_file(whole(FILE)).page();
    assert_eq!(page.expect("a page").chunks.len(), 1);
    let file = calls.iter().find(|call| call.url == FILE_URL).expect("the file");
    assert_eq!((file.bucket.as_deref(), file.auth.as_deref()), (Some("files"), Some("")));
    let (refused, _) = Shop::with_file(Answer::status(429).header("retry-after", "7")).page();
    let Err(Error::RateLimited(retry)) = refused else { panic!("{refused:?}") };
    assert_eq!((retry.after_ms, retry.bucket.as_deref()), (Some(7_000), Some("files")));
    let manifest: Value = serde_json::from_str(include_str!("../../plugin.json")).expect("JSON");
    assert!(
        manifest["rate_buckets"].as_array().is_some_and(|all| all.iter().any(|one| one["id"] == "files"))
    );
}

#[test]
fn refunds_that_cost_too_much_together_are_asked_for_in_parts() {
    let (page, calls) = Shop { most_refunds: 1, ..Shop::with_file(whole(FILE)) }.page();
    assert_eq!(page.expect("a page").chunks.len(), 1);
    let asked = calls.iter().filter_map(|call| serde_json::from_str::<Value>(&call.text()).ok());
    let ids = asked.filter_map(|asked| Some(asked["variables"]["ids"].as_array()?.len()));
    assert_eq!(ids.collect::<Vec<_>>(), [3, 1, 1, 1]);
}

/// Whoever asks for it again in the same file never finds it.
#[test]
fn an_order_that_is_deleted_while_its_file_is_read_begins_anew() {
    let (page, _) = Shop { gone: "r2", ..Shop::with_file(whole(FILE)) }.page();
    assert!(is_asked_again(&page, "deleted"), "{page:?}");
    let (page, _) = Shop { gone: "r2", seen: 1, ..Shop::with_file(whole(FILE)) }.page();
    assert!(matches!(page, Err(Error::CursorExpired(_))), "{page:?}");
}

#[test]
fn an_operation_that_wrote_something_and_has_no_file_is_begun_anew() {
    let mut shop = Shop::with_file(whole(FILE));
    shop.operation["url"] = Value::Null;
    let (page, _) = shop.page();
    assert!(is_asked_again(&page, "no file"), "{page:?}");
}

#[test]
fn a_file_that_is_sent_whole_and_is_too_large_is_paged() {
    let (page, calls) = Shop::with_file(Answer::failure(HttpError::TooLarge(33_554_432))).page();
    assert!(matches!(&page, Ok(page) if page.next == Continuation::Done), "{page:?}");
    assert!(calls.iter().any(|call| call.text().contains("query Page")));
}

#[test]
fn what_only_one_stream_may_not_read_stops_no_other() {
    for (stream, stops) in [("orders", true), ("abandoned_checkouts", false)] {
        let mut shop = Shop { stream, ..Shop::with_file(whole(FILE)) };
        shop.operation["status"] = json!("FAILED");
        shop.operation["errorCode"] = json!("ACCESS_DENIED");
        match shop.page().0 {
            Err(Error::Auth(_)) => assert!(stops, "{stream}"),
            Err(Error::Unavailable(_)) => assert!(!stops, "{stream}"),
            other => panic!("{stream}: {other:?}"),
        }
    }
}
