//! Requests that the host itself sends to addresses which its people wrote, through the same door as those of plugins:
//! names and not addresses, https, resolved once and looked at, no redirects, bounded in time and size.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use portolan_connector::EgressGrant;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, Url};

use super::client::build_client;
use super::egress::{Permit, is_grant_for};
use super::exchange::blocked;
use crate::options::HttpOptions;

/// One address that the operator lets the host ask although it is inside or plain http: scheme, host and port, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedOrigin(EgressGrant);

/// A text that is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write scheme and host, without a path: https://id.intern.example or http://127.0.0.1:8081")]
pub struct NotAnOrigin;

impl FromStr for GrantedOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let url = Url::parse(text.trim()).map_err(|_| NotAnOrigin)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        match (url.scheme(), url.host_str(), url.port_or_known_default()) {
            ("http" | "https", Some(host), Some(port)) if bare && nobody => {
                Ok(Self(EgressGrant { scheme: url.scheme().to_owned(), host: host.to_owned(), port }))
            }
            _ => Err(NotAnOrigin),
        }
    }
}

impl fmt::Display for GrantedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}:{}", self.0.scheme, self.0.host, self.0.port)
    }
}

/// What came back; a redirect is what it is.
#[derive(Debug)]
pub struct OutgoingAnswer {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// The host's own way out.
pub struct Outgoing {
    options: HttpOptions,
    granted: Vec<EgressGrant>,
    /// Built when first used: only then does a missing set of CA certificates matter.
    global: tokio::sync::OnceCell<Client>,
    inside: tokio::sync::OnceCell<Client>,
}

impl Outgoing {
    /// Answers of at most `options.response_bytes`, within `options.request_timeout_ms`.
    pub fn new(options: HttpOptions, granted: Vec<GrantedOrigin>) -> Self {
        let granted = granted.into_iter().map(|origin| origin.0).collect();
        Self { options, granted, global: Default::default(), inside: Default::default() }
    }

    /// Whether this address may be asked, by its scheme, name and port.
    ///
    /// Errors: a sentence that says what is missing.
    pub fn permits(&self, address: &str) -> Result<(), String> {
        let url =
            Url::parse(address).map_err(|_| "this is no address: write https:// and a name".to_owned())?;
        self.permit(&url).map(|_| ())
    }

    fn permit(&self, url: &Url) -> Result<Permit, String> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address must not carry a user name".to_owned());
        }
        if self.granted.iter().any(|grant| is_grant_for(grant, url)) {
            return Ok(Permit::Granted);
        }
        if url.scheme() != "https" {
            return Err(
                "only https is asked, unless whoever runs this server grants the very address".to_owned()
            );
        }
        match url.domain() {
            Some(_) => Ok(Permit::Declared),
            None => Err("this is an address in numbers, not a name".to_owned()),
        }
    }

    /// Sends one request and reads its answer to the end.
    ///
    /// Errors: a sentence for people, without what the other side wrote.
    pub async fn send(
        &self,
        method: &str,
        address: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<OutgoingAnswer, String> {
        let url =
            Url::parse(address).map_err(|_| "this is no address: write https:// and a name".to_owned())?;
        let permit = self.permit(&url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| "this is no method".to_owned())?;
        let client = self.client(permit).await?;
        let time = Duration::from_millis(self.options.request_timeout_ms);
        let mut request = client.request(method, url).timeout(time).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| explained(&error, &host))?;
        let cap = self.options.response_bytes;
        let too_large = || format!("{host} sent more than {cap} bytes");
        if response.content_length().is_some_and(|length| length > cap) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| explained(&error, &host))? {
            if (body.len() + piece.len()) as u64 > cap {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        Ok(OutgoingAnswer {
            status: response.status().as_u16(),
            content_type: content_type.map(str::to_owned),
            body,
        })
    }

    /// What is inside and what is outside share no open connection.
    async fn client(&self, permit: Permit) -> Result<Client, String> {
        let kept = match permit {
            Permit::Declared => &self.global,
            Permit::Granted => &self.inside,
        };
        let built = kept.get_or_try_init(|| async { build_client(&self.options, permit) }).await?;
        Ok(built.clone())
    }
}

/// What went wrong, by its kind: the whole of it may quote addresses.
fn explained(error: &reqwest::Error, host: &str) -> String {
    if blocked(error).is_some() {
        return format!("{host} leads to an address of a private or reserved network, which is not asked");
    }
    if error.is_timeout() {
        return format!("{host} did not answer in time");
    }
    if error.is_connect() {
        return format!("{host} cannot be reached, by its name, its port or its certificate");
    }
    format!("{host} broke off its answer")
}

/// For the wiring: with what an identity provider needs and no more.
pub fn outgoing_to_providers(granted: Vec<GrantedOrigin>) -> Arc<Outgoing> {
    let options = HttpOptions {
        response_bytes: 1 << 20,
        request_timeout_ms: 10_000,
        connect_timeout_ms: 5_000,
        ..HttpOptions::default()
    };
    Arc::new(Outgoing::new(options, granted))
}

#[cfg(test)]
mod tests;
