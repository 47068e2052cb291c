//! History by a bulk operation: Shopify writes everything of a window into a file while nobody waits for it, and the
//! file is read in ranges, whole records at a time.
//!
//! What the slice is at is in its token: the operation's id and how far its file has been read. The file's address is
//! asked anew for each range, so no address that opens a file to everyone is ever stored.
//!
//! Where Shopify can't make the file, the window is halved, or paged like any other. Nothing of a file that is not
//! whole is used.

use std::collections::BTreeMap;

use portolan_sdk::http;
use portolan_sdk::{
    ChunkInfo, Continuation, Error, FetchRequest, LogLevel, Page, Payload, RawChunk, Result, Slice, Text,
    Wait, log,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::ask;
use crate::fetch::{self, window};
use crate::lines::{Group, cut};
use crate::{bulk_queries, nested, queries};

/// What one call reads of a file; more where a single record is larger.
const RANGE_BYTES: u64 = 2 << 20;
/// As large as the manifest lets an answer be.
const LARGEST_RANGE_BYTES: u64 = 32 << 20;
/// Records of a chunk: as many as a page of orders has.
const CHUNK_RECORDS: usize = 100;
/// Operations that are begun for one window before it is paged.
const MOST_BEGUN: u32 = 3;
/// Questions about an operation of somebody else's, half a minute apart, before the window is paged.
const MOST_BUSY: u32 = 40;
const BUSY_MS: u64 = 30_000;
const LONGEST_POLL_MS: u64 = 15_000;
/// A window that is shorter is paged rather than halved.
const SHORTEST_SPLIT_S: i64 = 2 * 86_400;
const SECOND: i64 = 1_000_000;
/// The bucket of the manifest for the host of the files: its quota is not the shop's.
const FILES: &str = "files";

/// Where a slice stands; opaque to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// None: it is yet to be begun.
    operation: Option<String>,
    begun: u32,
    polls: u32,
    /// Bytes of the file that have been read.
    offset: u64,
    seen: u64,
    lines: u64,
    /// What Shopify counted when the slice began.
    counted: u64,
}

impl Token {
    pub fn new(counted: u64) -> Self {
        Self { operation: None, begun: 0, polls: 0, offset: 0, seen: 0, lines: 0, counted }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Operation<'a> {
    status: Text<'a>,
    error_code: Option<Text<'a>>,
    object_count: Text<'a>,
    root_object_count: Text<'a>,
    url: Option<Text<'a>>,
}

/// Begins an operation, or takes up one that was begun for the same window before a crash.
pub fn begin(request: &FetchRequest, root: &'static str, mut token: Token) -> Result<Page> {
    let text = bulk_queries::everything(root, window(&request.slice).as_deref());
    if let Some(running) = find_running(&text)? {
        token = Token { operation: Some(running), polls: 0, ..token };
        return waiting(token, 1_000, format!("Shopify writes the history of {root}"));
    }
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Data<'a> {
        begun: Begun<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
    struct Begun<'a> {
        bulk_operation: Option<Id<'a>>,
        user_errors: Vec<UserError<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Id<'a> {
        id: Text<'a>,
    }
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct UserError<'a> {
        message: Text<'a>,
        code: Option<Text<'a>>,
    }
    let answer = ask(&bulk_queries::begin(), &json!({ "query": text }))?;
    let Begun { bulk_operation, user_errors } = answer.data::<Data<'_>>()?.begun;
    if let Some(operation) = bulk_operation {
        let operation = Some(operation.id.as_str().to_owned());
        token = Token { operation, begun: token.begun + 1, polls: 0, ..token };
        return waiting(token, 1_000, format!("Shopify writes the history of {root}"));
    }
    let error = user_errors.first();
    match error.and_then(|error| error.code.as_deref()) {
        Some("OPERATION_IN_PROGRESS" | "LIMIT_REACHED") if token.polls < MOST_BUSY => {
            token.polls += 1;
            waiting(token, BUSY_MS, "other bulk operations of the shop have to end first".to_owned())
        }
        _ => {
            let why = error.map_or("it gave no reason", |error| error.message.as_str());
            give_up(request, root, why)
        }
    }
}

/// One that runs with exactly this question.
fn find_running(text: &str) -> Result<Option<String>> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Data<'a> {
        operations: Nodes<'a>,
    }
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Nodes<'a> {
        nodes: Vec<Known<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Known<'a> {
        id: Text<'a>,
        status: Text<'a>,
        query: Text<'a>,
    }
    let answer = ask(&bulk_queries::newest(), &json!({}))?;
    let known = answer.data::<Data<'_>>()?.operations.nodes;
    let running = known
        .into_iter()
        .find(|known| matches!(known.status.as_str(), "CREATED" | "RUNNING") && known.query.as_str() == text);
    Ok(running.map(|known| known.id.as_str().to_owned()))
}

