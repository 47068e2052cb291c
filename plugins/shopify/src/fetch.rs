//! Pages of a stream: windows of updates, cursors, counts, and the rest of what is nested deeper than
//! one page.

use portolan_sdk::time::rfc3339;
use portolan_sdk::{Continuation, Error, FetchRequest, Instant, LogLevel, Page, Result, Slice, Wait, log};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::{Refusal, ask};
use crate::nested;
use crate::queries;

/// Where a slice stands; opaque to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
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
    data: SkeletonData,
}

#[derive(Deserialize)]
struct SkeletonData {
    #[serde(alias = "orders", alias = "products", alias = "customers")]
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

/// One page of orders, products or customers.
pub fn fetch_page(request: &FetchRequest, root: &'static str, first: u32) -> Result<Page> {
    let mut token = match request.token.as_deref() {
        None => Token { after: None, first, seen: 0, counted: None },
        Some(bytes) => serde_json::from_slice::<Token>(bytes)
            .map_err(|error| Error::CursorExpired(format!("the page token is not ours: {error}")))?,
    };
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
    let skeleton = answer.response.json::<Skeleton>()?.data;
    let SkeletonPage { nodes, page_info } = skeleton.page;
    if starts {
        token.counted = skeleton.count.and_then(Count::exact);
    }
    token.seen += nodes.len() as u64;
    let next_cursor = next_cursor(&page_info, &token, nodes.len())?;

    let framing = format!("json:/data/{root}/nodes");
    let body = nested::complete(root, &nodes, answer.response.body())?;
    let wait_ms = answer.wait_ms;
    let mut page = answer.response.into_page(root, &framing, Continuation::Done);
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
            let token = Token { after: Some(cursor), ..token };
            let bytes = serde_json::to_vec(&token)
                .map_err(|error| Error::PluginBug(format!("the page token can't be written: {error}")))?;
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
            let closed = request.slice.until.is_some_and(|until| until <= request.conn.now);
            page.expected = expected(root, search.as_deref(), &token, closed)?;
        }
    }
    Ok(page)
}

/// The cursor of the next page. A cursor that leads nowhere would read one page for ever.
fn next_cursor(info: &PageInfo, token: &Token, nodes: usize) -> Result<Option<String>> {
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
fn expected(root: &str, search: Option<&str>, token: &Token, closed: bool) -> Result<Option<u64>> {
    #[derive(Deserialize)]
    struct Recount {
        data: RecountData,
    }
    #[derive(Deserialize)]
    struct RecountData {
        count: Option<Count>,
    }
    let Some(counted) = token.counted else { return Ok(None) };
    if token.seen >= counted || !closed {
        return Ok(Some(token.seen));
    }
    let answer = ask(&queries::count(root), &json!({ "query": search }))?;
    let recount = answer.response.json::<Recount>()?.data.count.and_then(Count::exact);
    Ok(Some(token.seen.max(recount.unwrap_or(counted))))
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
