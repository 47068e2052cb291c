//! A world too large to be held: what is looked at is made again, and is the same each time.

use portolan_sandbox_shopify::{Options, Sandbox, Seed, Shop, Size, World};
use serde_json::{Value, json};

use crate::data;

/// Bytes that an order may take while nobody looks at it.
const BYTES_OF_AN_ORDER: usize = 32;
/// A prime, so that samples fall on all kinds of places.
const EVERY: usize = 9_973;

fn check(shop: &Shop, until: i64, every: usize) {
    let seeds = shop.orders.seeds();
    assert!(seeds.is_sorted_by_key(|seed| (seed.created_at, seed.id)), "orders come as they were placed");
    for (index, seed) in seeds.iter().enumerate().step_by(every) {
        let order = shop.order(index);
        assert_eq!(
            (order.id, order.created_at, order.updated_at),
            (seed.id, seed.created_at, seed.updated_at),
            "an order is found by what it says"
        );
        assert_eq!(format!("{order:?}"), format!("{:?}", shop.order(index)), "and is the same again");
        assert!(order.created_at <= order.updated_at && order.updated_at < until);
        let customer = order.customer.map(|customer| &shop.customers[customer as usize]);
        assert!(customer.is_none_or(|customer| customer.created_at <= order.created_at));
        let sold: i64 =
            order.agreements.iter().flat_map(|agreed| &agreed.sales).map(|sale| sale.tax_minor).sum();
        let taken: i64 =
            order.refunds.iter().flat_map(|refund| &refund.lines).map(|line| line.tax_minor).sum();
        let tax: i64 = order.lines.iter().map(|line| line.tax_minor).sum();
        assert!(sold <= tax + order.shipping.map_or(0, |shipping| shipping.tax_minor) && taken <= tax);
    }
}

#[test]
fn the_same_arguments_give_the_same_world() {
    let until = Options::tiny().until;
    let [one, other] = [1, 1].map(|seed| World::generate(Size::Tiny, seed, until));
    for (left, right) in one.shops.iter().zip(&other.shops) {
        check(left, until, 1);
        assert!(
            left.each_order()
                .map(|order| format!("{order:?}"))
                .eq(right.each_order().map(|order| format!("{order:?}")))
        );
    }
}

#[test]
fn a_million_orders_are_served_page_by_page() {
    assert!(size_of::<Seed>() <= BYTES_OF_AN_ORDER);
    let options = Options { size: Size::M, ..Options::tiny() };
    let until = options.until;
    let sandbox = Sandbox::new(options);
    let shop = &sandbox.world.shops[0];
    assert_eq!((shop.order_count(), shop.customers.len(), shop.products.len()), (1_000_000, 300_000, 5_000));
    check(shop, until, EVERY);

    let query = "query($after: String) { orders(first: 40, after: $after, sortKey: UPDATED_AT,
        query: \"updated_at:>='2026-03-01T00:00:00Z'\") {
        pageInfo { hasNextPage endCursor } nodes { id updatedAt } } }";
    let mut after = Value::Null;
    let mut seen: Vec<(String, String)> = Vec::new();
    for _ in 0..5 {
        let answer = data(&sandbox, shop.profile.name, query, json!({ "after": after }));
        let orders = &answer["orders"];
        let nodes = orders["nodes"].as_array().expect("nodes");
        let text = |node: &Value, field: &str| node[field].as_str().expect("text").to_owned();
        seen.extend(nodes.iter().map(|node| (text(node, "updatedAt"), text(node, "id"))));
        assert_eq!(orders["pageInfo"]["hasNextPage"], true);
        after = orders["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 200);
    assert!(
        seen.is_sorted_by_key(|(updated_at, _)| updated_at.clone()),
        "pages go on where the last one ended"
    );
    let ids: std::collections::BTreeSet<&str> = seen.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids.len(), 200, "no order is on two pages");
}