/// Asks how the operation is, and reads on in its file.
pub fn go_on(request: &FetchRequest, root: &'static str, token: Token) -> Result<Page> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Data<'a> {
        operation: Option<Operation<'a>>,
    }
    let Some(id) = &token.operation else { return begin(request, root, token) };
    let answer = ask(&bulk_queries::operation(), &json!({ "id": id }))?;
    let Some(operation) = answer.data::<Data<'_>>()?.operation else {
        return again(request, root, token, "it is gone");
    };
    match operation.status.as_str() {
        "CREATED" | "RUNNING" | "CANCELING" => {
            let made = operation.root_object_count.parse::<u64>().unwrap_or_default();
            let why = format!("Shopify writes the history of {root}: {made} of {}", token.counted);
            let ms = (1_000_u64 << token.polls.min(4)).min(LONGEST_POLL_MS);
            waiting(Token { polls: token.polls + 1, ..token }, ms, why)
        }
        "COMPLETED" => match operation.url.as_deref() {
            Some(url) => read_on(request, root, token, &operation, url),
            None if operation.object_count.as_str() == "0" => {
                end(request, root, token, &operation, Vec::new())
            }
            None => again(request, root, token, "it has no file"),
        },
        "FAILED" => match operation.error_code.as_deref() {
            Some("ACCESS_DENIED") => {
                let detail =
                    format!("a bulk operation may not read all {root}: the access token lacks a scope");
                Err(Error::missing_scope(Vec::new(), detail))
            }
            Some("TIMEOUT") if token.seen == 0 => match halves(&request.slice) {
                Some(halves) => Ok(empty(Continuation::Split(halves))),
                None => give_up(request, root, "it took too long"),
            },
            code => again(request, root, token, &format!("it failed ({})", code.unwrap_or("no code"))),
        },
        "CANCELED" => again(request, root, token, "somebody cancelled it"),
        "EXPIRED" => again(request, root, token, "its file has expired"),
        other => Err(Error::upstream_bug(format!("a bulk operation has the unknown status {other:?}"))),
    }
}

/// The next whole records of the file.
fn read_on(
    request: &FetchRequest,
    root: &'static str,
    token: Token,
    operation: &Operation<'_>,
    url: &str,
) -> Result<Page> {
    let mut bytes = RANGE_BYTES;
    loop {
        let range = match read_range(url, token.offset, bytes) {
            Ok(Some(range)) => range,
            Ok(None) => return again(request, root, token, "the address of its file has expired"),
            // The host lets nobody fetch from there: Shopify has moved its files.
            Err(Error::PluginBug(why)) if token.seen == 0 => return give_up(request, root, &why),
            // They are sent whole, whatever range is asked for, and are too large for that.
            Err(Error::UpstreamBug(bug)) if token.seen == 0 && bug.status.is_none() => {
                return give_up(request, root, &bug.detail);
            }
            Err(error) => return Err(error),
        };
        let cut = cut(&range.body, range.is_last)?;
        if cut.bytes == 0 && !range.is_last {
            if bytes >= LARGEST_RANGE_BYTES {
                return Err(Error::upstream_bug("one record of a bulk operation is larger than 32 MiB"));
            }
            bytes *= 2;
            continue;
        }
        let ids = cut.groups.iter().flat_map(Group::refunds).collect::<Vec<_>>();
        let refunds = nested::read_refunds(&ids)?;
        if ids.iter().any(|id| !refunds.contains_key(*id)) {
            return again(request, root, token, "an order of it has been deleted since");
        }
        let chunks = chunks(&request.slice.stream, root, &cut.groups, &refunds)?;
        let next = Token {
            offset: token.offset + cut.bytes as u64,
            seen: token.seen + cut.groups.len() as u64,
            lines: token.lines + cut.lines,
            ..token.clone()
        };
        if range.is_last {
            if next.lines.to_string() != operation.object_count.as_str() {
                let why = format!("its file has {} of {} objects", next.lines, operation.object_count);
                return again(request, root, token, &why);
            }
            return end(request, root, next, operation, chunks);
        }
        let progress = (next.seen * 100 / next.counted.max(1)).min(99) as u8;
        let expected = Some(next.counted);
        let next = Continuation::More(fetch::to_bytes(&next)?);
        return Ok(Page { chunks, next, expected, progress: Some(progress) });
    }
}

/// The last page: what was seen has to be what Shopify wrote, and what it counted.
fn end(
    request: &FetchRequest,
    root: &'static str,
    token: Token,
    operation: &Operation<'_>,
    chunks: Vec<RawChunk>,
) -> Result<Page> {
    if token.seen.to_string() != operation.root_object_count.as_str() {
        let what = format!("{} of {} {root}", token.seen, operation.root_object_count);
        return Err(Error::upstream_bug(format!("the file of a bulk operation has {what}")));
    }
    let expected = fetch::expected(request, root, token.seen, Some(token.counted))?;
    Ok(Page { chunks, expected, ..empty(Continuation::Done) })
}

