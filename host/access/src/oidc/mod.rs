//! Signing in by somebody else: OpenID Connect with code, PKCE, state and nonce.
//!
//! **Invariants**
//! - People are known by issuer and subject. A mail address decides nothing: those change hands.
//! - What comes back is taken once, within minutes, from the browser that was sent, and of the provider it was sent to.
//! - A provider is its company's, and vouches there alone: a session that rests on nothing else goes to no other company
//!   ([`crate::SignedIn::by_provider_alone`]), and opens no account to anything that would.
//! - Verifying is the library's; the way out is the guarded one ([`AskOutside`]).

#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod flow;
mod identities;
mod outside;
mod protocol;
mod providers;

use std::sync::Arc;

use portolan_core::Instant;
use portolan_db::DbError;

pub use flow::{Callback, CameBack, Purpose, Started};
pub use identities::OwnIdentity;
pub(crate) use identities::identities_of;
pub use outside::{AskOutside, IncomingAnswer, MoreMetadata, OutgoingRequest, Outside, OutsideError};
pub use providers::{
    GOOGLE_ISSUER, NewProvider, NotAHandle, Provider, ProviderError, ProviderHandle, ProviderTools,
    change_provider, create_provider, delete_provider, find_provider, providers,
};

use crate::{AcceptError, KeyRing, PendingSignIn, SecretsError, Sessions};

/// Signing in by providers, over the sessions that it leads to. Cheap to make.
#[derive(Clone)]
pub struct Identities {
    sessions: Sessions,
    ring: Arc<KeyRing>,
    outside: Outside,
}

/// Why somebody does not come in by a provider, in words for people.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("there is no such provider here, or it is switched off")]
    UnknownProvider,
    #[error(
        "this took longer than ten minutes, was begun in another browser or window, or was used already: begin again"
    )]
    Gone,
    #[error("the provider did not let you go on: {0}")]
    Declined(String),
    #[error("the provider cannot be used at the moment: {0}")]
    Outside(String),
    #[error("the provider's answer is not taken: {0}")]
    Untrusted(String),
    #[error(
        "nobody of this company is linked with what you signed in as: ask for an invitation, or sign in otherwise and link it under Profile and security"
    )]
    Unlinked,
    #[error("what you signed in as is linked with another person here: take the link away there first")]
    LinkedElsewhere,
    #[error("you are not signed in any more as who began this: sign in, then link it again")]
    OtherSession,
    #[error("this is your last way in: set a password or link another one first")]
    LastWayIn,
    #[error("the second step of signing in is missing")]
    SecondStep(PendingSignIn),
    #[error(transparent)]
    Accept(#[from] AcceptError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<OutsideError> for IdentityError {
    fn from(error: OutsideError) -> Self {
        Self::Outside(error.0)
    }
}

/// What a look at a provider found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderCheck {
    /// Where people are sent.
    pub sends_to: String,
    /// How many keys it signs with.
    pub keys: usize,
    pub at: Instant,
}

impl Identities {
    pub fn new(sessions: &Sessions, ring: &Arc<KeyRing>, outside: &Outside) -> Self {
        Self { sessions: sessions.clone(), ring: Arc::clone(ring), outside: outside.clone() }
    }

    /// Asks a provider for its description and keys, whatever is remembered of them.
    pub async fn check(&self, issuer: &str) -> Result<ProviderCheck, OutsideError> {
        let metadata = self.outside.discover(issuer).await?;
        let keys = metadata.jwks().keys().len();
        if keys == 0 {
            return Err(OutsideError("it names no key that we know how to check signatures with".to_owned()));
        }
        if metadata.token_endpoint().is_none() {
            return Err(OutsideError("it names no address to exchange codes at".to_owned()));
        }
        let sends_to = metadata.authorization_endpoint().url().host_str().unwrap_or_default().to_owned();
        Ok(ProviderCheck { sends_to, keys, at: self.sessions.clock.now() })
    }
}
