//! Pages of a stream, and what a page leaves to be asked besides: a payout's entries, an event's object.

use std::collections::VecDeque;

use portolan_sdk::http::{self, Response};
use portolan_sdk::{
    ChunkInfo, Continuation, Error, FetchRequest, Instant, LogLevel, Page, Payload, RawChunk, Result, Slice,
    log,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::{ask, get, judge, read, refuses_expansion};
use crate::keep;
use crate::streams::{ENTRY_EXPANSIONS, Stream, kept};
use crate::unknown_stream;

/// The most objects that Stripe puts on a page.
const PAGE: &str = "100";

/// How many objects are fetched again in one call.
const TOGETHER: usize = 10;

/// What happens to an object so soon after it was made, the lists tell by themselves: the manifest's `lag_seconds`
/// keep them from reading an object that is younger. Most events are of this kind.
const SETTLED_S: i64 = 60;

/// Where a slice stands; opaque to the host.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// The last object of the list's page before.
    after: Option<String>,
    /// Whether the list has ended.
    ended: bool,
    /// What is asked before the list goes on.
    todo: VecDeque<Todo>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Todo {
    /// The entries of a payout.
    Entries { payout: String, created: i64, after: Option<String> },
    /// An object that an event names.
    Object { object: String, id: String },
}

/// A page of a list.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    has_more: bool,
}

/// What every object says of itself. Whether the rest of it can be read is for `normalize` to find out.
#[derive(Deserialize)]
struct Identity {
    object: String,
    id: String,
    #[serde(default)]
    created: Value,
    #[serde(default)]
    automatic: Value,
}

/// Records of a page, as far as they are kept.
struct Records<'k> {
    metadata_keys: &'k [&'k str],
    json: String,
    count: usize,
}

pub fn fetch(request: &FetchRequest, metadata_keys: &[&str]) -> Result<Page> {
    let name = request.slice.stream.as_str();
    let stream = Stream::named(name).ok_or_else(|| unknown_stream(name))?;
    let mut position = match request.token.as_deref() {
        None => Position::default(),
        Some(bytes) => serde_json::from_slice::<Position>(bytes)
            .map_err(|error| Error::CursorExpired(format!("the page token is not ours: {error}")))?,
    };
    let mut records = Records { metadata_keys, json: String::new(), count: 0 };
    match position.todo.pop_front() {
        None => list_page(stream, &request.slice, &mut position, &mut records)?,
        Some(Todo::Entries { payout, created, after }) => {
            entries_page(&mut position, payout, created, after, &mut records)?;
        }
        Some(todo) => {
            position.todo.push_front(todo);
            objects(&mut position, &mut records)?;
        }
    }
    let done = position.ended && position.todo.is_empty();
    let next = if done {
        Continuation::Done
    } else {
        let token = serde_json::to_vec(&position);
        Continuation::More(
            token.map_err(|error| Error::PluginBug(format!("the page token can't be written: {error}")))?,
        )
    };
    Ok(Page { chunks: records.into_chunks(name), next, expected: None, progress: None })
}

/// The next page of the list.
fn list_page(
    stream: &Stream,
    slice: &Slice,
    position: &mut Position,
    records: &mut Records<'_>,
) -> Result<()> {
    let window = [("created[gte]", slice.since.map(seconds)), ("created[lt]", slice.until.map(seconds))];
    let window: Vec<(&str, String)> =
        window.into_iter().filter_map(|(name, at)| Some((name, at?.to_string()))).collect();
    let answer = list(stream.path, stream.expand, &window, position.after.as_deref())?;
    let List { data, has_more } = read(&answer)?;
    let last = last_of(&answer, &data, has_more, position.after.as_deref())?;
    for raw in data {
        match stream.name {
            "events" => note_event(raw, position, records)?,
            _ => {
                let identity = identity(&answer, raw)?;
                records.keep(raw.get(), &identity.object, &[])?;
                position.note_payout(&identity);
            }
        }
    }
    position.ended = !has_more;
    position.after = last;
    Ok(())
}

