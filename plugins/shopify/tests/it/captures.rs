//! Recorded answers of real development stores.
//!
//! No recording was made with this plugin's queries: each selected the fields that its own test
//! needed. So every recorded order, product and customer is laid over a neutral answer that has the
//! fields our queries ask for and the recording left out (dates, no tax inside prices, zero totals in
//! the recording's currency), and has to map. What a recording says is never changed; where it holds
//! an object that is not an answer to a query of ours (an input, an error, `edges` where we ask for
//! `nodes`), it is left out and counted.

use std::path::Path;

use portolan_sdk::testing::Output;
use serde_json::{Map, Value, json};

use crate::support::{chunk, normalize, say, shared};

/// Every object in the recordings whose id is of this kind.
fn recorded(folder: &Path, kind: &str) -> Vec<(String, Value)> {
    let prefix = format!("gid://shopify/{kind}/");
    let mut found = Vec::new();
    let mut files =
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a recording");
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        collect(&value, &prefix, false, &name, &mut found);
    }
    found
}

/// Only below `data`: what stands elsewhere was sent, not answered.
fn collect(value: &Value, prefix: &str, answered: bool, file: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(object) => {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
            if answered && id.starts_with(prefix) && object.len() > 2 {
                found.push((file.to_owned(), value.clone()));
            }
            for (key, part) in object {
                collect(part, prefix, answered || key == "data", file, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, prefix, answered, file, found)),
        _ => {}
    }
}

/// Lays what was recorded over what is neutral. Parts that our query asks of each element of a list
/// are laid over alike.
fn over(neutral: &Value, recorded: &Value) -> Value {
    match (neutral, recorded) {
        (Value::Object(neutral), Value::Object(recorded)) => {
            let mut laid = neutral.clone();
            for (key, value) in recorded {
                let part = neutral.get(key).map_or_else(|| value.clone(), |neutral| over(neutral, value));
                laid.insert(key.clone(), part);
            }
            Value::Object(laid)
        }
        (Value::Array(neutral), Value::Array(recorded)) => recorded
            .iter()
            .map(|item| neutral.first().map_or_else(|| item.clone(), |one| over(one, item)))
            .collect(),
        (_, recorded) => recorded.clone(),
    }
}

/// The first currency that a recording speaks of.
fn currency(value: &Value) -> Option<&str> {
    match value {
        Value::Object(object) => {
            let here = object.get("currencyCode").and_then(Value::as_str);
            let shop = object.get("shopMoney").and_then(currency);
            here.or(shop).or_else(|| object.values().find_map(currency))
        }
        Value::Array(items) => items.iter().find_map(currency),
        _ => None,
    }
}

fn neutral_order(currency: &str) -> Value {
    let bag = json!({ "shopMoney": { "amount": "0.0", "currencyCode": currency } });
    let tax = json!([{ "title": "Tax", "priceSet": bag }]);
    let line = json!({ "id": "gid://shopify/LineItem/0", "title": "?", "quantity": 1, "originalUnitPriceSet": bag,
        "taxLines": tax, "discountAllocations": [{ "allocatedAmountSet": bag }] });
    json!({
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "taxesIncluded": false,
        "currencyCode": currency, "totalPriceSet": bag, "customer": { "id": "gid://shopify/Customer/0" },
        "lineItems": { "nodes": [line] },
        "shippingLines": { "nodes": [{ "discountedPriceSet": bag, "taxLines": tax }] },
        "refunds": [{ "id": "gid://shopify/Refund/0", "createdAt": "2026-01-01T00:00:00Z", "totalRefundedSet": bag,
            "refundLineItems": { "nodes": [{ "quantity": 1, "subtotalSet": bag,
                "lineItem": { "id": "gid://shopify/LineItem/0" } }] },
            "refundShippingLines": { "nodes": [{ "subtotalAmountSet": bag }] } }],
        "transactions": [{ "id": "gid://shopify/OrderTransaction/0", "kind": "SALE", "status": "SUCCESS", "amountSet": bag }],
    })
}

/// A list that nobody recorded is empty, not one neutral thing; an unrecorded customer is nobody.
fn without_inventions(laid: &mut Value, recorded: &Value) {
    let (Some(laid), Some(recorded)) = (laid.as_object_mut(), recorded.as_object()) else { return };
    for (key, value) in laid.iter_mut() {
        match (value, recorded.get(key)) {
            (Value::Array(items), None) => items.clear(),
            (value, None) if key == "customer" => *value = Value::Null,
            (value @ Value::Object(_), None) => without_inventions(value, &Value::Object(Map::new())),
            (value @ Value::Object(_), Some(recorded)) => without_inventions(value, recorded),
            (Value::Array(items), Some(Value::Array(recorded))) => {
                items
                    .iter_mut()
                    .zip(recorded)
                    .for_each(|(item, recorded)| without_inventions(item, recorded));
            }
            _ => {}
        }
    }
}

/// Whether our queries could have asked for this: connections by `nodes`.
fn asked_our_way(value: &Value) -> bool {
    let connections = ["lineItems", "shippingLines", "variants"];
    connections.iter().all(|name| value.get(name).is_none_or(|connection| connection.get("nodes").is_some()))
        && ["refunds", "transactions"].iter().all(|name| value.get(name).is_none_or(Value::is_array))
}

fn map_all(stream: &str, kind: &str, neutral: impl Fn(&Value) -> Value) -> Option<(usize, Output)> {
    let folder = shared("graphql-captures")?;
    let (mut mapped, mut left_out, mut all) = (0, 0, Output::default());
    for (file, record) in recorded(&folder, kind) {
        if !asked_our_way(&record) {
            left_out += 1;
            continue;
        }
        let mut laid = over(&neutral(&record), &record);
        without_inventions(&mut laid, &record);
        let output = normalize(&chunk(stream, &json!([laid]))).expect("a page");
        assert!(output.skipped.is_empty(), "{file}: {:?} in {laid}", output.skipped);
        mapped += 1;
        all.add(output);
    }
    say(&format!("{stream}: {mapped} recorded answers mapped, {left_out} asked another way"));
    Some((mapped, all))
}

#[test]
fn every_recorded_order_maps() {
    let neutral = |record: &Value| neutral_order(currency(record).unwrap_or("CAD"));
    let Some((mapped, output)) = map_all("orders", "Order", neutral) else { return };
    assert!(mapped > 100 && output.transactions.len() > 20, "{mapped} orders");
    assert!(!output.refunds.is_empty(), "refunds were recorded");
    assert!(output.orders.iter().any(|order| order.cancelled_at.is_some()));
    let lines = output.orders.iter().flat_map(|order| &order.lines);
    assert!(lines.filter(|line| line.gross > 0 && line.tax > 0).count() > 0);
}

#[test]
fn every_recorded_product_maps() {
    let neutral = |_: &Value| {
        json!({ "title": "?", "updatedAt": "2026-01-01T00:00:00Z",
            "variants": { "nodes": [{ "id": "gid://shopify/ProductVariant/0" }] } })
    };
    let Some((mapped, output)) = map_all("products", "Product", neutral) else { return };
    assert!(mapped > 50 && output.products.len() > mapped, "variants were recorded");
}

#[test]
fn every_recorded_customer_maps() {
    let neutral = |_: &Value| json!({ "updatedAt": "2026-01-01T00:00:00Z" });
    let Some((mapped, _)) = map_all("customers", "Customer", neutral) else { return };
    assert!(mapped > 50, "{mapped} customers");
}
