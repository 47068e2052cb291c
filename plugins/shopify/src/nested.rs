//! What hangs on a record and goes on after its first page: the lines of a long order, the sales of
//! a long agreement, the variants of a rich product. The rest is fetched and put in its place, so
//! that a raw record is whole before it is staged.

use std::collections::BTreeMap;

use portolan_sdk::{Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::{Refusal, ask};
use crate::fetch::PageInfo;
use crate::queries::{self, Nested, Query};

/// Refunds that one question asks for.
const REFUNDS_AT_ONCE: usize = 50;

/// The parts of a record that tell whether it is whole.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skeleton {
    line_items: Option<Part>,
    shipping_lines: Option<Part>,
    variants: Option<Part>,
    agreements: Option<Agreements>,
    #[serde(default)]
    refunds: Vec<Refund>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Agreements {
    nodes: Vec<Agreement>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct Agreement {
    sales: Part,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    refund_line_items: Part,
    refund_shipping_lines: Part,
}

impl Skeleton {
    fn is_whole(&self) -> bool {
        let parts = [&self.line_items, &self.shipping_lines, &self.variants].into_iter().flatten();
        let agreements = self.agreements.iter().flat_map(|all| &all.nodes).map(|one| &one.sales);
        !self.agreements.as_ref().is_some_and(|all| all.page_info.has_next_page)
            && parts.chain(agreements).all(|part| !part.page_info.has_next_page)
            && self.refunds.iter().all(Refund::is_whole)
    }
}

impl Refund {
    fn is_whole(&self) -> bool {
        [&self.refund_line_items, &self.refund_shipping_lines]
            .into_iter()
            .all(|part| !part.page_info.has_next_page)
    }
}

/// The page's body with every record whole; `None` where it is already.
pub fn complete(root: &str, nodes: &[Skeleton], body: &[u8]) -> Result<Option<Vec<u8>>> {
    if nodes.iter().all(Skeleton::is_whole) {
        return Ok(None);
    }
    let mut answer = serde_json::from_slice::<Value>(body)?;
    let pointer = format!("/data/{root}/nodes");
    let records = answer.pointer_mut(&pointer).and_then(Value::as_array_mut).into_iter().flatten();
    for (record, skeleton) in records.zip(nodes) {
        if !skeleton.is_whole() {
            complete_record(record)?;
        }
    }
    serde_json::to_vec(&answer)
        .map(Some)
        .map_err(|error| Error::PluginBug(format!("a completed page can't be written: {error}")))
}

fn complete_record(record: &mut Value) -> Result<()> {
    let id = text(record, "id");
    for (field, nested) in [
        ("lineItems", Nested::Lines),
        ("shippingLines", Nested::ShippingLines),
        ("variants", Nested::Variants),
    ] {
        complete_connection(record, field, nested, &id)?;
    }
    for refund in record.get_mut("refunds").and_then(Value::as_array_mut).into_iter().flatten() {
        complete_refund(refund)?;
    }
    if record.get("agreements").is_some_and(agreements_go_on) {
        let nodes = read_agreements(&id)?;
        record["agreements"] =
            json!({ "nodes": nodes, "pageInfo": { "hasNextPage": false, "endCursor": null } });
    }
    Ok(())
}

fn agreements_go_on(agreements: &Value) -> bool {
    let sales = agreements["nodes"].as_array().into_iter().flatten().map(|agreement| &agreement["sales"]);
    goes_on(agreements) || sales.into_iter().any(goes_on)
}

fn goes_on(connection: &Value) -> bool {
    connection["pageInfo"]["hasNextPage"] == true
}

/// Appends the rest of one connection.
fn complete_connection(parent: &mut Value, field: &str, nested: Nested, id: &str) -> Result<()> {
    let Some(connection) = parent.get_mut(field).filter(|connection| goes_on(connection)) else {
        return Ok(());
    };
    let query = nested.query();
    while goes_on(connection) {
        let after = connection["pageInfo"]["endCursor"].clone();
        let mut items = read_items(&query, &json!({ "id": id, "after": after }))?;
        advances(&items, &after)?;
        let more = items["nodes"].take();
        if let (Some(nodes), Value::Array(more)) = (connection["nodes"].as_array_mut(), more) {
            nodes.extend(more);
        }
        connection["pageInfo"] = items["pageInfo"].take();
    }
    Ok(())
}

/// Refunds by their ids, whole. One that is gone by now is missing.
pub fn read_refunds(ids: &[&str]) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        nodes: Vec<Option<&'a RawValue>>,
    }
    let mut refunds = BTreeMap::new();
    let (mut left, mut at_once) = (ids, REFUNDS_AT_ONCE);
    while !left.is_empty() {
        let (asked, rest) = left.split_at(at_once.min(left.len()));
        let answer = match ask(&queries::refunds(), &json!({ "ids": asked })) {
            Ok(answer) => answer,
            // What so many objects by their ids cost is nowhere said.
            Err(Refusal::TooDear) if asked.len() > 1 => {
                at_once = asked.len() / 2;
                continue;
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let nodes = answer.data::<Data<'_>>()?.nodes;
        if nodes.len() != asked.len() {
            return Err(Error::upstream_bug("Shopify answered fewer refunds than were asked for"));
        }
        for (id, node) in asked.iter().zip(nodes) {
            let Some(node) = node else { continue };
            let mut text = node.get().to_owned();
            if !serde_json::from_str::<Refund>(&text)?.is_whole() {
                let mut refund = serde_json::from_str::<Value>(&text)?;
                complete_refund(&mut refund)?;
                text = refund.to_string();
            }
            refunds.insert((*id).to_owned(), text);
        }
        left = rest;
    }
    Ok(refunds)
}

fn complete_refund(refund: &mut Value) -> Result<()> {
    let id = text(refund, "id");
    complete_connection(refund, "refundLineItems", Nested::RefundLines, &id)?;
    complete_connection(refund, "refundShippingLines", Nested::RefundShippingLines, &id)
}

/// Every agreement of an order with every one of its sales.
fn read_agreements(order: &str) -> Result<Vec<Value>> {
    let query = queries::agreements();
    let mut agreements = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut whole: Option<Value> = None;
        let mut sales_after = Value::Null;
        let info = loop {
            let mut items =
                read_items(&query, &json!({ "id": order, "after": after, "sales": sales_after }))?;
            let info = items["pageInfo"].take();
            let mut agreement = items["nodes"][0].take();
            if agreement.is_null() {
                break info;
            }
            let sales_info = agreement["sales"]["pageInfo"].clone();
            match &mut whole {
                None => whole = Some(agreement),
                Some(whole) => {
                    let more = agreement["sales"]["nodes"].take();
                    if let (Some(nodes), Value::Array(more)) = (whole["sales"]["nodes"].as_array_mut(), more)
                    {
                        nodes.extend(more);
                    }
                    whole["sales"]["pageInfo"] = sales_info.clone();
                }
            }
            if sales_info["hasNextPage"] != true {
                break info;
            }
            advances(&json!({ "pageInfo": sales_info }), &sales_after)?;
            sales_after = sales_info["endCursor"].clone();
        };
        agreements.extend(whole);
        if info["hasNextPage"] != true {
            return Ok(agreements);
        }
        advances(&json!({ "pageInfo": info }), &after)?;
        after = info["endCursor"].clone();
    }
}

/// `parent.items` of an answer.
fn read_items(query: &Query, variables: &Value) -> Result<Value> {
    let answer = ask(query, variables)?;
    let mut answer = answer.response.json::<Value>()?;
    match answer.pointer_mut("/data/parent") {
        Some(parent) if !parent.is_null() => Ok(parent["items"].take()),
        // Deleted since its page was read: the next attempt doesn't find it at all.
        _ => Err(Error::transient("a record vanished while its parts were read")),
    }
}

/// A connection that goes on has to lead somewhere new.
fn advances(connection: &Value, after: &Value) -> Result<()> {
    let cursor = &connection["pageInfo"]["endCursor"];
    if goes_on(connection) && (cursor == after || cursor.is_null()) {
        return Err(Error::upstream_bug("the next page of a record's parts has the same cursor as this one"));
    }
    Ok(())
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