/// Bytes of a file.
struct Range {
    body: Vec<u8>,
    is_last: bool,
}

/// `None` where the address leads nowhere any more. No credential goes there: the address is enough.
fn read_range(url: &str, offset: u64, bytes: u64) -> Result<Option<Range>> {
    let wanted = format!("bytes={offset}-{}", offset + bytes - 1);
    let response = http::get(url).header("range", wanted).bucket(FILES, 1).without_auth().send_unchecked()?;
    if matches!(response.status(), 403 | 404 | 410) {
        return Ok(None);
    }
    let response = response.checked().map_err(of_files)?;
    if response.status() != 206 {
        // The whole file, whatever was asked for.
        let rest = usize::try_from(offset).ok().and_then(|offset| response.body().get(offset..));
        let rest = rest.unwrap_or_default();
        return Ok(Some(Range { body: rest.to_vec(), is_last: true }));
    }
    let told = response.header("content-range").and_then(told_range);
    let fits = |(first, last, total): &(u64, u64, u64)| *first == offset && first <= last && last < total;
    let Some((first, last, total)) = told.filter(fits) else {
        return Err(
            response.upstream_bug("the range of a bulk operation's file is not the one asked for".to_owned())
        );
    };
    if response.body().len() as u64 != last - first + 1 {
        return Err(Error::transient("the file of a bulk operation breaks off in the middle"));
    }
    Ok(Some(Range { body: response.body().to_vec(), is_last: last + 1 == total }))
}

/// Too many requests there are none too many for the shop.
fn of_files(error: Error) -> Error {
    match error {
        Error::RateLimited(mut retry) => {
            retry.bucket = Some(FILES.to_owned());
            Error::RateLimited(retry)
        }
        error => error,
    }
}

/// `bytes 0-99/1234`: first, last, total.
fn told_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
}

/// The records as pages would have brought them.
fn chunks(
    stream: &str,
    root: &'static str,
    groups: &[Group<'_>],
    refunds: &BTreeMap<String, String>,
) -> Result<Vec<RawChunk>> {
    let chunk = |groups: &[Group<'_>]| {
        let mut body = format!("{{\"data\":{{\"{root}\":{{\"nodes\":[");
        for (position, group) in groups.iter().enumerate() {
            body.push_str(if position == 0 { "" } else { "," });
            group.write(root, refunds, &mut body)?;
        }
        body.push_str("]}}}");
        let info = ChunkInfo {
            stream: stream.to_owned(),
            framing: format!("json:/data/{root}/nodes"),
            content_type: "application/json".to_owned(),
        };
        Ok(RawChunk { info, payload: Payload::Inline(body.into_bytes()) })
    };
    groups.chunks(CHUNK_RECORDS).map(chunk).collect()
}

/// Another operation for the same window. Once something of the file has been handed on, the host has to forget it
/// first: another file may have another order.
fn again(request: &FetchRequest, root: &'static str, token: Token, why: &str) -> Result<Page> {
    if token.seen > 0 {
        return Err(Error::CursorExpired(format!("of a bulk operation, {why}")));
    }
    if token.begun >= MOST_BEGUN {
        return give_up(request, root, why);
    }
    let next = Token { operation: None, polls: 0, ..token };
    waiting(next, 5_000, format!("Shopify is asked for the history of {root} again: {why}"))
}

/// Pages the window instead.
fn give_up(request: &FetchRequest, root: &'static str, why: &str) -> Result<Page> {
    log(
        LogLevel::Warn,
        "no bulk operation for this window, so it is paged",
        &[("stream", root), ("why", why)],
    );
    fetch::first_page(request, root)
}

fn waiting(token: Token, ms: u64, why: String) -> Result<Page> {
    let expected = Some(token.counted);
    let next = Continuation::Wait(Wait { token: fetch::to_bytes(&token)?, ms, why });
    Ok(Page { expected, ..empty(next) })
}

fn empty(next: Continuation) -> Page {
    Page { chunks: Vec::new(), next, expected: None, progress: None }
}

/// Both halves of a window, the newer one first, cut at a whole second.
fn halves(slice: &Slice) -> Option<Vec<Slice>> {
    let (since, until) = slice.since.zip(slice.until)?;
    if until - since < SHORTEST_SPLIT_S * SECOND {
        return None;
    }
    let middle = (since + (until - since) / 2).div_euclid(SECOND) * SECOND;
    let newer = Slice { since: Some(middle), ..slice.clone() };
    let older = Slice { until: Some(middle), ..slice.clone() };
    Some(vec![newer, older])
}

/// Whether a window's pages together cost more than is had at once.
pub fn pays(root: &str, counted: u64, least_points: u32) -> bool {
    let first = queries::page_size(root);
    let pages = counted.div_ceil(u64::from(first));
    pages * u64::from(queries::page(root, first, false).points) > u64::from(least_points)
}
