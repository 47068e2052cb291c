//! Pages of a Relay connection, by opaque cursors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::search::{Marks, Search, Searchable};
use super::{GraphqlError, GraphqlResult};

/// Shopify's largest page.
pub const LARGEST_PAGE: usize = 250;

/// One page: nodes with their cursors.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub nodes: Vec<(String, Value)>,
    pub has_next: bool,
    pub has_previous: bool,
}

/// Where a page starts and how long it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageArguments {
    pub first: usize,
    pub after: Option<String>,
}

fn encode(value: i64, id: u64) -> String {
    STANDARD.encode(format!(r#"{{"last_id":{id},"last_value":{value}}}"#))
}

fn decode(cursor: &str) -> GraphqlResult<(i64, u64)> {
    let refused = || GraphqlError::new("BAD_REQUEST", "Invalid cursor for current pagination sort.");
    let bytes = STANDARD.decode(cursor).map_err(|_| refused())?;
    let value = serde_json::from_slice::<Value>(&bytes).map_err(|_| refused())?;
    Ok((value["last_value"].as_i64().ok_or_else(refused)?, value["last_id"].as_u64().ok_or_else(refused)?))
}

/// A page of an array that hangs on one object; the cursor is the position.
pub fn page_of_array(mut items: Vec<Value>, arguments: &PageArguments) -> GraphqlResult<Page> {
    let start = match &arguments.after {
        Some(cursor) => decode(cursor)?.1 as usize + 1,
        None => 0,
    };
    let mut rest = items.split_off(start.min(items.len()));
    let has_next = rest.len() > arguments.first;
    rest.truncate(arguments.first);
    let nodes = rest.into_iter().enumerate();
    let nodes = nodes.map(|(index, item)| (encode(0, (start + index) as u64), item)).collect();
    Ok(Page { nodes, has_next, has_previous: start > 0 })
}

/// What things are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Id,
    CreatedAt,
    UpdatedAt,
}

impl SortKey {
    pub fn of(self, item: &impl Searchable) -> (i64, u64) {
        let Marks { id, created_at, updated_at } = item.marks();
        let value = match self {
            Self::Id => id as i64,
            Self::CreatedAt => created_at,
            Self::UpdatedAt => updated_at,
        };
        (value, id)
    }
}

/// A page of everything of a kind, as positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPage {
    /// Cursor, and index into the items.
    pub items: Vec<(String, u32)>,
    pub has_next: bool,
    pub has_previous: bool,
}

/// `sorted` are indices into `items` in the order of `key`.
pub fn page_of_items<T: Searchable>(
    items: &[T],
    sorted: &[u32],
    key: SortKey,
    search: &Search,
    arguments: &PageArguments,
) -> GraphqlResult<ItemPage> {
    let start = match &arguments.after {
        Some(cursor) => {
            let last = decode(cursor)?;
            sorted.partition_point(|index| key.of(&items[*index as usize]) <= last)
        }
        None => 0,
    };
    let rest = sorted[start..].iter().copied();
    let mut chosen = rest.filter(|index| search.matches(&items[*index as usize]));
    let page = chosen.by_ref().take(arguments.first).map(|index| {
        let (value, id) = key.of(&items[index as usize]);
        (encode(value, id), index)
    });
    let page = page.collect();
    Ok(ItemPage { items: page, has_next: chosen.next().is_some(), has_previous: arguments.after.is_some() })
}

/// A `Count` with Shopify's limit of 10,000 unless the query lifts it.
pub fn count<T: Searchable>(items: &[T], search: &Search, limit: Option<u64>) -> Value {
    let count = items.iter().filter(|item| search.matches(*item)).count() as u64;
    match limit {
        Some(limit) if count > limit => json!({ "count": limit, "precision": "AT_LEAST" }),
        _ => json!({ "count": count, "precision": "EXACT" }),
    }
}
