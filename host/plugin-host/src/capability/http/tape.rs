//! A tape beside the network, or in its place: what a call and its channel say to each other is noted for a
//! cassette, or is answered from one.
//!
//! **Invariant:** noted is only what the guest itself wrote and was shown: before credentials are added, and after
//! the scrubber. A replay opens no connection and spends no budget.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use portolan_connector::cassette::{Body, Exchange, Request, Response};

use super::HttpCall;
use crate::bindings::portolan::plugin::http as wit;
use crate::text::Scrubber;

/// What would be noted of one slice beyond this, no person reviews.
const MOST_NOTED_BYTES: usize = 32 << 20;

/// Headers that tell of the way and not of the answer; or change with each run.
const UNNOTED_HEADERS: [&str; 25] = [
    "accept-ranges",
    "age",
    "alt-svc",
    "cache-control",
    "cf-cache-status",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "etag",
    "expires",
    "keep-alive",
    "nel",
    "pragma",
    "report-to",
    "request-id",
    "server",
    "server-timing",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
    "x-request-id",
    "x-runtime",
];

const PARTIAL_CONTENT: u16 = 206;

/// What stands beside or in place of the network.
pub enum Tape {
    Recorder(Recorder),
    Player(Player),
}

/// Notes exchanges in the order in which their requests began.
#[derive(Default)]
pub struct Recorder {
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    begun: usize,
    exchanges: Vec<(usize, Exchange)>,
    bytes: usize,
    /// Why the recording is of no use, and since which exchange.
    trouble: Option<(usize, String)>,
}

/// How far a recording had come.
#[derive(Clone, Copy)]
pub struct Mark(usize);

impl Recorder {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the page begins that is recorded now.
    pub fn mark(&self) -> Mark {
        Mark(self.noted().begun)
    }

    /// Forgets a page that is asked for again: a cassette holds what went well.
    pub fn forget_since(&self, mark: Mark) {
        let mut noted = self.noted();
        noted.exchanges.retain(|(place, _)| *place < mark.0);
        noted.trouble.take_if(|(place, _)| *place >= mark.0);
    }

    /// Everything that was noted.
    ///
    /// Errors: why a replay of it would not be what happened, or nobody can tell what in it is personal.
    pub fn finish(&self) -> Result<Vec<Exchange>, String> {
        let mut noted = std::mem::take(&mut *self.noted());
        if let Some((_, trouble)) = noted.trouble {
            return Err(trouble);
        }
        noted.exchanges.sort_by_key(|(place, _)| *place);
        Ok(noted.exchanges.into_iter().map(|(_, exchange)| exchange).collect())
    }

    pub(super) fn begin(&self) -> usize {
        let mut noted = self.noted();
        noted.begun += 1;
        noted.begun - 1
    }

    /// Notes an answer, or that there was none.
    pub(super) fn note(
        &self,
        place: usize,
        scrubber: &Scrubber,
        request: &wit::Request,
        answer: Result<Answered<'_>, &wit::HttpError>,
    ) {
        let request = noted_request(scrubber, request);
        let noted = answer.map_err(|error| format!("there was no answer ({error:?})")).and_then(|answer| {
            let bytes = scrubber.bytes(answer.body.to_vec());
            let body = match answer.status {
                PARTIAL_CONTENT => Body::of_part(&bytes, is_last_part(answer.headers))?,
                200..=299 => Body::of(&bytes)?,
                _ => Body::of_complaint(&bytes),
            };
            let headers = noted_headers(answer.headers);
            Ok((bytes.len(), Response { status: answer.status, headers, body }))
        });
        let mut all = self.noted();
        match noted {
            Ok((bytes, response)) => {
                all.bytes += bytes;
                if all.bytes > MOST_NOTED_BYTES {
                    let most = MOST_NOTED_BYTES >> 20;
                    let reason = format!("it holds more than {most} MiB: record fewer pages");
                    all.trouble.get_or_insert((place, reason));
                    return;
                }
                all.exchanges.push((place, Exchange { request, response }));
            }
            Err(reason) => {
                let what = scrubber.clean(&format!("{} {}", request.method, request.url), 200);
                all.trouble.get_or_insert((place, format!("{what} cannot be recorded: {reason}")));
            }
        }
    }
}

/// An answer as the guest is shown it.
pub(super) struct Answered<'a> {
    pub status: u16,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

fn noted_request(scrubber: &Scrubber, request: &wit::Request) -> Request {
    let body = scrubber.bytes(request.body.clone().unwrap_or_default());
    Request {
        method: method_of(request.method).to_owned(),
        url: scrubber.text(&request.url).into_owned(),
        body: Body::of_complaint(&body),
    }
}

