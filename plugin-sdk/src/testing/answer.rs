//! Recorded answers, and which request gets which.

use serde::Deserialize;

use crate::bindings::portolan::plugin::http::{HttpError, Method, Request, Response};

/// What the channel answers in a test.
#[derive(Debug, Clone)]
pub struct Answer {
    outcome: Result<Recorded, HttpError>,
    is_from_cassette: bool,
}

#[derive(Debug, Clone)]
struct Recorded {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { outcome: Ok(Recorded { status, headers, body: body.into() }), is_from_cassette: false }
    }

    /// An answer with exactly these headers.
    pub(crate) fn recorded(
        status: u16,
        headers: &std::collections::BTreeMap<String, String>,
        body: Vec<u8>,
    ) -> Self {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { outcome: Ok(Recorded { status, headers, body }), is_from_cassette: true }
    }

    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/json", body)
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, "application/json", "{}")
    }

    /// The request never got an answer.
    pub fn failure(error: HttpError) -> Self {
        Self { outcome: Err(error), is_from_cassette: false }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(recorded) = &mut self.outcome {
            recorded.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(crate) fn respond(&self, request: &Request) -> Result<Response, HttpError> {
        let Recorded { status, mut headers, body } = self.outcome.clone()?;
        if self.is_from_cassette {
            fit_range(request, &mut headers, body.len());
        }
        Ok(Response { status, headers, body, url: request.url.clone(), attempts: 1 })
    }
}

/// A part of a file has other lengths in a cassette than it had: what a replay is told fits to where it asks from, as
/// with the host's own player.
fn fit_range(request: &Request, headers: &mut [(String, String)], bytes: usize) {
    let asked = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("range"));
    let from =
        asked.and_then(|(_, range)| range.strip_prefix("bytes=")?.split('-').next()?.parse::<u64>().ok());
    let told = headers.iter_mut().find(|(name, _)| name == "content-range");
    let Some((from, (_, told))) = from.zip(told) else { return };
    let ends = told.split_once('-').and_then(|(_, rest)| rest.split_once('/')).map(|(last, total)| {
        last.parse::<u64>().ok().and_then(|last| last.checked_add(1)) == total.parse().ok()
    });
    let end = from.saturating_add(bytes as u64);
    let total = end.saturating_add(u64::from(ends == Some(false)));
    *told = format!("bytes {from}-{}/{total}", end.saturating_sub(1));
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub auth: Option<String>,
    pub bucket: Option<String>,
    pub cost: u32,
}

impl Call {
    pub(crate) fn of(request: &Request) -> Self {
        let method = match request.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        Self {
            method: method.to_owned(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone().unwrap_or_default(),
            auth: request.auth.clone(),
            bucket: request.bucket.clone(),
            cost: request.cost,
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Which calls an answer is for.
pub(crate) enum Asked {
    /// `GET /orders` is also asked with a query, `GET /orders?page=2` only with that one.
    Like(String),
    /// Method, address and body as a cassette holds them.
    Exactly { method: String, url: String, body: Vec<u8> },
}

impl Asked {
    pub(crate) fn is(&self, call: &Call) -> bool {
        match self {
            Self::Like(pattern) => {
                let Some((method, url)) = pattern.split_once(' ') else { return false };
                let path = call.url.split('?').next().unwrap_or_default();
                method == call.method && (url == call.url || url == path)
            }
            Self::Exactly { method, url, body } => {
                *method == call.method && *url == call.url && is_same(body, &call.body)
            }
        }
    }
}

/// JSON says the same however it is indented.
fn is_same(recorded: &[u8], sent: &[u8]) -> bool {
    let json = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).ok();
    recorded == sent || json(recorded).is_some_and(|recorded| json(sent) == Some(recorded))
}

/// A recorded exchange, as cassettes keep it.
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    /// `GET /orders.json?page=1`
    pub request: String,
    #[serde(default = "success")]
    pub status: u16,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// JSON is written as it is; another body as a text.
    pub body: serde_json::Value,
}

fn success() -> u16 {
    200
}

impl Exchange {
    pub(crate) fn answer(self) -> (String, Answer) {
        let answer = match self.body {
            serde_json::Value::String(text) => Answer::new(self.status, "text/plain", text),
            json => Answer::new(self.status, "application/json", json.to_string()),
        };
        let answer = self.headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value));
        (self.request, answer)
    }
}
