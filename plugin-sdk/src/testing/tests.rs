//! The test host keeps the real host's rules.

use super::*;
use crate::commerce::Product;
use crate::{
    Chunk, Connection, Connector, Continuation, Control, ControlTotals, Error, Event, FetchRequest, Moment,
    Outcome, Page, Payload, Result, Sink, Slice, Webhook, each, http, pager,
};

struct Shop;

impl Connector for Shop {
    fn fetch(request: &FetchRequest) -> Result<Page> {
        let answer = http::get("/things").query("after", request.cursor().unwrap_or("0")).send()?;
        let next = pager::cursor(&answer, "/next")?;
        let expected = answer.text_at("/count")?.and_then(|count| count.parse().ok());
        Ok(Page { expected, ..answer.into_page("things", "json:/things", next) })
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        each(chunk, out, |src, id: u64, out| {
            out.push(Product::new(src, id.to_string(), Moment::At(chunk.received_at), "thing"));
            Ok(())
        })
    }
}

fn run(cassette: &str) -> Result<Run> {
    let host = Host::new().cassette(cassette).expect("a cassette");
    host.sync::<Shop>(&connection("{}"), &slice("things"))
}

#[test]
fn a_slice_runs_to_its_end() {
    let run = run(r#"[
        {"request": "GET /things?after=0", "body": {"things": [1, 2], "next": "b", "count": 3}},
        {"request": "GET /things?after=b", "body": {"things": [3], "next": null}}
    ]"#)
    .expect("a run");
    assert_eq!((run.pages, run.output.products.len(), run.expected), (2, 3, Some(3)));
}

/// As `portolan connection record` writes it: of a longer channel, the first two pages.
const RECORDED: &str = r#"{
  "format": "portolan-cassette 1",
  "plugin": { "id": "shop", "version": "1.0.0" },
  "now": "2026-01-01T00:00:00Z",
  "time_zone": "Europe/Berlin",
  "config": { "shop": "acme" },
  "takes": [{
    "stream": "things", "mode": "backfill", "since": "2025-12-01T00:00:00Z", "pages": 2,
    "exchanges": [
      { "request": { "method": "GET", "url": "/things?after=0" },
        "response": { "status": 200, "headers": { "content-type": "application/json" },
          "body": { "json": { "things": [1, 2], "next": "b", "count": 9 } } } },
      { "request": { "method": "GET", "url": "/things?after=b" },
        "response": { "status": 200, "body": { "json": { "things": [3], "next": "c" } } } }
    ]
  }]
}"#;

#[test]
fn a_recorded_cassette_is_replayed_as_far_as_it_goes() {
    let cassette = Cassette::read(RECORDED).expect("a cassette");
    let connection = cassette.connection().expect("a connection");
    assert_eq!((connection.now, connection.time_zone.as_str()), (NOW, "Europe/Berlin"));
    let replayed = cassette.replay::<Shop>().expect("a replay");
    assert_eq!((replayed.len(), replayed[0].stream.as_str()), (1, "things"));
    assert_eq!((replayed[0].run.pages, replayed[0].run.output.products.len()), (2, 3));
}

#[test]
fn a_request_that_was_not_recorded_and_another_format_fail() {
    let other = Cassette::read(&RECORDED.replace("after=b", "after=x")).expect("a cassette");
    assert!(matches!(other.replay::<Shop>(), Err(Error::PluginBug(why)) if why.contains("after=b")));
    struct Careless;
    impl Connector for Careless {
        fn fetch(request: &FetchRequest) -> Result<Page> {
            let _ = http::get("/not-recorded").send();
            Shop::fetch(request)
        }
        fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
            Shop::normalize(chunk, out)
        }
    }
    let passed_over = Cassette::read(RECORDED).expect("a cassette").replay::<Careless>();
    assert!(matches!(passed_over, Err(Error::PluginBug(why)) if why.contains("/not-recorded")));
    let newer = Cassette::read(&RECORDED.replace("cassette 1", "cassette 2"));
    assert!(matches!(newer, Err(Error::PluginBug(why)) if why.contains("cassette 2")));
}

