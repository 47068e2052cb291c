//! Puts the sandbox behind the plugin's imports.

use std::collections::BTreeSet;

use portolan_plugin_shopify::{ENDPOINT, Shopify};
use portolan_sandbox_shopify::{Reply, Sandbox};
use portolan_sdk::testing::{Answer, Call, Host, Output, connection, request, slice};
use portolan_sdk::{
    Chunk, Connection, Continuation, Error, FetchRequest, Instant, Mode, Page, Payload, Result, Slice,
};

pub const TOKEN: &str = "shpat_sandbox";

/// What one call of `fetch` did.
pub struct Fetched {
    pub page: Result<Page>,
    pub calls: Vec<Call>,
    pub limits: Vec<(String, u32, u64)>,
}

/// Calls `fetch` with the sandbox as the channel. The test host knows only answers given before, so
/// the call is repeated with one more answer each time until it asks nothing new.
pub fn fetch(sandbox: &Sandbox, shop: &str, request: &FetchRequest) -> Fetched {
    let mut answers: Vec<(String, Answer)> = Vec::new();
    loop {
        let unanswered = || Answer::status(599);
        let mut host = Host::new().upstream(move |_| unanswered());
        for (route, answer) in &answers {
            host = host.answer(route, answer.clone());
        }
        let routes = answers.iter().map(|(route, _)| route).collect::<BTreeSet<_>>();
        let host = routes.into_iter().fold(host, |host, route| host.answer(route, unanswered()));
        let page = host.fetch::<Shopify>(request);
        let calls = host.calls();
        match calls.get(answers.len()) {
            None => return Fetched { page, calls, limits: host.observed_limits() },
            Some(call) => answers.push((route(call), to_answer(&answer(sandbox, shop, call)))),
        }
    }
}

fn route(call: &Call) -> String {
    let path = call.url.split('?').next().unwrap_or_default();
    format!("{} {path}", call.method)
}

/// What the channel answers, or the host where it keeps its files.
fn answer(sandbox: &Sandbox, shop: &str, call: &Call) -> Reply {
    let Some(file) = call.url.strip_prefix("https://storage.googleapis.com/shopify-sandbox/") else {
        assert_eq!(call.url, ENDPOINT);
        return sandbox.answer(Some(shop), Some(TOKEN), None, &call.body);
    };
    assert_eq!(call.auth.as_deref(), Some(""), "no credential leaves the shop");
    let (shop, name) = file.split('?').next().and_then(|path| path.split_once('/')).expect("a file");
    let range = call.headers.iter().find(|(name, _)| name == "range").map(|(_, value)| value.as_str());
    sandbox.answer_file(shop, name, range, None)
}

pub fn to_answer(reply: &Reply) -> Answer {
    let content_type = reply.headers.iter().find(|(name, _)| *name == "content-type");
    let content_type = content_type.map_or("", |(_, value)| value.as_str());
    let answer = Answer::new(reply.status, content_type, reply.body.clone());
    let others = reply.headers.iter().filter(|(name, _)| *name != "content-type");
    others.fold(answer, |answer, (name, value)| answer.header(name, value))
}

