//! One request of a guest, from its words to the answer: every hop is permitted anew, credentials
//! are added by the host, the body is capped and scrubbed.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use super::HttpCall;
use super::client::BlockedAddress;
use super::egress::Permit;
use super::seats::Seat;
use crate::bindings::portolan::plugin::http as wit;

const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 << 10;
const MAX_REQUEST_BODY: usize = 16 << 20;

/// Headers that are the host's to set: they steer the connection, not the request.
const HOST_HEADERS: [&str; 13] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "accept-encoding",
    "user-agent",
];

/// A guest's headers that may follow a redirect to another origin: none says who asks.
const KEPT_HEADERS: [&str; 5] = ["accept", "accept-language", "content-type", "range", "if-modified-since"];

/// A request as it travels along its hops.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Whether the scheme's credential is still added.
    authenticated: bool,
}

/// An answer whose body has not been read.
pub struct Opened {
    pub response: Response,
    /// The address that answered, without what the host added to it.
    pub url: Url,
    pub attempts: u8,
    /// Given back once the body is read, or given up.
    _seat: Option<Seat>,
}

impl HttpCall {
    /// Sends and follows redirects. The whole exchange takes no longer than this time: the caller sees to that.
    pub async fn open(&self, request: &wit::Request, time: Duration) -> Result<Opened, wit::HttpError> {
        self.count_request()?;
        let mut hop = self.first_hop(request)?;
        let seat = self.seat(request, time).await?;
        self.draw(request).await?;
        let mut attempts = 0_u8;
        for _ in 0..=self.shared.options.redirects {
            let response = self.send_hop(&hop, request, &mut attempts).await?;
            self.learn(request, response.status().as_u16(), response.headers()).await;
            let Some(location) = redirect_of(&response) else {
                return Ok(Opened { response, url: hop.url, attempts, _seat: seat });
            };
            hop = self.next_hop(hop, response.status(), &location)?;
        }
        Err(wit::HttpError::Denied(format!("more than {} redirects", self.shared.options.redirects)))
    }

    pub fn timeout_of(&self, request: &wit::Request) -> Duration {
        let most = self.shared.options.request_timeout_ms;
        Duration::from_millis(request.timeout_ms.map_or(most, |asked| u64::from(asked).clamp(1, most)))
    }

    fn first_hop(&self, request: &wit::Request) -> Result<Hop, wit::HttpError> {
        let url = self.egress.resolve(&request.url).map_err(wit::HttpError::Denied)?;
        let body = request.body.clone().filter(|body| !body.is_empty());
        if body.as_ref().is_some_and(|body| body.len() > MAX_REQUEST_BODY) {
            return Err(wit::HttpError::TooLarge(MAX_REQUEST_BODY as u64));
        }
        Ok(Hop {
            method: match request.method {
                wit::Method::Get => Method::GET,
                wit::Method::Head => Method::HEAD,
                wit::Method::Post => Method::POST,
                wit::Method::Put => Method::PUT,
                wit::Method::Patch => Method::PATCH,
                wit::Method::Delete => Method::DELETE,
            },
            url,
            headers: guest_headers(&request.headers).map_err(wit::HttpError::Denied)?,
            body,
            authenticated: true,
        })
    }

    async fn send_hop(
        &self,
        hop: &Hop,
        request: &wit::Request,
        attempts: &mut u8,
    ) -> Result<Response, wit::HttpError> {
        let permit = self.egress.permit(&hop.url).map_err(wit::HttpError::Denied)?;
        let client = self.shared.clients.of(self.egress.policy(permit)).map_err(wit::HttpError::Network)?;
        let mut url = hop.url.clone();
        let mut headers = hop.headers.clone();
        if hop.authenticated {
            self.authenticate(request.auth.as_deref(), permit, &mut url, &mut headers)?;
        }
        let repeatable = matches!(hop.method, Method::GET | Method::HEAD);
        loop {
            *attempts = attempts.saturating_add(1);
            let mut builder = client.request(hop.method.clone(), url.clone()).headers(headers.clone());
            if let Some(body) = &hop.body {
                builder = builder.body(body.clone());
            }
            match builder.send().await {
                Ok(response) => return Ok(response),
                // Nothing was answered and nothing can have changed there: once more.
                Err(error)
                    if repeatable && *attempts < 2 && !error.is_timeout() && blocked(&error).is_none() => {}
                Err(error) => return Err(self.explain(error)),
            }
        }
    }