/// The date of an answer matters where another date is counted from it.
fn noted_headers(headers: &[(String, String)]) -> BTreeMap<String, String> {
    let retries = headers.iter().any(|(name, _)| name == "retry-after");
    let kept = headers.iter().filter(|(name, _)| !UNNOTED_HEADERS.contains(&name.as_str()));
    kept.filter(|(name, _)| name != "date" || retries).cloned().collect()
}

fn method_of(method: wit::Method) -> &'static str {
    match method {
        wit::Method::Get => "GET",
        wit::Method::Head => "HEAD",
        wit::Method::Post => "POST",
        wit::Method::Put => "PUT",
        wit::Method::Patch => "PATCH",
        wit::Method::Delete => "DELETE",
    }
}

/// Whether a part of a file ends where the file ends; where it does not say, it is taken for the last one.
fn is_last_part(headers: &[(String, String)]) -> bool {
    let told = headers.iter().find(|(name, _)| name == "content-range");
    let ends = told.and_then(|(_, range)| {
        let (_, rest) = range.split_once('-')?;
        let (last, total) = rest.split_once('/')?;
        Some(last.parse::<u64>().ok()?.checked_add(1)? == total.parse::<u64>().ok()?)
    });
    ends.unwrap_or(true)
}

/// A part of a file has other lengths in a cassette than it had, so a replay asks from other places. What it is told
/// fits to where it asked from: an answer of so many bytes, behind which there is more or nothing.
fn fit_range(request: &wit::Request, response: &mut Response, bytes: usize) {
    let asked = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("range"));
    let from =
        asked.and_then(|(_, range)| range.strip_prefix("bytes=")?.split('-').next()?.parse::<u64>().ok());
    let Some((from, told)) = from.zip(response.headers.get_mut("content-range")) else { return };
    let is_last = is_last_part(&[("content-range".to_owned(), told.clone())]);
    let end = from.saturating_add(bytes as u64);
    *told = format!("bytes {from}-{}/{}", end.saturating_sub(1), end.saturating_add(u64::from(!is_last)));
}

/// Answers from a cassette: equal requests in their order, the last answer again and again.
pub struct Player {
    answers: Mutex<HashMap<String, VecDeque<Response>>>,
    /// The first request that it does not know.
    unknown: Mutex<Option<String>>,
}

impl Player {
    pub fn new(exchanges: &[Exchange]) -> Self {
        let mut answers: HashMap<String, VecDeque<Response>> = HashMap::new();
        for exchange in exchanges {
            answers.entry(key_of(&exchange.request)).or_default().push_back(exchange.response.clone());
        }
        Self { answers: Mutex::new(answers), unknown: Mutex::default() }
    }

    /// What was asked that was not recorded, whatever the plugin made of it that there was no answer.
    pub fn unknown(&self) -> Option<String> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Errors: the cassette does not know the request.
    pub(super) fn answer(&self, request: &wit::Request) -> Result<Response, wit::HttpError> {
        let asked = noted_request(&Scrubber::default(), request);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = answers.get_mut(&key_of(&asked)).and_then(|waiting| match waiting.len() {
            0 | 1 => waiting.front().cloned(),
            _ => waiting.pop_front(),
        });
        known.ok_or_else(|| {
            let url: String = asked.url.chars().take(200).collect();
            let reason = format!(
                "the cassette has no answer to this {} {url}: the plugin asks otherwise than when it was recorded",
                asked.method
            );
            let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
            unknown.get_or_insert_with(|| reason.clone());
            wit::HttpError::Denied(reason)
        })
    }
}

fn key_of(request: &Request) -> String {
    let body = serde_json::to_string(&request.body).unwrap_or_default();
    format!("{} {}\n{body}", request.method, request.url)
}

impl HttpCall {
    pub(super) fn recorder(&self) -> Option<&Recorder> {
        match self.tape.as_deref() {
            Some(Tape::Recorder(recorder)) => Some(recorder),
            _ => None,
        }
    }

    pub(super) fn player(&self) -> Option<&Player> {
        match self.tape.as_deref() {
            Some(Tape::Player(player)) => Some(player),
            _ => None,
        }
    }

    /// An answer from a cassette, within the limits of any other.
    pub(super) fn play(
        &self,
        player: &Player,
        request: &wit::Request,
    ) -> Result<wit::Response, wit::HttpError> {
        self.count_request()?;
        let url = self.egress.resolve(&request.url).map_err(wit::HttpError::Denied)?;
        let mut response = player.answer(request)?;
        let body = response.body.to_bytes();
        fit_range(request, &mut response, body.len());
        self.count_body(body.len() as u64)?;
        if body.len() as u64 > self.response_bytes {
            return Err(wit::HttpError::TooLarge(self.response_bytes));
        }
        let headers = response.headers.into_iter().collect();
        Ok(wit::Response { status: response.status, headers, body, url: url.into(), attempts: 1 })
    }
}
