//! A whole slice: fetch page by page, normalise every chunk, add up.

use super::cut::{Aim, cut_delimited};
use super::stub::{Host, Output};
use crate::{
    Chunk, Connection, Connector, Continuation, Error, Event, FetchRequest, Instant, Mode, Payload, Result,
    Slice,
};

/// The moment of every test run: 2026-01-01T00:00:00Z.
pub const NOW: Instant = 1_767_225_600_000_000;

/// A connection with this config, in UTC.
pub fn connection(config: &str) -> Connection {
    Connection { config: config.to_owned(), base_url: None, time_zone: "UTC".to_owned(), now: NOW }
}

/// A slice of a stream without a window.
pub fn slice(stream: &str) -> Slice {
    Slice { stream: stream.to_owned(), partition: None, since: None, until: None, mode: Mode::Snapshot }
}

/// An event as the host hands it over: a POST of JSON, with this topic.
pub fn event(topic: Option<&str>, body: impl Into<Vec<u8>>) -> Event {
    Event {
        topic: topic.map(str::to_owned),
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.into(),
    }
}

/// A request for the page at a token.
pub fn request(connection: &Connection, slice: &Slice, token: Option<&str>) -> FetchRequest {
    FetchRequest {
        conn: connection.clone(),
        slice: slice.clone(),
        token: token.map(|token| token.as_bytes().to_vec()),
        deadline: connection.now + 60_000_000,
    }
}

/// A slice that ran to its end.
#[derive(Debug, Default)]
pub struct Run {
    pub output: Output,
    pub chunks: Vec<Chunk>,
    pub pages: usize,
    /// The last count that the channel gave.
    pub expected: Option<u64>,
}

impl Host {
    /// Runs one slice: every page until it is done, every chunk normalised at once. A repeated
    /// token or a count that differs from the channel's is an error, as on the real host. Pages
    /// that ask to wait go on at once; a split is run part by part.
    pub fn sync<C: Connector>(&self, connection: &Connection, slice: &Slice) -> Result<Run> {
        let run = self.sync_pages::<C>(connection, slice, usize::MAX)?;
        if run.expected.is_some_and(|expected| expected != run.output.seen) {
            return Err(Error::upstream_bug(format!("seen {} of {:?}", run.output.seen, run.expected)));
        }
        Ok(run)
    }

    /// The same, of its first pages alone: the channel's own count is then not compared.
    pub(crate) fn sync_pages<C: Connector>(
        &self,
        connection: &Connection,
        slice: &Slice,
        most_pages: usize,
    ) -> Result<Run> {
        let mut run = Run::default();
        self.run_slice::<C>(connection, slice, most_pages, &mut run)?;
        Ok(run)
    }

    fn run_slice<C: Connector>(
        &self,
        connection: &Connection,
        slice: &Slice,
        most_pages: usize,
        run: &mut Run,
    ) -> Result<()> {
        let mut token: Option<Vec<u8>> = None;
        let mut tokens = Vec::new();
        loop {
            if run.pages >= most_pages {
                return Ok(());
            }
            let mut request = request(connection, slice, None);
            request.token = token.clone();
            let page = self.fetch::<C>(&request)?;
            run.pages += 1;
            run.expected = page.expected.or(run.expected);
            for chunk in page.chunks {
                let body = match chunk.payload {
                    Payload::Inline(body) => body,
                    Payload::Staged(id) => {
                        let missing = || Error::PluginBug(format!("there is no file {id}"));
                        self.file_body(id).ok_or_else(missing)?
                    }
                };
                let chunk = Chunk {
                    stream: chunk.info.stream,
                    framing: chunk.info.framing,
                    content_type: chunk.info.content_type,
                    body,
                    config: connection.config.clone(),
                    time_zone: connection.time_zone.clone(),
                    received_at: connection.now,
                };
                let delimited = ["csv", "tsv"].iter().any(|family| chunk.framing.starts_with(family));
                let cut = if delimited { cut_delimited(chunk, Aim::default())? } else { vec![chunk] };
                for chunk in cut {
                    run.output.add(self.normalize::<C>(&chunk)?);
                    run.chunks.push(chunk);
                }
            }
            token = match page.next {
                Continuation::Done => return Ok(()),
                Continuation::More(token) => Some(token),
                Continuation::Wait(wait) => Some(wait.token),
                Continuation::Split(slices) => {
                    for part in &slices {
                        self.run_slice::<C>(connection, part, most_pages, run)?;
                    }
                    return Ok(());
                }
            };
            if tokens.contains(&token) {
                return Err(Error::upstream_bug("the page token repeats"));
            }
            tokens.push(token.clone());
        }
    }
}

impl Output {
    /// Adds another chunk's output; `src` stays an index into that chunk.
    pub fn add(&mut self, other: Output) {
        self.documents.append(other.documents);
        self.skipped.extend(other.skipped);
        self.seen += other.seen;
        self.emitted += other.emitted;
        self.largest_batch = self.largest_batch.max(other.largest_batch);
    }
}