    /// Adds the named scheme's credential, the default one's where none is named and it belongs there.
    fn authenticate(
        &self,
        asked: Option<&str>,
        permit: Permit,
        url: &mut Url,
        headers: &mut HeaderMap,
    ) -> Result<(), wit::HttpError> {
        let scheme = match asked {
            Some("") => return Ok(()),
            Some(id) => Some(self.schemes.iter().find(|scheme| scheme.id == id).ok_or_else(|| {
                wit::HttpError::Denied("the manifest has no auth scheme of that name".to_owned())
            })?),
            None => self.schemes.first(),
        };
        let Some(scheme) = scheme else { return Ok(()) };
        if self.egress.binds(&scheme.bound, scheme.is_default, url, permit) {
            return scheme.inject(url, headers).map_err(wit::HttpError::Denied);
        }
        match asked {
            Some(_) => Err(wit::HttpError::Denied(format!(
                "the auth scheme is not bound to {}: name the host in the scheme's hosts",
                url.host_str().unwrap_or_default()
            ))),
            None => Ok(()),
        }
    }

    /// Reads a body, chunk by chunk up to the cap, so that a compressed bomb ends at the cap too.
    pub async fn read_body(&self, response: &mut Response) -> Result<Vec<u8>, wit::HttpError> {
        let cap = self.response_bytes;
        if response.content_length().is_some_and(|length| length > cap) {
            return Err(wit::HttpError::TooLarge(cap));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.explain(error))? {
            self.count_body(piece.len() as u64)?;
            if body.len() as u64 + piece.len() as u64 > cap {
                return Err(wit::HttpError::TooLarge(cap));
            }
            body.extend_from_slice(&piece);
        }
        Ok(self.scrubber.bytes(body))
    }

    /// The request after a redirect. Once it leaves the origin, no credential travels any further: not the host's,
    /// not one that the channel wrote into the new address, and nothing of the guest's but what says how it reads.
    fn next_hop(&self, hop: Hop, status: StatusCode, location: &str) -> Result<Hop, wit::HttpError> {
        let mut url = hop
            .url
            .join(location)
            .map_err(|error| wit::HttpError::Denied(format!("the redirect leads to no address: {error}")))?;
        url.set_fragment(None);
        let stays = url.origin() == hop.url.origin();
        if !stays && self.scrubber.finds(url.as_str()) {
            return Err(wit::HttpError::Denied(
                "the redirect carries a secret of the connection to another address".to_owned(),
            ));
        }
        let becomes_get = match status.as_u16() {
            303 => hop.method != Method::HEAD,
            301 | 302 => hop.method == Method::POST,
            _ => false,
        };
        let mut headers = if stays { hop.headers } else { without_credentials(&hop.headers) };
        if becomes_get {
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_LENGTH);
        }
        Ok(Hop {
            method: if becomes_get { Method::GET } else { hop.method },
            body: if becomes_get { None } else { hop.body },
            url,
            headers,
            authenticated: hop.authenticated && stays,
        })
    }

    /// Response headers for the guest: scrubbed, bounded, without cookies.
    pub fn shown_headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let shown = headers.iter().filter(|(name, _)| *name != "set-cookie").take(256);
        shown
            .map(|(name, value)| {
                // Scrubbed before it is cut: half a secret at the edge would not be found.
                let text = String::from_utf8_lossy(value.as_bytes());
                let text: String = self.scrubber.text(&text).chars().take(8_192).collect();
                (self.scrubber.text(name.as_str()).into_owned(), text)
            })
            .collect()
    }

    /// An error of the client in words for the guest: without the address, which may carry a secret.
    pub fn explain(&self, error: reqwest::Error) -> wit::HttpError {
        if let Some(blocked) = blocked(&error) {
            return wit::HttpError::Denied(blocked.to_string());
        }
        if error.is_timeout() {
            return wit::HttpError::Timeout;
        }
        let error = error.without_url();
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            words = format!("{words}: {inner}");
            cause = inner.source();
        }
        wit::HttpError::Network(self.scrubber.clean(&words, 300))
    }
}

pub(super) fn blocked(error: &reqwest::Error) -> Option<&BlockedAddress> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref::<BlockedAddress>() {
            return Some(found);
        }
        cause = inner.source();
    }
    None
}

fn guest_headers(headers: &[(String, String)]) -> Result<HeaderMap, String> {
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || size > MAX_HEADER_BYTES {
        return Err(format!("a request may have {MAX_HEADERS} headers of 16 KiB together"));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if HOST_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("the header {:?} is the host's to set", name.to_ascii_lowercase()));
        }
        let name =
            HeaderName::try_from(name.as_str()).map_err(|_| "a header has no usable name".to_owned())?;
        let value =
            HeaderValue::from_str(value).map_err(|_| format!("the header {name} has no usable value"))?;
        map.append(name, value);
    }
    Ok(map)
}

fn redirect_of(response: &Response) -> Option<String> {
    let follows = [301, 302, 303, 307, 308].contains(&response.status().as_u16());
    let location = response.headers().get(LOCATION).filter(|_| follows)?;
    location.to_str().ok().map(str::to_owned)
}

/// What a request keeps of its headers when it is sent to another origin: a signature or a key in any other is as
/// good as a password.
fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