pub fn connection_to(shop: &str) -> Connection {
    connection(&format!(r#"{{"shop":"{shop}.myshopify.com"}}"#))
}

/// A window of a stream, in seconds since 1970: by pages.
pub fn window(stream: &str, since: Option<i64>, until: Option<i64>) -> Slice {
    let micros = |seconds: i64| -> Instant { seconds * 1_000_000 };
    Slice { since: since.map(micros), until: until.map(micros), mode: Mode::Incremental, ..slice(stream) }
}

/// The same as history: by a bulk operation, where it is large.
pub fn history(stream: &str, since: Option<i64>, until: Option<i64>) -> Slice {
    Slice { mode: Mode::Backfill, ..window(stream, since, until) }
}

/// A connection that fetches all history by bulk operations.
pub fn bulk_connection_to(shop: &str) -> Connection {
    connection(&format!(r#"{{"shop":"{shop}.myshopify.com","bulk_from_points":1}}"#))
}

/// A slice that ran to its end.
#[derive(Default)]
pub struct Synced {
    pub output: Output,
    pub chunks: Vec<Chunk>,
    pub pages: usize,
    pub requests: usize,
    pub waits: usize,
    /// What it waited for.
    pub whys: Vec<String>,
    pub expected: Option<u64>,
}

impl Synced {
    fn add(&mut self, other: Self) {
        self.output.add(other.output);
        self.chunks.extend(other.chunks);
        self.pages += other.pages;
        self.requests += other.requests;
        self.waits += other.waits;
        self.whys.extend(other.whys);
        self.expected = None;
    }
}

/// Fetches every page and normalises every chunk, checking what the host checks.
pub fn sync(sandbox: &Sandbox, shop: &str, slice: &Slice) -> Result<Synced> {
    sync_over(sandbox, shop, &connection_to(shop), slice)
}

/// The same over a connection with other settings.
pub fn sync_over(sandbox: &Sandbox, shop: &str, connection: &Connection, slice: &Slice) -> Result<Synced> {
    let mut synced = Synced::default();
    let mut request = request(connection, slice, None);
    loop {
        let fetched = fetch(sandbox, shop, &request);
        synced.requests += fetched.calls.len();
        let page = fetched.page?;
        synced.pages += 1;
        synced.expected = page.expected.or(synced.expected);
        for raw in page.chunks {
            let Payload::Inline(body) = raw.payload else {
                return Err(Error::PluginBug("staged".to_owned()));
            };
            let chunk = Chunk {
                stream: raw.info.stream,
                framing: raw.info.framing,
                content_type: raw.info.content_type,
                body,
                config: connection.config.clone(),
                time_zone: connection.time_zone.clone(),
                received_at: connection.now,
            };
            synced.output.add(normalize(&chunk)?);
            synced.chunks.push(chunk);
        }
        let token = match page.next {
            Continuation::Done => break,
            Continuation::More(token) => token,
            Continuation::Wait(wait) => {
                synced.waits += 1;
                synced.whys.push(wait.why);
                wait.token
            }
            Continuation::Split(parts) => {
                for part in parts {
                    synced.add(sync_over(sandbox, shop, connection, &part)?);
                }
                return Ok(synced);
            }
        };
        assert_ne!(request.token.as_ref(), Some(&token), "a token repeats");
        request.token = Some(token);
    }
    let output = &synced.output;
    assert_eq!(output.seen, output.emitted + output.skipped.len() as u64);
    if let Some(expected) = synced.expected {
        assert_eq!(output.seen, expected, "the count of the channel");
    }
    Ok(synced)
}

pub fn normalize(chunk: &Chunk) -> Result<Output> {
    Host::new().normalize::<Shopify>(chunk)
}

/// A chunk of one page, as the host would store it.
pub fn chunk(stream: &str, nodes: &serde_json::Value) -> Chunk {
    Chunk {
        stream: stream.to_owned(),
        framing: format!("json:/data/{stream}/nodes"),
        content_type: "application/json".to_owned(),
        body: serde_json::json!({ "data": { stream: { "nodes": nodes } } }).to_string().into_bytes(),
        config: r#"{"shop":"demo.myshopify.com"}"#.to_owned(),
        time_zone: "UTC".to_owned(),
        received_at: 0,
    }
}

/// The files beside the repository, where they are.
pub fn shared(path: &str) -> Option<std::path::PathBuf> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs/shopify").join(path);
    if !path.exists() {
        say("skipped: ../shared not present");
        return None;
    }
    Some(path)
}

#[expect(clippy::print_stderr, reason = "what was left out or counted is to be seen in the test's output")]
pub fn say(text: &str) {
    eprintln!("{text}");
}
