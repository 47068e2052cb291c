//! Requests to the channel. The host owns DNS, TLS, the allow-list, redirects, retries, the rate
//! budget, and puts the credentials in after the request has left the plugin.

use serde::{Deserialize, Serialize};

pub use crate::bindings::portolan::plugin::http::{HttpError, Method};
use crate::bindings::portolan::plugin::http::{Request as RawRequest, Response as RawResponse};
use crate::bindings::portolan::plugin::sync::ChunkInfo;
use crate::bindings::portolan::plugin::types::{AuthError, AuthKind, Retry, Upstream};
use crate::money::shortened;
use crate::{Continuation, Error, Page, Payload, RawChunk, Result};

/// A request that is being put together.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    raw: RawRequest,
}

/// GET of a path under the connection's base URL, or of an absolute https URL.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// POST to a path under the connection's base URL, or to an absolute https URL.
pub fn post(url: impl Into<String>) -> Request {
    Request::new(Method::Post, url)
}

/// POST of a GraphQL document and its variables.
pub fn graphql(url: impl Into<String>, query: &str, variables: &impl Serialize) -> Result<Request> {
    #[derive(Serialize)]
    struct Question<'a, V> {
        query: &'a str,
        variables: &'a V,
    }
    post(url).json(&Question { query, variables })
}

impl Request {
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let raw = RawRequest {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            auth: None,
            bucket: None,
            cost: 1,
            timeout_ms: None,
        };
        Self { raw }
    }

    /// Adds a query parameter, percent-encoded.
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.raw.url.push(if self.raw.url.contains('?') { '&' } else { '?' });
        push_encoded(&mut self.raw.url, name);
        self.raw.url.push('=');
        push_encoded(&mut self.raw.url, value.as_ref());
        self
    }

    /// The same, where there is a value.
    pub fn query_if(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.raw.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.raw.body = Some(body);
        self.header("content-type", content_type)
    }

    pub fn json(self, value: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(value)
            .map_err(|error| Error::PluginBug(format!("a request could not be written as JSON: {error}")))?;
        Ok(self.body("application/json", body))
    }

    /// Chooses an auth scheme of the manifest; without it the first is used.
    pub fn auth(mut self, scheme: impl Into<String>) -> Self {
        self.raw.auth = Some(scheme.into());
        self
    }

    /// Sends no credential.
    pub fn without_auth(self) -> Self {
        self.auth("")
    }

    /// Draws `cost` tokens from a rate bucket of the manifest.
    pub fn bucket(mut self, bucket: impl Into<String>, cost: u32) -> Self {
        self.raw.bucket = Some(bucket.into());
        self.raw.cost = cost;
        self
    }

    /// Draws `cost` tokens from the default bucket.
    pub fn cost(mut self, cost: u32) -> Self {
        self.raw.cost = cost;
        self
    }

    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.raw.timeout_ms = Some(timeout_ms);
        self
    }

    pub fn url(&self) -> &str {
        &self.raw.url
    }

    /// Sends it; any answer but a success is an [`Error`], see [`Response::checked`].
    pub fn send(self) -> Result<Response> {
        self.send_unchecked()?.checked()
    }

    /// Sends it and gives the answer whatever its status.
    pub fn send_unchecked(self) -> Result<Response> {
        Ok(Response { raw: crate::host::send(&self.raw)? })
    }

    /// Streams the answer into raw storage, for bodies too large to hold (a bulk export). Gives
    /// the chunk to put into the page.
    pub fn download(self, stream: &str, framing: &str) -> Result<RawChunk> {
        let staged = crate::host::download(&self.raw)?;
        let answer = Response::of_parts(staged.status, staged.headers, Vec::new(), self.raw.url).checked()?;
        let info = answer.chunk_info(stream, framing);
        Ok(RawChunk { info, payload: Payload::Staged(staged.id) })
    }
}

/// Sends several requests at once, inside one budget; answers in the same order.
pub fn send_all(requests: Vec<Request>) -> Vec<Result<Response>> {
    let raw: Vec<RawRequest> = requests.into_iter().map(|request| request.raw).collect();
    let answers = crate::host::send_all(&raw);
    answers.into_iter().map(|answer| Response { raw: answer? }.checked()).collect()
}

/// What the channel answered.
#[derive(Debug, Clone)]
pub struct Response {
    raw: RawResponse,
}

impl Response {
    fn of_parts(status: u16, headers: Vec<(String, String)>, body: Vec<u8>, url: String) -> Self {
        Self { raw: RawResponse { status, headers, body, url, attempts: 1 } }
    }

    pub fn status(&self) -> u16 {
        self.raw.status
    }

    pub fn body(&self) -> &[u8] {
        &self.raw.body
    }

