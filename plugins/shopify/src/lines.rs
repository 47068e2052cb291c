//! The file of a bulk operation: an object per line, children below their parents with its id as `__parentId`. What
//! belongs together becomes one record, as a page of the same question would have brought it, so that nothing behind
//! needs to know which way a record came.

use std::collections::BTreeMap;

use portolan_sdk::{Error, Result, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::shape::Reference;

/// What a line says about its place.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Head<'a> {
    id: Option<Text<'a>>,
    #[serde(rename = "__parentId")]
    parent: Option<Text<'a>>,
    #[serde(rename = "__typename")]
    typename: Option<Text<'a>>,
    #[serde(rename = "refundIds", default)]
    refunds: Vec<Reference<'a>>,
}

struct Line<'a> {
    head: Head<'a>,
    fields: BTreeMap<&'a str, &'a RawValue>,
}

/// An object of the root with everything below it.
pub struct Group<'a> {
    root: Line<'a>,
    children: Vec<Line<'a>>,
}

/// The whole groups of a part of the file that begins with one.
pub struct Groups<'a> {
    pub groups: Vec<Group<'a>>,
    /// Bytes that they take: the next part begins behind them.
    pub bytes: usize,
    pub lines: u64,
}

/// Cuts a part of the file. Whether the last group is whole shows only behind it, or at the end of the file.
pub fn cut(part: &[u8], is_last: bool) -> Result<Groups<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let (mut bytes, mut lines) = (0, 0);
    let (mut position, mut read_lines) = (0, 0);
    for raw in part.split_inclusive(|byte| *byte == b'\n') {
        if !raw.ends_with(b"\n") && !is_last {
            break;
        }
        let start = position;
        position += raw.len();
        let Some(line) = read(raw)? else { continue };
        if line.head.parent.is_none() {
            // Behind it, everything before is whole.
            (bytes, lines) = (start, read_lines);
            groups.push(Group { root: line, children: Vec::new() });
        } else {
            let group = groups.last_mut().ok_or_else(|| bad("begins with a child without its parent"))?;
            group.children.push(line);
        }
        read_lines += 1;
    }
    if is_last {
        (bytes, lines) = (part.len(), read_lines);
    } else {
        groups.pop();
    }
    Ok(Groups { groups, bytes, lines })
}

/// A line; `None` for a blank one.
fn read(raw: &[u8]) -> Result<Option<Line<'_>>> {
    let text = std::str::from_utf8(raw).map_err(|_| bad("is not UTF-8"))?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let no_object = |error| bad(&format!("has a line that is no object: {error}"));
    let head = serde_json::from_str(text).map_err(no_object)?;
    Ok(Some(Line { head, fields: serde_json::from_str(text).map_err(no_object)? }))
}

impl<'a> Group<'a> {
    /// The ids of an order's refunds.
    pub fn refunds(&self) -> impl Iterator<Item = &str> {
        self.root.head.refunds.iter().map(|refund| &*refund.id)
    }

    /// Writes the record. `refunds`: each by its id, as a page would show it.
    pub fn write(&self, root: &str, refunds: &BTreeMap<String, String>, out: &mut String) -> Result<()> {
        let parts = connections_of(root);
        let mut below = parts.iter().map(|_| Vec::new()).collect::<Vec<Vec<&Line<'a>>>>();
        let mut sales: BTreeMap<&str, Vec<&Line<'a>>> = BTreeMap::new();
        for child in &self.children {
            let (id, parent) = (child.id(), child.head.parent.as_deref().unwrap_or_default());
            match connection_of(child.typename()) {
                Some("sales") => {
                    let known =
                        sales.get_mut(parent).ok_or_else(|| bad("has a sale before its agreement"))?;
                    known.push(child);
                }
                Some(part) if parent == self.root.id() && parts.contains(&part) => {
                    let at = parts.iter().position(|known| *known == part).unwrap_or_default();
                    below[at].push(child);
                    if part == "agreements" {
                        sales.insert(id, Vec::new());
                    }
                }
                _ => return Err(bad(&format!("has a child that belongs nowhere: {id}"))),
            }
        }
        self.root.open(out);
        for (part, children) in parts.iter().zip(&below) {
            push_connection(part, children, out, |child, out| {
                if let Some(sales) = sales.get(child.id()) {
                    push_connection("sales", sales, out, |_, _| {});
                }
            });
        }
        if root == "orders" {
            let missing = || Error::transient("a refund vanished while its order was read");
            let all = self.refunds().map(|id| refunds.get(id).map(String::as_str).ok_or_else(missing));
            out.push_str(",\"refunds\":[");
            out.push_str(&all.collect::<Result<Vec<_>>>()?.join(","));
            out.push(']');
        }
        out.push('}');
        Ok(())
    }
}

impl Line<'_> {
    fn id(&self) -> &str {
        self.head.id.as_deref().unwrap_or_default()
    }

    /// Writes the object without its end, as a page shows it: without what only its place in the file needs.
    fn open(&self, out: &mut String) {
        let asked_by_pages = matches!(connection_of(self.typename()), Some("agreements" | "sales"));
        out.push('{');
        let mut first = true;
        for (name, value) in &self.fields {
            if matches!(*name, "__parentId" | "refundIds") || (*name == "__typename" && !asked_by_pages) {
                continue;
            }
            out.push_str(if first { "\"" } else { ",\"" });
            out.push_str(name);
            out.push_str("\":");
            out.push_str(value.get());
            first = false;
        }
    }

    fn typename(&self) -> &str {
        self.head.typename.as_deref().unwrap_or_default()
    }
}

/// The connections of a root's objects that the file writes below them.
fn connections_of(root: &str) -> &'static [&'static str] {
    match root {
        "orders" => &["lineItems", "shippingLines", "agreements"],
        "products" => &["variants"],
        _ => &[],
    }
}

/// The connection in which an object of this type hangs.
fn connection_of(typename: &str) -> Option<&'static str> {
    match typename {
        "LineItem" => Some("lineItems"),
        "ShippingLine" => Some("shippingLines"),
        "ProductVariant" => Some("variants"),
        _ if typename.ends_with("Agreement") => Some("agreements"),
        _ if typename.ends_with("Sale") => Some("sales"),
        _ => None,
    }
}

/// Writes a connection as a page does that is whole. `more`: what each object has below it.
fn push_connection(name: &str, nodes: &[&Line<'_>], out: &mut String, more: impl Fn(&Line<'_>, &mut String)) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":{\"nodes\":[");
    for (position, node) in nodes.iter().enumerate() {
        out.push_str(if position == 0 { "" } else { "," });
        node.open(out);
        more(node, out);
        out.push('}');
    }
    // A cursor of no use, but of the type that a page's has: what reads types must not see two kinds of answers.
    let cursor = if nodes.is_empty() { "null" } else { "\"\"" };
    out.push_str("],\"pageInfo\":{\"hasNextPage\":false,\"endCursor\":");
    out.push_str(cursor);
    out.push_str("}}");
}

fn bad(what: &str) -> Error {
    Error::upstream_bug(format!("the file of a bulk operation {what}"))
}

#[cfg(test)]
mod tests;
