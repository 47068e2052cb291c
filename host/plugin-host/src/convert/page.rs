//! What crosses the boundary around a fetch: connection, request, page, partitions, report.

use bytes::Bytes;
use portolan_connector::{
    CheckReport, ChunkInfo, ConnectionContext, Continuation, Fault, FetchRequest, Manifest, Page, Partition,
    Payload, RawChunk, SliceMode, SliceSpec, WaitFor,
};
use portolan_core::Instant;

use super::check::is_in_calendar;
use crate::bindings::portolan::plugin::sync as wit;
use crate::options::Limits;
use crate::text::Scrubber;

const MAX_WAIT_MS: u64 = 24 * 3_600_000;
/// Beyond any channel, and within what the tables hold.
const MAX_EXPECTED: u64 = 1_000_000_000_000;
const MAX_NOTES: usize = 20;
const MAX_PARTITION_DATA: usize = 16 << 10;

pub fn connection(
    context: &ConnectionContext,
    config: &str,
    base_url: Option<String>,
    now: Instant,
) -> wit::Connection {
    wit::Connection { config: config.to_owned(), base_url, time_zone: context.time_zone.clone(), now: now.0 }
}

pub fn fetch_request(request: &FetchRequest, conn: wit::Connection) -> wit::FetchRequest {
    wit::FetchRequest {
        conn,
        slice: to_slice(&request.slice),
        token: request.token.as_ref().map(|token| token.to_vec()),
        deadline: request.deadline.0,
    }
}

fn to_slice(slice: &SliceSpec) -> wit::Slice {
    wit::Slice {
        stream: slice.stream.clone(),
        partition: slice.partition.as_ref().map(|partition| wit::Partition {
            key: partition.key.clone(),
            label: partition.label.clone(),
            data: partition.data.clone(),
        }),
        since: slice.since.map(|since| since.0),
        until: slice.until.map(|until| until.0),
        mode: match slice.mode {
            SliceMode::Incremental => wit::Mode::Incremental,
            SliceMode::Backfill => wit::Mode::Backfill,
            SliceMode::Snapshot => wit::Mode::Snapshot,
        },
    }
}

/// What a page is checked against.
pub struct PageCheck<'a> {
    pub manifest: &'a Manifest,
    pub limits: &'a Limits,
    pub scrubber: &'a Scrubber,
    /// The slice that the page belongs to: a split stays inside it.
    pub slice: &'a SliceSpec,
    /// Whether a staged payload exists.
    pub staged: &'a dyn Fn(u64) -> bool,
}

/// Errors: the plugin's bug, or an output that is too large.
pub fn page(check: &PageCheck<'_>, page: wit::Page) -> Result<Page, Fault> {
    if page.chunks.len() > check.limits.chunks {
        return Err(too_large(format!("a page has more than {} chunks", check.limits.chunks)));
    }
    let inline_bytes: usize = page
        .chunks
        .iter()
        .map(|chunk| match &chunk.payload {
            wit::Payload::Inline(body) => body.len(),
            wit::Payload::Staged(_) => 0,
        })
        .sum();
    if inline_bytes > check.limits.page_bytes {
        return Err(too_large(format!(
            "a page has {} MiB, the limit is {} MiB: ask the channel for fewer records, or use download",
            inline_bytes >> 20,
            check.limits.page_bytes >> 20
        )));
    }
    let chunks = page.chunks.into_iter().map(|chunk| raw_chunk(check, chunk)).collect::<Result<_, _>>()?;
    let next = continuation(check, page.next)?;
    let mut answer = Page::new(chunks, next);
    if page.expected.is_some_and(|expected| expected > MAX_EXPECTED) {
        return Err(bug(format!(
            "a page announces more than {MAX_EXPECTED} records: return no count where the channel tells none"
        )));
    }
    answer.expected = page.expected;
    answer.progress_percent = page.progress.map(|progress| progress.min(100));
    Ok(answer)
}

fn raw_chunk(check: &PageCheck<'_>, chunk: wit::RawChunk) -> Result<RawChunk, Fault> {
    if check.manifest.stream(&chunk.info.stream).is_none() {
        let stream = check.scrubber.clean(&chunk.info.stream, 60);
        return Err(bug(format!("a chunk names the stream {stream:?}, which the manifest does not declare")));
    }
    if chunk.info.framing.len() > 2_000 || chunk.info.content_type.len() > 200 {
        return Err(bug("a chunk's framing or content type is too long".to_owned()));
    }
    if chunk.info.framing.chars().any(char::is_control) {
        return Err(bug("a chunk's framing contains control characters".to_owned()));
    }
    let payload = match chunk.payload {
        wit::Payload::Inline(body) => Payload::Inline(Bytes::from(body)),
        wit::Payload::Staged(id) if (check.staged)(id) => Payload::Staged(id),
        wit::Payload::Staged(id) => {
            return Err(bug(format!("a chunk names file {id}, which was not staged for it")));
        }
    };
    let info = ChunkInfo {
        stream: chunk.info.stream,
        framing: chunk.info.framing,
        content_type: check.scrubber.clean(&chunk.info.content_type, 200),
    };
    Ok(RawChunk { info, payload })
}