#[test]
fn a_repeated_token_fails_the_slice() {
    let result = run(r#"[{"request": "GET /things", "body": {"things": [], "next": "b"}}]"#);
    assert!(matches!(result, Err(Error::UpstreamBug(bug)) if bug.detail.contains("repeats")));
}

#[test]
fn a_count_that_differs_fails_the_slice() {
    let result = run(r#"[{"request": "GET /things", "body": {"things": [1], "count": 2}}]"#);
    assert!(matches!(result, Err(Error::UpstreamBug(_))));
}

#[test]
fn answers_come_in_order_and_the_last_one_stays() {
    let host = Host::new().answer("GET /x", Answer::status(500)).answer("GET /x", Answer::json("1"));
    let statuses = host.run(|| [(); 3].map(|()| http::get("/x").send().is_ok()));
    assert_eq!(statuses, [false, true, true]);
    assert_eq!(host.calls().len(), 3);
}

#[test]
fn an_upstream_answers_what_has_no_answer_of_its_own() {
    let host = Host::new()
        .answer("GET /things?after=0", Answer::json(r#"{"things": [1], "next": "b"}"#))
        .upstream(|call| Answer::json(format!(r#"{{"things": [{}]}}"#, call.url.len())));
    let run = host.sync::<Shop>(&connection("{}"), &slice("things")).expect("a run");
    assert_eq!((run.output.products.len(), host.calls().len()), (2, 2));
    assert_eq!(run.output.products[1].key, "15", "the length of /things?after=b");
}

#[test]
fn an_unanswered_request_says_so() {
    let result = Host::new().run(|| http::get("/y").send());
    assert!(matches!(result, Err(Error::PluginBug(why)) if why.contains("GET /y")));
}

#[test]
fn a_page_without_chunks_is_done() {
    struct Empty;
    impl Connector for Empty {
        fn fetch(_: &FetchRequest) -> Result<Page> {
            Ok(Page { chunks: Vec::new(), next: Continuation::Done, expected: Some(0), progress: None })
        }
        fn normalize(_: &Chunk, _: &mut Sink) -> Result<()> {
            Ok(())
        }
    }
    let run = Host::new().sync::<Empty>(&connection("{}"), &slice("x")).expect("a run");
    assert_eq!(run.output, Output::default());
}

impl Webhook for Shop {
    fn handle(_: &Connection, event: &Event) -> Result<Outcome> {
        let outcome = match event.topic.as_deref() {
            Some("things/changed") => Outcome::carries(event, "things", "json"),
            Some("something/happened") => Outcome::pokes(vec![slice("things")]),
            _ => Outcome::nothing(),
        };
        Ok(outcome.with_id(event.json::<u64>()?.to_string()))
    }
}

impl Control for Shop {
    fn totals(_: &Connection, _: &Slice) -> Result<ControlTotals> {
        let count = http::get("/count").send()?.text_at("/count")?.and_then(|count| count.parse().ok());
        Ok(ControlTotals { count, sums: vec![("EUR".to_owned(), 1250)] })
    }
}

#[test]
fn an_event_carries_records_or_pokes_slices() {
    let host = Host::new();
    let handle = |topic, body| host.handle::<Shop>(&connection("{}"), &event(topic, body));
    let carried = handle(Some("things/changed"), "7").expect("an outcome");
    assert_eq!((carried.event_id.as_deref(), carried.poke.len()), (Some("7"), 0));
    assert_eq!(carried.chunks[0].payload, Payload::Inline(b"7".to_vec()));
    assert_eq!(carried.chunks[0].info.content_type, "application/json");
    let poked = handle(Some("something/happened"), "8").expect("an outcome");
    assert_eq!((poked.chunks.len(), poked.poke), (0, vec![slice("things")]));
    assert_eq!(handle(None, "9").expect("an outcome").with_id("x"), Outcome::nothing().with_id("x"));
    assert!(matches!(handle(None, "{"), Err(Error::UpstreamBug(_))));
}

#[test]
fn a_channel_can_be_asked_for_its_totals() {
    let host = Host::new().answer("GET /count", Answer::json(r#"{"count": 3}"#));
    let totals = host.totals::<Shop>(&connection("{}"), &slice("things")).expect("totals");
    assert_eq!((totals.count, totals.sums), (Some(3), vec![("EUR".to_owned(), 1250)]));
}

#[test]
fn a_secret_signs_without_being_seen() {
    // RFC 4231, test case 2.
    let host = Host::new().secret("key", "Jefe");
    let message = b"what do ya want for nothing?";
    let signature = host.run(|| crate::sign("key", "hmac-sha256", message)).expect("a signature");
    assert_eq!(signature[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    assert_eq!(host.run(|| crate::verify("key", "hmac-sha256", message, &signature)), Ok(true));
    assert_eq!(host.run(|| crate::verify("key", "hmac-sha256", b"else", &signature)), Ok(false));
    assert!(host.run(|| crate::sign("other", "hmac-sha256", message)).is_err());
}
