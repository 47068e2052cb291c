//! OpenID Connect itself: the address that people are sent to, and the proof that comes back. The library verifies; this
//! chooses what it is asked to hold.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration as StdDuration, SystemTime};

use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType,
    CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, JwsSigningAlgorithm, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    SignatureVerificationError, TokenResponse,
};
use portolan_core::{Duration, Instant};

use super::IdentityError;
use super::outside::{Metadata, Outside};
use super::providers::OpenedProvider;

/// By how much a provider's clock may be wrong.
const LEEWAY: Duration = Duration::from_secs(60);
/// A token that was issued longer ago is not an answer to what was just asked.
const LONGEST_ON_THE_WAY: Duration = Duration::from_minutes(10);
/// As OpenID Connect limits subjects.
const LONGEST_SUBJECT_BYTES: usize = 255;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What only this browser and this server know of one way there and back.
pub(super) struct Secrets {
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

/// Somebody, as a provider has proven it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verified {
    pub issuer: String,
    pub subject: String,
    /// When they showed the provider who they are, where it says so.
    pub authenticated_at: Option<Instant>,
}

/// The address at the provider to which a browser is sent. With `again` they have to show there anew who they are.
pub(super) fn address_to_go_to(
    metadata: &Metadata,
    provider: &OpenedProvider,
    redirect_uri: &str,
    secrets: &Secrets,
    again: bool,
) -> Result<String, IdentityError> {
    let client = client_of(metadata, provider);
    let redirect_uri = redirect_url(redirect_uri)?;
    let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
    let (state, nonce) = (CsrfToken::new(secrets.state.clone()), Nonce::new(secrets.nonce.clone()));
    let mut request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
        .set_redirect_uri(Cow::Owned(redirect_uri))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    if again {
        // Google knows no other way to ask.
        let prompt = match provider.is_google() {
            true => CoreAuthPrompt::SelectAccount,
            false => CoreAuthPrompt::Login,
        };
        request = request.add_prompt(prompt).set_max_age(StdDuration::ZERO);
    }
    Ok(request.url().0.into())
}

/// Exchanges the code for an ID token and has it verified: signature, issuer, audience, times, nonce, and whether it
/// belongs to the access token that came with it.
pub(super) async fn verify_code(
    outside: &Outside,
    metadata: Arc<Metadata>,
    provider: &OpenedProvider,
    redirect_uri: &str,
    (code, nonce, verifier): (String, String, String),
    now: Instant,
) -> Result<Verified, IdentityError> {
    let client = client_of(&metadata, provider);
    let asker = outside.asker();
    let answer = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|_| IdentityError::Outside("it names no address to exchange the code at".to_owned()))?
        .set_redirect_uri(Cow::Owned(redirect_url(redirect_uri)?))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier))
        .request_async(&asker)
        .await
        .map_err(explained)?;
    let token = answer.id_token().ok_or_else(|| untrusted("it sent no ID token"))?;
    let nonce = Nonce::new(nonce);
    let first = verified(&client, &metadata, token, answer.access_token(), &nonce, now);
    let found = match first {
        Err(Refusal::UnknownKey) => match outside.newer_metadata(&provider.issuer).await? {
            // It may have changed its keys since.
            Some(newer) => {
                let client = client_of(&newer, provider);
                verified(&client, &newer, token, answer.access_token(), &nonce, now)
            }
            None => Err(Refusal::UnknownKey),
        },
        other => other,
    };
    found.map_err(|refusal| match refusal {
        Refusal::UnknownKey => untrusted("it is signed with a key that the provider does not name"),
        Refusal::Because(reason) => IdentityError::Untrusted(reason),
    })
}

enum Refusal {
    UnknownKey,
    Because(String),
}

impl From<ClaimsVerificationError> for Refusal {
    fn from(error: ClaimsVerificationError) -> Self {
        // What the token says stays out of messages: it is somebody's.
        let reason = match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                return Self::UnknownKey;
            }
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoSignature) => {
                "it is not signed"
            }
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
                "it is signed in a way that is not allowed"
            }
            ClaimsVerificationError::SignatureVerification(_) => "its signature is not right",
            ClaimsVerificationError::InvalidIssuer(_) => "it is of another issuer",
            ClaimsVerificationError::InvalidAudience(_) => "it is meant for another application",
            ClaimsVerificationError::Expired(_) => "its time is over, or the clocks differ",
            ClaimsVerificationError::InvalidNonce(_) => "it answers another request",
            ClaimsVerificationError::InvalidSubject(_) => "it names nobody",
            _ => "it is of a kind that is not understood",
        };
        Self::Because(reason.to_owned())
    }
}

