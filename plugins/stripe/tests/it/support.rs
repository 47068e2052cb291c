//! Puts the sandbox behind the plugin's imports.

use std::path::PathBuf;
use std::sync::Arc;

use portolan_plugin_stripe::Stripe;
use portolan_sandbox_stripe::{Question, Reply, Sandbox};
use portolan_sdk::testing::{Answer, Call, Host, Output, Run, connection, slice};
use portolan_sdk::{Chunk, Connection, Instant, Mode, Result, Slice};
use serde_json::{Value, json};

pub const STREAMS: [&str; 9] = [
    "balance_transactions",
    "payouts",
    "charges",
    "refunds",
    "disputes",
    "payment_intents",
    "customers",
    "products",
    "events",
];

/// A host with an account of the sandbox as its channel.
pub fn host(sandbox: &Arc<Sandbox>, account: &'static str) -> Host {
    let sandbox = Arc::clone(sandbox);
    Host::new().upstream(move |call| {
        let (path, query) = call.url.split_once('?').unwrap_or((&call.url, ""));
        to_answer(&sandbox.answer(Question {
            account: Some(account),
            authorization: Some("Bearer rk_test_sandbox"),
            version: header(call, "Stripe-Version"),
            fault: None,
            path,
            query,
        }))
    })
}

pub fn header<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn to_answer(reply: &Reply) -> Answer {
    let content_type = reply.headers.iter().find(|(name, _)| *name == "content-type");
    let content_type = content_type.map_or("", |(_, value)| value.as_str());
    let answer = Answer::new(reply.status, content_type, reply.body.clone());
    let others = reply.headers.iter().filter(|(name, _)| *name != "content-type");
    others.fold(answer, |answer, (name, value)| answer.header(name, value))
}

pub fn account() -> Connection {
    connection("{}")
}

/// A window of a stream, in seconds since 1970.
pub fn window(stream: &str, since: Option<i64>, until: Option<i64>, mode: Mode) -> Slice {
    let micros = |seconds: i64| -> Instant { seconds * 1_000_000 };
    Slice { since: since.map(micros), until: until.map(micros), mode, ..slice(stream) }
}

/// A stream as a first sync reads it.
pub fn whole(stream: &str) -> Slice {
    window(stream, None, None, Mode::Backfill)
}

/// Runs a slice to its end, checking what the host checks and that every record is accounted for.
pub fn sync(sandbox: &Arc<Sandbox>, name: &'static str, slice: &Slice) -> Result<Run> {
    let run = host(sandbox, name).sync::<Stripe>(&account(), slice)?;
    assert_eq!(run.output.seen, run.output.emitted + run.output.skipped.len() as u64);
    Ok(run)
}

/// What the stream makes of objects that a list holds: they go the whole way, through `fetch` too.
pub fn map(stream: &str, objects: &[Value]) -> Output {
    map_with(stream, objects, "{}")
}

pub fn map_with(stream: &str, objects: &[Value], config: &str) -> Output {
    let page =
        json!({ "object": "list", "data": objects, "has_more": false, "url": format!("/v1/{stream}") });
    // No payout of theirs has entries.
    let empty = r#"{"object":"list","data":[],"has_more":false,"url":"/v1/balance_transactions"}"#;
    let host = Host::new().upstream(move |call| {
        Answer::json(if call.url.contains("payout=") { empty.to_owned() } else { page.to_string() })
    });
    let run = host.sync::<Stripe>(&connection(config), &whole(stream)).expect("a run");
    assert_eq!(run.output.seen, objects.len() as u64);
    run.output
}

/// Only what `normalize` does, of records as they are staged.
pub fn normalize(stream: &str, objects: &Value) -> Result<Output> {
    let chunk = Chunk {
        stream: stream.to_owned(),
        framing: "json:/data".to_owned(),
        content_type: "application/json".to_owned(),
        body: json!({ "data": objects }).to_string().into_bytes(),
        config: "{}".to_owned(),
        time_zone: "UTC".to_owned(),
        received_at: 0,
    };
    Host::new().normalize::<Stripe>(&chunk)
}

/// The files beside the repository, where they are.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs").join(path);
    if !path.exists() {
        say("skipped: ../shared not present");
        return None;
    }
    Some(path)
}

pub fn shared_json(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared(path)?).expect("a file");
    Some(serde_json::from_str(&text).expect("JSON"))
}

#[expect(clippy::print_stderr, reason = "what was left out or counted is to be seen in the test's output")]
pub fn say(text: &str) {
    eprintln!("{text}");
}
