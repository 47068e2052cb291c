//! Paging, counts, tokens.

use std::collections::BTreeSet;

use portolan_sandbox_shopify::{Options, Sandbox, World, instant_text, parse_instant};
use serde_json::json;

use crate::{ask, data, everything, value};

const SHOP: &str = "demo-kolkata";

#[test]
fn paging_serves_every_order_exactly_once() {
    let sandbox = Sandbox::new(Options::tiny());
    for first in [7, 100, 250] {
        let nodes = everything(&sandbox, SHOP, "orders", "id updatedAt", first);
        let ids = nodes.iter().map(|node| node["id"].to_string()).collect::<BTreeSet<_>>();
        assert_eq!(nodes.len(), sandbox.world.shops[0].order_count());
        assert_eq!(ids.len(), nodes.len());
        assert!(nodes.is_sorted_by_key(|node| node["updatedAt"].as_str().map(str::to_owned)));
    }
}

#[test]
fn remembered_answers_are_the_same_answers() {
    let sandbox = Sandbox::new(Options { remember_bytes: 300_000, ..Options::tiny() });
    let fields = "id name lineItems(first: 2) { nodes { title } pageInfo { hasNextPage endCursor } }";
    let first = everything(&sandbox, SHOP, "orders", fields, 100);
    assert_eq!(first, everything(&sandbox, SHOP, "orders", fields, 100));
    assert_eq!(first, everything(&Sandbox::new(Options::tiny()), SHOP, "orders", fields, 70));
    let ids = everything(&sandbox, SHOP, "orders", "id", 100);
    assert!(ids.iter().all(|node| node.as_object().is_some_and(|node| node.len() == 1)));
}

#[test]
fn windows_of_updates_share_nothing_and_miss_nothing() {
    let sandbox = Sandbox::new(Options::tiny());
    let until = sandbox.world.until;
    let mut total = 0;
    for step in 0..25 {
        let bounds = [until - 86_400 * 32 * (step + 1), until - 86_400 * 32 * step].map(instant_text);
        let search = format!("updated_at:>='{}' updated_at:<'{}'", bounds[0], bounds[1]);
        let query = "query($query: String) { ordersCount(query: $query, limit: null) { count precision } }";
        let count = data(&sandbox, SHOP, query, json!({ "query": search }));
        assert_eq!(count["ordersCount"]["precision"], "EXACT");
        total += count["ordersCount"]["count"].as_u64().expect("a count");
    }
    assert_eq!(total as usize, sandbox.world.shops[0].order_count());
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    let one = everything(&Sandbox::new(Options::tiny()), SHOP, "orders", "id updatedAt name", 250);
    let same = everything(&Sandbox::new(Options::tiny()), SHOP, "orders", "id updatedAt name", 250);
    let other = Sandbox::new(Options { seed: 2, ..Options::tiny() });
    assert_eq!(one, same);
    assert_ne!(one, everything(&other, SHOP, "orders", "id updatedAt name", 250));
}

#[test]
fn a_wrong_token_and_an_unknown_shop_get_nothing() {
    let sandbox = Sandbox::new(Options::tiny());
    let body = br#"{"query":"{ shop { name } }"}"#;
    assert_eq!(sandbox.answer(None, Some("wrong"), None, body).status, 401);
    assert_eq!(sandbox.answer(None, None, None, body).status, 401);
    assert_eq!(sandbox.answer(Some("nowhere"), Some(crate::TOKEN), None, body).status, 404);
    assert_eq!(sandbox.answer(None, Some(crate::TOKEN), None, body).status, 200);
}

#[test]
fn the_shops_have_their_own_currencies_and_zones() {
    let sandbox = Sandbox::new(Options::tiny());
    let facts = ["demo-kolkata", "demo-berlin", "demo-tokyo"].map(|shop| {
        let shop = data(&sandbox, shop, "{ shop { currencyCode ianaTimezone } }", json!({}));
        shop["shop"].clone()
    });
    assert_eq!(facts[0], json!({ "currencyCode": "INR", "ianaTimezone": "Asia/Kolkata" }));
    assert_eq!(facts[1], json!({ "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin" }));
    assert_eq!(facts[2], json!({ "currencyCode": "JPY", "ianaTimezone": "Asia/Tokyo" }));
}

#[test]
fn a_query_that_is_too_dear_is_refused() {
    let sandbox = Sandbox::new(Options::tiny());
    let query = "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id
        product { id } variant { id } } } agreements(first: 250) { nodes { id
        sales(first: 250) { nodes { id } } } } } } }";
    let answer = value(&ask(&sandbox, SHOP, query, json!({})));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "MAX_COST_EXCEEDED");
}

#[test]
fn the_world_is_full_of_what_connectors_get_wrong() {
    let until = parse_instant("2026-06-30").expect("a date");
    let world = World::generate(portolan_sandbox_shopify::Size::S, 1, until);
    let shop = world.shop("demo-kolkata").expect("a shop");
    let truth = shop.truth();
    assert_eq!((truth.order_documents, truth.products, truth.customers), (20_000, 200, 8_000));
    let orders = shop.each_order().collect::<Vec<_>>();
    let count = |test: &dyn Fn(&&portolan_sandbox_shopify::Order) -> bool| orders.iter().filter(test).count();
    let edited = |order: &&portolan_sandbox_shopify::Order| {
        order.agreements.iter().any(|one| one.kind == portolan_sandbox_shopify::AgreementKind::Edit)
    };
    let gift_card = |order: &&portolan_sandbox_shopify::Order| {
        order.lines.iter().any(|line| line.kind == portolan_sandbox_shopify::LineKind::GiftCard)
    };
    assert!(truth.test_orders > 100 && truth.cancelled_orders > 300 && truth.refund_documents > 1_500);
    assert!(count(&edited) > 400, "edits");
    assert!(count(&gift_card) > 100, "gift cards");
    assert!(count(&|order| order.presentment.is_some()) > 1_000, "foreign buyers");
    assert!(count(&|order| order.lines.len() > 10) > 100, "orders of many lines");
    assert!(count(&|order| order.updated_at > order.created_at + 86_400 * 90) > 300, "late updates");
    assert!(orders.iter().all(|order| order.updated_at < until), "nothing happens after the end");
}
