//! Pages of a stream: windows of updates, cursors, counts, and the rest of what is nested deeper than
//! one page.

use portolan_sdk::time::rfc3339;
use portolan_sdk::{
    Continuation, Error, FetchRequest, Instant, LogLevel, Mode, Page, Result, Slice, Wait, log,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::{Refusal, ask};
use crate::{Config, bulk, nested, queries};

/// Where a slice stands; opaque to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Token {
    Bulk(bulk::Token),
    Pages(PageToken),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PageToken {
    after: Option<String>,
    /// Nodes of a page.
    first: u32,
    seen: u64,
    /// What Shopify counted when the slice began.
    counted: Option<u64>,
}

/// The skeleton of a page: everything else is only passed on.
#[derive(Deserialize)]
struct Skeleton {
    #[serde(alias = "orders", alias = "products", alias = "customers", alias = "abandonedCheckouts")]
    page: SkeletonPage,
    count: Option<Count>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SkeletonPage {
    nodes: Vec<nested::Skeleton>,
    page_info: PageInfo,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    precision: String,
}

impl Count {
    fn exact(self) -> Option<u64> {
        (self.precision == "EXACT").then_some(self.count)
    }
}

/// The shop itself, as a page of one record.
pub fn fetch_store() -> Result<Page> {
    let answer = ask(&queries::shop(), &json!({}))?;
    Ok(answer.response.into_page("stores", "json:/data/shop", Continuation::Done))
}

/// One page of orders, products or customers, or a step of the bulk operation that brings them.
pub fn fetch(request: &FetchRequest, root: &'static str) -> Result<Page> {
    match request.token.as_deref().map(read_token).transpose()? {
        Some(Token::Pages(token)) => fetch_page(request, root, token),
        Some(Token::Bulk(token)) => bulk::go_on(request, root, token),
        None => match count_for_bulk(request, root)? {
            Some(counted) => bulk::begin(request, root, bulk::Token::new(counted)),
            None => first_page(request, root),
        },
    }
}

/// The count of a window of history that a bulk operation fetches with less waiting than pages would.
fn count_for_bulk(request: &FetchRequest, root: &'static str) -> Result<Option<u64>> {
    let least_points = request.conn.parse_config::<Config>()?.bulk_from_points;
    if request.slice.mode != Mode::Backfill {
        return Ok(None);
    }
    let counted = count(root, window(&request.slice).as_deref())?;
    Ok(counted.filter(|counted| bulk::pays(root, *counted, least_points)))
}

/// Begins to page.
pub fn first_page(request: &FetchRequest, root: &'static str) -> Result<Page> {
    let token = PageToken { after: None, first: queries::page_size(root), seen: 0, counted: None };
    fetch_page(request, root, token)
}

fn read_token(bytes: &[u8]) -> Result<Token> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::CursorExpired(format!("the page token is not ours: {error}")))
}

/// A token as the host keeps it.
pub fn to_bytes(token: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(token)
        .map_err(|error| Error::PluginBug(format!("the page token can't be written: {error}")))
}