/// The next page of what a payout is made of.
///
/// A movement is listed when it happens, before anybody knows how it will be paid out, and nothing of it says so
/// afterwards: only this question does. So the answer is written down with each entry, which thereby is another
/// version of it; `entries` gives that one a later date than the plain one, which would else win by being read
/// again later.
fn entries_page(
    position: &mut Position,
    payout: String,
    created: i64,
    after: Option<String>,
    records: &mut Records<'_>,
) -> Result<()> {
    let of_payout = [("payout", payout.clone())];
    let answer = list("/v1/balance_transactions", ENTRY_EXPANSIONS, &of_payout, after.as_deref())?;
    let List { data, has_more } = read(&answer)?;
    let last = last_of(&answer, &data, has_more, after.as_deref())?;
    let made_by = serde_json::json!({ "id": payout, "created": created }).to_string();
    for raw in data {
        records.keep(raw.get(), "balance_transaction", &[("portolan_payout", made_by.as_str())])?;
    }
    if has_more {
        position.todo.push_front(Todo::Entries { payout, created, after: last });
    }
    Ok(())
}

/// Asks for a page, with as much expanded as Stripe allows.
fn list(path: &str, expand: &[&str], parameters: &[(&str, String)], after: Option<&str>) -> Result<Response> {
    let mut request = get(path).query("limit", PAGE);
    for (name, value) in parameters {
        request = request.query(name, value);
    }
    request = request.query_if("starting_after", after);
    for wanted in expand {
        request = request.query("expand[]", wanted);
    }
    match ask(request) {
        // An account or a version that does not know the deepest expansion: then references of orders are fewer,
        // and no amount is another.
        Err(error) if refuses_expansion(&error) && !expand.is_empty() => {
            log(LogLevel::Warn, "an expansion is refused; asking without it", &[("path", path)]);
            list(path, &expand[..expand.len() - 1], parameters, after)
        }
        answer => answer,
    }
}

/// The id that the next page is asked after. One that leads nowhere would read one page for ever.
fn last_of(
    answer: &Response,
    data: &[&RawValue],
    has_more: bool,
    after: Option<&str>,
) -> Result<Option<String>> {
    let Some(last) = data.last().filter(|_| has_more) else {
        return if has_more {
            Err(answer.upstream_bug("an empty page says that there is more".to_owned()))
        } else {
            Ok(None)
        };
    };
    let Identity { id, .. } = identity(answer, last)?;
    if Some(id.as_str()) == after {
        return Err(answer.upstream_bug("the next page has the same cursor as this one".to_owned()));
    }
    Ok(Some(id))
}

fn identity(answer: &Response, raw: &RawValue) -> Result<Identity> {
    serde_json::from_str(raw.get())
        .map_err(|error| answer.upstream_bug(format!("an object of the page has no identity: {error}")))
}

/// Notes what an event is about. Its own copy of the object is in the words of the version that the account had
/// when it happened, and of that moment: it is fetched again, and what was deleted is taken from the event.
fn note_event(raw: &RawValue, position: &mut Position, records: &mut Records<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(rename = "type")]
        kind: String,
        created: i64,
        #[serde(borrow)]
        data: EventData<'a>,
    }
    #[derive(Deserialize)]
    struct EventData<'a> {
        #[serde(borrow)]
        object: &'a RawValue,
    }
    let event: Event<'_> = serde_json::from_str(raw.get())?;
    // Events about things without a kind or an id (a balance) are none of ours.
    let Ok(Identity { object, id, created, .. }) = serde_json::from_str::<Identity>(event.data.object.get())
    else {
        return Ok(());
    };
    if Stream::of_object(&object).is_none() {
        return Ok(());
    }
    if event.kind == format!("{object}.deleted") {
        let at = event.created.to_string();
        return records.keep(event.data.object.get(), &object, &[("portolan_deleted_at", at.as_str())]);
    }
    if created.as_i64().is_some_and(|created| event.created - created <= SETTLED_S) {
        return Ok(());
    }
    let todo = Todo::Object { object, id };
    if !position.todo.contains(&todo) {
        position.todo.push_back(todo);
    }
    Ok(())
}