fn verified(
    client: &Client,
    metadata: &Metadata,
    token: &CoreIdToken,
    access_token: &AccessToken,
    nonce: &Nonce,
    now: Instant,
) -> Result<Verified, Refusal> {
    let verifier = verifier_of(client, metadata, now);
    let claims = token.claims(&verifier, nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let (algorithm, key) = token
            .signing_alg()
            .and_then(|algorithm| Ok((algorithm, token.signing_key(&verifier)?)))
            .map_err(|_| because("its signature is not right"))?;
        let actual = AccessTokenHash::from_token(access_token, algorithm, key)
            .map_err(|_| because("it cannot be held against its access token"))?;
        if actual != *expected {
            return Err(because("it belongs to another access token"));
        }
    }
    // The library leaves it to us: a token for several has to name us as the one that it was given to.
    if claims.authorized_party().is_some_and(|party| party != client.client_id()) {
        return Err(because("it was given to another application"));
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT_BYTES || subject.contains('\0') {
        return Err(because("it names nobody"));
    }
    Ok(Verified {
        issuer: claims.issuer().as_str().to_owned(),
        subject: subject.to_owned(),
        authenticated_at: authenticated_at(claims),
    })
}

fn verifier_of<'client>(
    client: &'client Client,
    metadata: &Metadata,
    now: Instant,
) -> CoreIdTokenVerifier<'client> {
    // Whoever knows the client secret could sign with it, and anybody could leave the signature out.
    let allowed = metadata
        .id_token_signing_alg_values_supported()
        .iter()
        .filter(|algorithm| !algorithm.uses_shared_secret() && **algorithm != CoreJwsSigningAlgorithm::None);
    let expires_after = system_time(Instant(now.0 - LEEWAY.0));
    client
        .id_token_verifier()
        .set_allowed_algs(allowed.cloned())
        .set_other_audience_verifier_fn(|_| false)
        .set_time_fn(move || expires_after.into())
        .set_issue_time_verifier_fn(move |issued| {
            let issued = Instant(issued.timestamp_micros());
            let early = issued.0 > now.0 + LEEWAY.0;
            let late = issued.0 < now.0 - LONGEST_ON_THE_WAY.0;
            if early || late { Err("issued too long ago, or not yet".to_owned()) } else { Ok(()) }
        })
}

fn authenticated_at(claims: &CoreIdTokenClaims) -> Option<Instant> {
    claims.auth_time().map(|at| Instant(at.timestamp_micros()))
}

fn client_of(metadata: &Metadata, provider: &OpenedProvider) -> Client {
    let secret = provider.client_secret.clone().map(ClientSecret::new);
    let client = CoreClient::from_provider_metadata(
        metadata.clone(),
        ClientId::new(provider.client_id.clone()),
        secret,
    );
    let methods = metadata.token_endpoint_auth_methods_supported();
    let knows = |method| methods.is_none_or(|methods| methods.contains(&method));
    match knows(CoreClientAuthMethod::ClientSecretBasic) {
        true => client,
        false => client.set_auth_type(AuthType::RequestBody),
    }
}

fn redirect_url(address: &str) -> Result<RedirectUrl, IdentityError> {
    RedirectUrl::new(address.to_owned())
        .map_err(|_| IdentityError::Outside("this server's own public address cannot be used".to_owned()))
}

fn system_time(at: Instant) -> SystemTime {
    SystemTime::UNIX_EPOCH + StdDuration::from_micros(u64::try_from(at.0).unwrap_or_default())
}

fn because(reason: &str) -> Refusal {
    Refusal::Because(reason.to_owned())
}

fn untrusted(reason: &str) -> IdentityError {
    IdentityError::Untrusted(reason.to_owned())
}

/// What went wrong with the exchange, without what the provider wrote: that may be anything.
fn explained(
    error: RequestTokenError<
        super::OutsideError,
        openidconnect::StandardErrorResponse<CoreErrorResponseType>,
    >,
) -> IdentityError {
    let reason = match error {
        RequestTokenError::Request(error) => return IdentityError::Outside(error.0),
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                "it does not take our client id or client secret: an admin enters them again"
            }
            CoreErrorResponseType::InvalidGrant => {
                "it does not take the code that it gave: begin again, and once only"
            }
            _ => "it refused to exchange the code",
        },
        _ => "its answer to the exchange of the code cannot be read",
    };
    IdentityError::Outside(reason.to_owned())
}
