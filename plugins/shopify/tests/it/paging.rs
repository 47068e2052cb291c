//! Pages that have to be asked for differently than the first time: answers written by hand.

use portolan_plugin_shopify::{ENDPOINT, Shopify};
use portolan_sdk::testing::{Answer, Host, request};
use portolan_sdk::{Continuation, Error, Page, Payload, Result};
use serde_json::{Value, json};

use crate::support::{connection_to, window};

fn fetch(stream: &str, answers: &[Value]) -> (Result<Page>, Vec<Value>) {
    let route = format!("POST {ENDPOINT}");
    let host = answers
        .iter()
        .fold(Host::new(), |host, answer| host.answer(&route, Answer::json(answer.to_string())));
    let slice = window(stream, Some(0), Some(1_767_225_600));
    let page = host.fetch::<Shopify>(&request(&connection_to("demo"), &slice, None));
    let asked = host.calls().iter().map(|call| serde_json::from_str(&call.text()).expect("JSON")).collect();
    (page, asked)
}

fn info(next: bool, cursor: &str) -> Value {
    json!({ "hasNextPage": next, "endCursor": cursor })
}

fn page(stream: &str, nodes: &Value, count: u64) -> Value {
    json!({ "data": {
        stream: { "nodes": nodes, "pageInfo": info(false, "z") },
        "count": { "count": count, "precision": "EXACT" },
    } })
}

fn recount(count: u64) -> Value {
    json!({ "data": { "count": { "count": count, "precision": "EXACT" } } })
}

fn body(page: &Page) -> Value {
    let Payload::Inline(body) = &page.chunks[0].payload else { panic!("inline") };
    serde_json::from_slice(body).expect("JSON")
}

#[test]
fn a_page_that_costs_too_much_is_halved() {
    let too_dear = json!({ "errors": [{ "message": "Query cost is 1201", "extensions": { "code": "MAX_COST_EXCEEDED" } }] });
    let (page, asked) = fetch("customers", &[too_dear.clone(), too_dear, page("customers", &json!([]), 0)]);
    assert!(page.is_ok());
    let first = asked.iter().map(|question| question["variables"]["first"].as_u64()).collect::<Vec<_>>();
    assert_eq!(first, [Some(250), Some(125), Some(62)]);
}

#[test]
fn the_window_is_asked_for_half_open() {
    let (_, asked) = fetch("customers", &[page("customers", &json!([]), 0)]);
    assert_eq!(
        asked[0]["variables"]["query"],
        "updated_at:>='1970-01-01T00:00:00Z' updated_at:<'2026-01-01T00:00:00Z'"
    );
}

#[test]
fn a_count_that_stands_against_what_was_seen_is_told() {
    let one = json!([{ "id": "gid://shopify/Customer/1" }]);
    let expected = |counts: [u64; 2]| {
        let (page, _) = fetch("customers", &[page("customers", &one, counts[0]), recount(counts[1])]);
        page.expect("a page").expected
    };
    assert_eq!(expected([1, 1]), Some(1));
    assert_eq!(expected([3, 3]), Some(3), "two are missing: the host has to fail the slice");
    assert_eq!(expected([3, 1]), Some(1), "two left the window while it was read");
    assert_eq!(expected([3, 2]), Some(2), "one left the window, another is missing");
}

#[test]
fn a_window_that_is_still_open_is_not_held_to_its_count() {
    let route = format!("POST {ENDPOINT}");
    let one = json!([{ "id": "gid://shopify/Customer/1" }]);
    let host = Host::new().answer(&route, Answer::json(page("customers", &one, 5).to_string()));
    let slice = window("customers", Some(0), None);
    let page = host.fetch::<Shopify>(&request(&connection_to("demo"), &slice, None)).expect("a page");
    assert_eq!((page.expected, host.calls().len()), (Some(1), 1));
}

