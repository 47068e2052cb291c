//! The sandbox from outside: what it answers, against the published schema, its own truth, and
//! the faults it promises.

mod answers;
mod bulk;
mod faults;
mod http;
mod large;
mod schema;
mod truth;

use portolan_sandbox_shopify::{Reply, Sandbox};
use serde_json::{Value, json};

pub const TOKEN: &str = "shpat_sandbox";

/// Asks a shop in process.
pub fn ask(sandbox: &Sandbox, shop: &str, query: &str, variables: Value) -> Reply {
    let body = json!({ "query": query, "variables": variables }).to_string();
    sandbox.answer(Some(shop), Some(TOKEN), None, body.as_bytes())
}

/// The answer as JSON.
pub fn value(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

/// `data` of an answer without errors.
pub fn data(sandbox: &Sandbox, shop: &str, query: &str, variables: Value) -> Value {
    let mut answer = value(&ask(sandbox, shop, query, variables));
    assert!(answer.get("errors").is_none(), "{}", answer["errors"]);
    answer["data"].take()
}

/// Every node of a root connection, over all its pages.
pub fn everything(sandbox: &Sandbox, shop: &str, root: &str, fields: &str, first: usize) -> Vec<Value> {
    let query = format!(
        "query($first: Int!, $after: String) {{ {root}(first: $first, after: $after, sortKey: UPDATED_AT) {{
            nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let mut nodes = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut data = data(sandbox, shop, &query, json!({ "first": first, "after": after }));
        let connection = &mut data[root];
        nodes.extend(connection["nodes"].as_array().cloned().unwrap_or_default());
        if connection["pageInfo"]["hasNextPage"] == false {
            return nodes;
        }
        after = connection["pageInfo"]["endCursor"].take();
    }
}

/// The shop amount of a money bag in minor units of an exponent.
pub fn minor(bag: &Value, exponent: usize) -> i64 {
    let text = bag["shopMoney"]["amount"].as_str().expect("an amount");
    let (whole, fraction) = text.split_once('.').expect("a decimal point");
    let fraction = format!("{fraction:0<exponent$}");
    let (kept, rest) = fraction.split_at(exponent);
    assert!(rest.bytes().all(|digit| digit == b'0'), "{text} has too many digits");
    format!("{whole}{kept}").parse().expect("a number")
}