/// Fetches some of the objects again that events have named.
fn objects(position: &mut Position, records: &mut Records<'_>) -> Result<()> {
    let mut asked = Vec::new();
    while asked.len() < TOGETHER {
        match position.todo.pop_front() {
            Some(Todo::Object { object, id }) => asked.push((object, id)),
            Some(other) => {
                position.todo.push_front(other);
                break;
            }
            None => break,
        }
    }
    let requests = asked.iter().filter_map(|(object, id)| {
        let stream = Stream::of_object(object)?;
        let expansions = stream.expand.iter().filter_map(|wanted| wanted.strip_prefix("data."));
        let request = get(format!("{}/{}", stream.path, encoded(id)));
        Some(expansions.fold(request, |request, wanted| request.query("expand[]", wanted)))
    });
    for (answer, (object, _)) in http::send_all(requests.collect()).into_iter().zip(&asked) {
        match answer.and_then(judge) {
            Ok(answer) => {
                let raw: &RawValue = read(&answer)?;
                let identity = identity(&answer, raw)?;
                // A deleted customer is answered as nothing but its id; the event of the deletion tells when.
                if !is_deleted(raw) {
                    records.keep(raw.get(), &identity.object, &[])?;
                    position.note_payout(&identity);
                }
            }
            Err(Error::Unavailable(_)) => {
                log(
                    LogLevel::Info,
                    "an object that an event names is no longer there",
                    &[("object", object.as_str())],
                );
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_deleted(raw: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Deleted {
        #[serde(default)]
        deleted: bool,
    }
    serde_json::from_str::<Deleted>(raw.get()).is_ok_and(|found| found.deleted)
}

/// Ids are letters, digits and underscores; what an event says is not believed.
fn encoded(id: &str) -> String {
    let plain = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    id.chars().filter(plain).collect()
}

impl Position {
    /// Stripe knows the entries of the payouts that it made by itself; one that a person made takes from the
    /// balance, from no movement in particular.
    fn note_payout(&mut self, identity: &Identity) {
        if identity.object == "payout" && identity.automatic == Value::Bool(true) {
            let (payout, created) = (identity.id.clone(), identity.created.as_i64().unwrap_or_default());
            self.todo.push_back(Todo::Entries { payout, created, after: None });
        }
    }
}

impl Records<'_> {
    fn keep(&mut self, raw: &str, object: &str, further: &[(&str, &str)]) -> Result<()> {
        let Some(fields) = kept(object) else {
            return Err(Error::upstream_bug(format!("a list holds an unexpected object, {object:?}")));
        };
        if self.count > 0 {
            self.json.push(',');
        }
        self.count += 1;
        keep::object(raw, fields, self.metadata_keys, further, &mut self.json)
    }

    fn into_chunks(self, stream: &str) -> Vec<RawChunk> {
        if self.count == 0 {
            return Vec::new();
        }
        let info = ChunkInfo {
            stream: stream.to_owned(),
            framing: "json:/data".to_owned(),
            content_type: "application/json".to_owned(),
        };
        let body = format!(r#"{{"data":[{}]}}"#, self.json);
        vec![RawChunk { info, payload: Payload::Inline(body.into_bytes()) }]
    }
}

/// Whole seconds. Both bounds of a window round up, so that windows that meet share nothing and miss nothing.
fn seconds(at: Instant) -> i64 {
    at.div_euclid(1_000_000) + i64::from(at.rem_euclid(1_000_000) != 0)
}