#[test]
fn nested_parts_are_read_to_their_end() {
    let none = json!({ "nodes": [], "pageInfo": info(false, "") });
    let order = json!({
        "id": "gid://shopify/Order/1",
        "lineItems": { "nodes": [{ "id": "l1" }], "pageInfo": info(true, "l1") },
        "shippingLines": none,
        "refunds": [{
            "id": "gid://shopify/Refund/2",
            "refundLineItems": { "nodes": [{ "quantity": 1 }], "pageInfo": info(true, "r1") },
            "refundShippingLines": none,
        }],
        "agreements": {
            "nodes": [{ "id": "a1", "sales": { "nodes": [{ "id": "s1" }], "pageInfo": info(true, "s1") } }],
            "pageInfo": info(true, "a1"),
        },
    });
    let items = |nodes: Value, next: Value| json!({ "data": { "parent": { "items": { "nodes": nodes, "pageInfo": next } } } });
    let agreement = |id: &str, sale: &str, sales: Value| json!([{ "id": id, "sales": { "nodes": [{ "id": sale }], "pageInfo": sales } }]);
    let answers = [
        page("orders", &json!([order]), 1),
        items(json!([{ "id": "l2" }]), info(true, "l2")),
        items(json!([{ "id": "l3" }]), info(false, "l3")),
        items(json!([{ "quantity": 2 }]), info(false, "r2")),
        items(agreement("a1", "s1", info(true, "s1")), info(true, "a1")),
        items(agreement("a1", "s2", info(false, "s2")), info(true, "a1")),
        items(agreement("a2", "s3", info(false, "s3")), info(false, "a2")),
    ];
    let (page, asked) = fetch("orders", &answers);
    let order = body(&page.expect("a page"))["data"]["orders"]["nodes"][0].clone();
    assert_eq!(order["lineItems"]["nodes"], json!([{ "id": "l1" }, { "id": "l2" }, { "id": "l3" }]));
    assert_eq!(
        order["refunds"][0]["refundLineItems"]["nodes"],
        json!([{ "quantity": 1 }, { "quantity": 2 }])
    );
    let sales = order["agreements"]["nodes"].as_array().into_iter().flatten();
    let sales =
        sales.flat_map(|agreement| agreement["sales"]["nodes"].as_array().cloned().unwrap_or_default());
    assert_eq!(
        sales.collect::<Vec<_>>(),
        [json!({ "id": "s1" }), json!({ "id": "s2" }), json!({ "id": "s3" })]
    );
    assert_eq!(asked[3]["variables"], json!({ "id": "gid://shopify/Refund/2", "after": "r1" }));
    assert_eq!(asked[6]["variables"]["after"], "a1");
}

#[test]
fn rich_products_keep_every_variant() {
    let product = json!({ "id": "gid://shopify/Product/1", "variants": { "nodes": [{ "id": "v1" }], "pageInfo": info(true, "v1") } });
    let rest = json!({ "data": { "parent": { "items": { "nodes": [{ "id": "v2" }], "pageInfo": info(false, "v2") } } } });
    let (page, _) = fetch("products", &[page("products", &json!([product]), 1), rest]);
    let variants = body(&page.expect("a page"))["data"]["products"]["nodes"][0]["variants"]["nodes"].clone();
    assert_eq!(variants, json!([{ "id": "v1" }, { "id": "v2" }]));
}

#[test]
fn parts_that_lead_nowhere_fail_instead_of_reading_for_ever() {
    let product =
        json!({ "id": "gid://shopify/Product/1", "variants": { "nodes": [], "pageInfo": info(true, "v1") } });
    let same = json!({ "data": { "parent": { "items": { "nodes": [], "pageInfo": info(true, "v1") } } } });
    let (page, _) = fetch("products", &[page("products", &json!([product]), 1), same]);
    assert!(matches!(page, Err(Error::UpstreamBug(_))));
}

#[test]
fn a_page_without_an_error_continues_at_its_cursor() {
    let answer =
        json!({ "data": { "customers": { "nodes": [{ "id": "1" }], "pageInfo": info(true, "c1") } } });
    let (page, _) = fetch("customers", &[answer]);
    assert!(
        matches!(page.expect("a page").next, Continuation::More(token) if String::from_utf8_lossy(&token).contains("c1"))
    );
}