    /// The final URL, after redirects.
    pub fn url(&self) -> &str {
        &self.raw.url
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.raw.headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The URL that the Link header gives for a relation: `next`.
    pub fn link(&self, relation: &str) -> Option<String> {
        self.raw
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("link"))
            .find_map(|(_, value)| crate::pager::link_target(value, relation))
    }

    /// The body as JSON; a type with [`Text`](crate::Text) fields borrows from it.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        let mut reader = serde_json::Deserializer::from_slice(self.body());
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            self.upstream_bug(format!(
                "the answer is not the JSON that was expected, at {}: {}",
                error.path(),
                error.inner()
            ))
        })
    }

    /// The value at a JSON pointer as text (a string, or a number's digits); `None` where it is
    /// absent, null or empty.
    pub fn text_at(&self, pointer: &str) -> Result<Option<String>> {
        let value: serde_json::Value = self.json()?;
        Ok(match value.pointer(pointer) {
            Some(serde_json::Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(serde_json::Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    }

    /// The answer as one raw chunk.
    pub fn into_chunk(self, stream: &str, framing: &str) -> RawChunk {
        RawChunk { info: self.chunk_info(stream, framing), payload: Payload::Inline(self.raw.body) }
    }

    /// The answer as a page of one chunk.
    pub fn into_page(self, stream: &str, framing: &str, next: Continuation) -> Page {
        Page { chunks: vec![self.into_chunk(stream, framing)], next, expected: None, progress: None }
    }

    fn chunk_info(&self, stream: &str, framing: &str) -> ChunkInfo {
        let content_type = self.header("content-type").unwrap_or("application/octet-stream").to_owned();
        ChunkInfo { stream: stream.to_owned(), framing: framing.to_owned(), content_type }
    }

    /// Turns every answer that is no success into the error whose case says what the host does
    /// about it: 401 auth · 403 missing scope · 402, 404, 410 unavailable · 429 rate-limited with
    /// Retry-After · 408, 425, 5xx transient · HTML with a success an upstream bug.
    pub fn checked(self) -> Result<Self> {
        let status = self.raw.status;
        let detail = format!("HTTP {status}: {}", self.excerpt());
        match status {
            200..=299 if self.is_html() => {
                Err(self.upstream_bug("the channel answered a web page where data was expected".to_owned()))
            }
            200..=299 => Ok(self),
            401 => {
                let challenge = self.header("www-authenticate").unwrap_or_default();
                let kind = if challenge.contains("expired") { AuthKind::Expired } else { AuthKind::Invalid };
                Err(Error::Auth(AuthError { kind, missing: Vec::new(), detail }))
            }
            403 => Err(Error::missing_scope(Vec::new(), detail)),
            402 | 404 | 410 => Err(Error::Unavailable(detail)),
            429 => Err(Error::RateLimited(Retry { after_ms: self.retry_after_ms(), bucket: None, detail })),
            408 | 425 | 500..=599 => {
                Err(Error::Transient(Retry { after_ms: self.retry_after_ms(), bucket: None, detail }))
            }
            300..=399 => Err(self.upstream_bug(detail)),
            _ => Err(Error::other(format!("http-{status}"), false, detail)),
        }
    }

    /// Retry-After in milliseconds: seconds, or a date measured from the answer's own date.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let text = self.header("retry-after")?.trim();
        if let Ok(amount) = crate::money::decimal(text) {
            let scaled = i128::from(amount.unscaled) * 1_000 / 10_i128.pow(amount.scale.into());
            return u64::try_from(scaled).ok();
        }
        crate::time::ms_between_http_dates(self.header("date")?, text)
    }

    /// An [`Error`] that blames the channel, with status and request id.
    pub fn upstream_bug(&self, detail: String) -> Error {
        let request_id = ["x-request-id", "request-id", "x-amzn-requestid", "paypal-debug-id"]
            .iter()
            .find_map(|name| self.header(name))
            .map(str::to_owned);
        Error::UpstreamBug(Upstream { status: Some(self.raw.status), request_id, detail })
    }

    fn is_html(&self) -> bool {
        let declared =
            self.header("content-type").is_some_and(|kind| kind.trim_start().starts_with("text/html"));
        let start = self.body().trim_ascii_start();
        let looks = [&b"<!doctype html"[..], b"<html"]
            .iter()
            .any(|tag| start.len() >= tag.len() && start[..tag.len()].eq_ignore_ascii_case(tag));
        declared || looks
    }

    fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body()[..self.body().len().min(400)]);
        shortened_to(&text, 200)
    }
}

fn shortened_to(text: &str, characters: usize) -> String {
    let one_line: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(characters)
        .collect();
    if one_line.trim().is_empty() { shortened("no body") } else { one_line.trim().to_owned() }
}

/// Appends text with everything but RFC 3986's unreserved characters percent-encoded.
pub(crate) fn push_encoded(target: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            target.push(char::from(byte));
        } else {
            target.push('%');
            target.push(char::from(HEX[usize::from(byte >> 4)]));
            target.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests;
