//! The file of a bulk operation: an object per line, children below their parents with its id as `__parentId`. What
//! belongs together becomes one record, as a page of the same question would have brought it, so that nothing behind
//! needs to know which way a record came.

use std::collections::BTreeMap;

use portolan_sdk::{Error, Result, Text};
use serde::Deserialize;

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
    text: &'a str,
    head: Head<'a>,
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
    let head = serde_json::from_str::<Head<'_>>(text)
        .map_err(|error| bad(&format!("has a line that is no object: {error}")))?;
    Ok(Some(Line { text, head }))
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
        let mut sales: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for child in &self.children {
            let (id, parent) = (child.id(), child.head.parent.as_deref().unwrap_or_default());
            match connection_of(child.head.typename.as_deref().unwrap_or_default()) {
                Some("sales") => {
                    let known =
                        sales.get_mut(parent).ok_or_else(|| bad("has a sale before its agreement"))?;
                    known.push(child.text);
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
        out.push_str(opened(self.root.text)?);
        for (part, children) in parts.iter().zip(&below) {
            let written = children.iter().map(|child| match sales.get(child.id()) {
                Some(sales) if *part == "agreements" => {
                    let mut text = opened(child.text)?.to_owned();
                    push_connection("sales", sales.iter().map(|sale| Ok((*sale).to_owned())), &mut text)?;
                    text.push('}');
                    Ok(text)
                }
                _ => Ok(child.text.to_owned()),
            });
            push_connection(part, written, out)?;
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

/// An object's text without its end, to write more into it.
fn opened(text: &str) -> Result<&str> {
    text.strip_suffix('}').ok_or_else(|| bad("has a line that is no object"))
}

fn push_connection(name: &str, nodes: impl Iterator<Item = Result<String>>, out: &mut String) -> Result<()> {
    out.push_str(&format!(",\"{name}\":{{\"nodes\":["));
    for (position, node) in nodes.enumerate() {
        out.push_str(if position == 0 { "" } else { "," });
        out.push_str(&node?);
    }
    // As a page says it that is whole.
    out.push_str("],\"pageInfo\":{\"hasNextPage\":false,\"endCursor\":null}}");
    Ok(())
}

fn bad(what: &str) -> Error {
    Error::upstream_bug(format!("the file of a bulk operation {what}"))
}

#[cfg(test)]
mod tests;
