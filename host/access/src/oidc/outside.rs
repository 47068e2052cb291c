//! The way out to providers of identities, and what is remembered of them for some minutes.
//!
//! Admins write their addresses, so whatever asks there has to refuse what leads inside: the port is implemented where
//! the guard of all outgoing requests is.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, ProviderMetadata, http,
};
use portolan_core::{Clock, Duration, Instant};
use serde::{Deserialize, Serialize};

/// What a provider says about itself is asked for again after this.
const REMEMBERED_FOR: Duration = Duration::from_minutes(5);
/// Keys that nobody knows make us ask again, and no more often than this.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Providers that are remembered at once.
const MOST_REMEMBERED: usize = 256;

/// A request to a provider.
pub struct OutgoingRequest {
    /// `GET` or `POST`.
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Its answer. Redirects are answers: nobody follows them.
pub struct IncomingAnswer {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// Why there is no answer, in words for people; nothing secret is in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutsideError(pub String);

/// Sends requests to addresses that admins wrote.
#[async_trait]
pub trait AskOutside: Send + Sync + 'static {
    /// Whether anything at this address may be asked at all, by its scheme, name and port.
    fn permits(&self, url: &str) -> Result<(), OutsideError>;

    /// Asks, within limits of time and size, without following redirects, and never an address inside.
    async fn ask(&self, request: OutgoingRequest) -> Result<IncomingAnswer, OutsideError>;
}

/// What the library does not know of a provider's description.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MoreMetadata {
    /// RFC 9207: it names itself in each answer to a browser.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for MoreMetadata {}

/// A provider's description of itself, with its keys.
pub(super) type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Asking = Pin<Box<dyn Future<Output = Result<HttpResponse, OutsideError>> + Send>>;

/// The way out with its memory; one for the whole process. Cheap to clone.
#[derive(Clone)]
pub struct Outside {
    client: Arc<dyn AskOutside>,
    clock: Arc<dyn Clock>,
    remembered: Arc<Mutex<HashMap<String, Remembered>>>,
}

#[derive(Clone)]
struct Remembered {
    at: Instant,
    metadata: Arc<Metadata>,
}

impl Outside {
    pub fn new(client: Arc<dyn AskOutside>, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock, remembered: Arc::default() }
    }

    pub(super) fn permits(&self, url: &str) -> Result<(), OutsideError> {
        self.client.permits(url)
    }

    /// As the library asks.
    pub(super) fn asker(&self) -> impl Fn(HttpRequest) -> Asking + Send + Sync + use<> {
        let client = Arc::clone(&self.client);
        move |request: HttpRequest| -> Asking {
            let client = Arc::clone(&client);
            Box::pin(async move { answer(&*client, request).await })
        }
    }

    /// What a provider says about itself, as of at most some minutes ago.
    pub(super) async fn metadata(&self, issuer: &str) -> Result<Arc<Metadata>, OutsideError> {
        match self.recall(issuer, REMEMBERED_FOR) {
            Some(known) => Ok(known),
            None => self.discover(issuer).await,
        }
    }

    /// The same asked anew, since a key was not among those that are known; `None` where that was just done.
    pub(super) async fn newer_metadata(&self, issuer: &str) -> Result<Option<Arc<Metadata>>, OutsideError> {
        match self.recall(issuer, ASKED_AGAIN_AFTER) {
            Some(_) => Ok(None),
            None => self.discover(issuer).await.map(Some),
        }
    }

    /// Asks a provider what it says about itself, whatever is remembered.
    pub(super) async fn discover(&self, issuer: &str) -> Result<Arc<Metadata>, OutsideError> {
        let url = IssuerUrl::new(issuer.to_owned())
            .map_err(|_| OutsideError(format!("{issuer} is no address: write https:// and its name")))?;
        let asker = self.asker();
        let found = Metadata::discover_async(url, &asker).await.map_err(explained)?;
        // People are sent there: nowhere but to a web address that we would go to ourselves.
        self.permits(found.authorization_endpoint().as_str())?;
        let metadata = Arc::new(found);
        self.remember(issuer, Arc::clone(&metadata));
        Ok(metadata)
    }

    fn recall(&self, issuer: &str, not_older: Duration) -> Option<Arc<Metadata>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered.get(issuer)?;
        (self.clock.now().since(known.at) < not_older).then(|| Arc::clone(&known.metadata))
    }

    fn remember(&self, issuer: &str, metadata: Arc<Metadata>) {
        let at = self.clock.now();
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|_, known| at.since(known.at) < REMEMBERED_FOR);
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(issuer.to_owned(), Remembered { at, metadata });
        }
    }
}

async fn answer(client: &dyn AskOutside, request: HttpRequest) -> Result<HttpResponse, OutsideError> {
    let (parts, body) = request.into_parts();
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let request = OutgoingRequest {
        method: parts.method.as_str().to_owned(),
        url: parts.uri.to_string(),
        headers: headers.collect(),
        body,
    };
    let answered = client.ask(request).await?;
    if (300..400).contains(&answered.status) {
        return Err(OutsideError("it answered with a redirect, which is not followed".to_owned()));
    }
    let mut response = http::Response::builder().status(answered.status);
    if let Some(kind) = answered.content_type {
        response = response.header(http::header::CONTENT_TYPE, kind);
    }
    response.body(answered.body).map_err(|_| OutsideError("it answered with a head that is none".to_owned()))
}

/// What went wrong with a description, without its body.
fn explained(error: DiscoveryError<OutsideError>) -> OutsideError {
    match error {
        DiscoveryError::Request(error) => error,
        DiscoveryError::Parse(error) => {
            OutsideError(format!("its description cannot be read, at {}", error.path()))
        }
        DiscoveryError::Response(status, _, _) if status != http::StatusCode::OK => {
            OutsideError(format!("its description was answered with status {}", status.as_u16()))
        }
        DiscoveryError::Response(..) => {
            OutsideError("its description is no JSON: is the issuer's address right?".to_owned())
        }
        DiscoveryError::Validation(_) => OutsideError(
            "it calls itself by another address: copy the issuer letter for letter, also a slash at its end"
                .to_owned(),
        ),
        _ => OutsideError("its address cannot be used".to_owned()),
    }
}