fn continuation(check: &PageCheck<'_>, next: wit::Continuation) -> Result<Continuation, Fault> {
    Ok(match next {
        wit::Continuation::Done => Continuation::Done,
        wit::Continuation::More(bytes) => Continuation::More(token(check, bytes)?),
        wit::Continuation::Wait(wait) => Continuation::Wait(WaitFor {
            token: token(check, wait.token)?,
            wait_ms: wait.ms.min(MAX_WAIT_MS),
            why: check.scrubber.clean(&wait.why, 300),
        }),
        wit::Continuation::Split(slices) => {
            if slices.is_empty() {
                return Err(bug("a split names no slices: return done where there is nothing".to_owned()));
            }
            if slices.len() > check.limits.split_slices {
                return Err(too_large(format!("a split has more than {} slices", check.limits.split_slices)));
            }
            Continuation::Split(
                slices.into_iter().map(|slice| from_slice(check, slice)).collect::<Result<_, _>>()?,
            )
        }
    })
}

fn token(check: &PageCheck<'_>, bytes: Vec<u8>) -> Result<Bytes, Fault> {
    if bytes.len() > check.limits.token_bytes {
        return Err(too_large(format!(
            "a page token has {} bytes, the limit is {}: keep a position in it, not data",
            bytes.len(),
            check.limits.token_bytes
        )));
    }
    Ok(Bytes::from(bytes))
}

fn from_slice(check: &PageCheck<'_>, slice: wit::Slice) -> Result<SliceSpec, Fault> {
    let (since, until) = (slice.since.map(Instant), slice.until.map(Instant));
    if [since, until].into_iter().flatten().any(|instant| !is_in_calendar(instant)) {
        return Err(bug(
            "a split has a slice outside the years 1 to 9999: instants are microseconds since 1970"
                .to_owned(),
        ));
    }
    let outside = slice.stream != check.slice.stream
        || since < check.slice.since
        || match (until, check.slice.until) {
            (None, Some(_)) => true,
            (Some(until), Some(whole)) => until > whole,
            _ => false,
        };
    if outside {
        return Err(bug("a split reaches beyond the slice that it splits".to_owned()));
    }
    if matches!((since, until), (Some(since), Some(until)) if since >= until) {
        return Err(bug("a split has a slice that ends before it begins".to_owned()));
    }
    Ok(SliceSpec {
        stream: slice.stream,
        partition: slice.partition.map(|item| partition(item, check.scrubber)).transpose()?,
        since,
        until,
        mode: match slice.mode {
            wit::Mode::Incremental => SliceMode::Incremental,
            wit::Mode::Backfill => SliceMode::Backfill,
            wit::Mode::Snapshot => SliceMode::Snapshot,
        },
    })
}

pub fn partitions(
    partitions: Vec<wit::Partition>,
    limits: &Limits,
    scrubber: &Scrubber,
) -> Result<Vec<Partition>, Fault> {
    if partitions.len() > limits.partitions {
        return Err(too_large(format!("a stream has more than {} partitions", limits.partitions)));
    }
    partitions.into_iter().map(|item| partition(item, scrubber)).collect()
}

fn partition(item: wit::Partition, scrubber: &Scrubber) -> Result<Partition, Fault> {
    if item.key.is_empty()
        || item.key.len() > 255
        || item.key.contains('\0')
        || item.data.len() > MAX_PARTITION_DATA
        || item.data.contains('\0')
    {
        return Err(bug(
            "a partition needs a key of 1 to 255 bytes and at most 16 KiB of data, both without NUL"
                .to_owned(),
        ));
    }
    Ok(Partition { key: item.key, label: scrubber.clean(&item.label, 200), data: item.data })
}

pub fn check_report(report: wit::CheckReport, scrubber: &Scrubber) -> Result<CheckReport, Fault> {
    let currency = match report.currency {
        Some(code) => {
            Some(code.parse().map_err(|error| bug(format!("check names a currency that is none: {error}")))?)
        }
        None => None,
    };
    Ok(CheckReport {
        account: scrubber.clean(&report.account, 200),
        display_name: scrubber.clean(&report.display_name, 200),
        currency,
        time_zone: report.time_zone.map(|zone| scrubber.clean(&zone, 60)),
        notes: report.notes.iter().take(MAX_NOTES).map(|note| scrubber.clean(note, 500)).collect(),
    })
}

fn bug(detail: String) -> Fault {
    Fault::PluginBug { detail }
}

fn too_large(detail: String) -> Fault {
    Fault::Stopped { limit: "output".to_owned(), detail }
}