fn fetch_page(request: &FetchRequest, root: &'static str, mut token: PageToken) -> Result<Page> {
    let search = window(&request.slice);
    let starts = token.after.is_none();
    let answer = loop {
        let variables =
            json!({ "first": token.first, "after": token.after, "query": search, "counted": starts });
        match ask(&queries::page(root, token.first, starts), &variables) {
            Ok(answer) => break answer,
            Err(Refusal::TooDear) if token.first > 1 => {
                token.first /= 2;
                log(
                    LogLevel::Info,
                    "a page costs too much; asking for half",
                    &[("first", &token.first.to_string())],
                );
            }
            Err(refusal) => return Err(refusal.into()),
        }
    };
    let skeleton = answer.data::<Skeleton>()?;
    let SkeletonPage { nodes, page_info } = skeleton.page;
    if starts {
        token.counted = skeleton.count.and_then(Count::exact);
    }
    token.seen += nodes.len() as u64;
    let next_cursor = next_cursor(&page_info, &token, nodes.len())?;

    let framing = format!("json:/data/{root}/nodes");
    let body = nested::complete(root, &nodes, answer.response.body())?;
    let wait_ms = answer.wait_ms;
    let mut page = answer.response.into_page(&request.slice.stream, &framing, Continuation::Done);
    if let Some(body) = body {
        for chunk in &mut page.chunks {
            chunk.payload = portolan_sdk::Payload::Inline(body.clone());
        }
    }
    match next_cursor {
        Some(cursor) => {
            page.progress = token.counted.map(|counted| (token.seen * 100 / counted.max(1)).min(99) as u8);
            // Until the end is reached this is what progress is measured by.
            page.expected = token.counted;
            let bytes = to_bytes(&PageToken { after: Some(cursor), ..token })?;
            page.next = match wait_ms {
                0 => Continuation::More(bytes),
                ms => Continuation::Wait(Wait {
                    token: bytes,
                    ms,
                    why: "the shop's query budget refills".to_owned(),
                }),
            };
        }
        None => {
            page.expected = expected(request, root, token.seen, token.counted)?;
        }
    }
    Ok(page)
}

/// The cursor of the next page. A cursor that leads nowhere would read one page for ever.
fn next_cursor(info: &PageInfo, token: &PageToken, nodes: usize) -> Result<Option<String>> {
    if !info.has_next_page {
        return Ok(None);
    }
    match &info.end_cursor {
        None => Err(Error::upstream_bug("there is a next page but no cursor to it")),
        Some(cursor) if Some(cursor) == token.after.as_ref() => {
            Err(Error::upstream_bug("the next page has the same cursor as this one"))
        }
        Some(_) if nodes == 0 => Err(Error::upstream_bug("an empty page says that there is more")),
        Some(cursor) => Ok(Some(cursor.clone())),
    }
}

/// What the slice has to hold, said at its end; the host fails a slice that holds something else.
///
/// A record that changes while its window is read leaves the window, seen or not, and comes with a
/// later one. So a count that differs is asked again: what was seen has to lie between what is in the
/// window now and what was in it at first. Below that, records are missing. A window that is still
/// open gains records, and proves nothing.
pub fn expected(request: &FetchRequest, root: &str, seen: u64, counted: Option<u64>) -> Result<Option<u64>> {
    let closed = request.slice.until.is_some_and(|until| until <= request.conn.now);
    let Some(counted) = counted else { return Ok(None) };
    if seen >= counted || !closed {
        return Ok(Some(seen));
    }
    let recount = count(root, window(&request.slice).as_deref())?;
    Ok(Some(seen.max(recount.unwrap_or(counted))))
}

/// How many there are in a window, where Shopify knows exactly.
fn count(root: &str, search: Option<&str>) -> Result<Option<u64>> {
    #[derive(Deserialize)]
    struct Data {
        count: Option<Count>,
    }
    let answer = ask(&queries::count(root), &json!({ "query": search }))?;
    Ok(answer.data::<Data>()?.count.and_then(Count::exact))
}

/// The search for a window of updates, half-open. Shopify's times are whole seconds; both bounds
/// round up, so that windows that meet share nothing and miss nothing.
pub fn window(slice: &Slice) -> Option<String> {
    let bound = |operator: &str, at: Option<Instant>| {
        at.map(|at| {
            let fraction = at.rem_euclid(1_000_000);
            let whole = if fraction == 0 { at } else { at - fraction + 1_000_000 };
            format!("updated_at:{operator}'{}'", rfc3339(whole))
        })
    };
    let terms = [bound(">=", slice.since), bound("<", slice.until)];
    let terms = terms.into_iter().flatten().collect::<Vec<_>>();
    (!terms.is_empty()).then(|| terms.join(" "))
}
