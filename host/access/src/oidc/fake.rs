//! Providers of identities for tests: they keep the protocol, sign with real keys, and misbehave when asked to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::url::Url;
use portolan_core::{Clock, Instant};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::outside::{AskOutside, IncomingAnswer, OutgoingRequest, OutsideError};

/// Of tests alone: it signs nothing that anybody trusts.
const RSA_KEY: &[u8] = include_bytes!("fake_rsa_key.der");

pub const CLIENT_ID: &str = "portolan-test";
pub const CLIENT_SECRET: &str = "a secret of tests: with & and %";

/// What a provider does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    #[default]
    None,
    /// Does not answer at all.
    Down,
    /// Its description is a page.
    Page,
    /// Its description leads elsewhere.
    Redirects,
    /// Its description calls itself by another name.
    CallsItselfOtherwise,
    /// Sends people to an address that is no web address.
    SendsToScript,
    NoIdToken,
    WrongSignature,
    Unsigned,
    /// Signed with what both sides know.
    SharedSecret,
    OtherIssuer,
    OtherAudience,
    /// Ours, and another one's.
    FurtherAudience,
    OtherAuthorizedParty,
    Expired,
    IssuedLongAgo,
    OtherNonce,
    NoNonce,
    OtherAccessToken,
    NoSubject,
    /// Never asks anew who somebody is.
    AuthenticatedLongAgo,
}

/// All providers of a test, and the way to them.
#[derive(Clone)]
pub struct FakeOutside {
    clock: Arc<dyn Clock>,
    providers: Arc<Mutex<HashMap<String, Arc<Mutex<State>>>>>,
}

/// One of them.
#[derive(Clone)]
pub struct FakeProvider {
    pub issuer: String,
    state: Arc<Mutex<State>>,
}

struct State {
    fault: Fault,
    signs_with_rsa: bool,
    key: EcdsaKeyPair,
    key_id: usize,
    /// By code.
    grants: HashMap<String, Grant>,
    names_itself: bool,
    /// How often each address was asked.
    asked: HashMap<String, usize>,
    /// The last verifier that came with a code.
    verifier: Option<String>,
}

struct Grant {
    subject: String,
    nonce: String,
    challenge: String,
    redirect_uri: String,
    client_id: String,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).expect("a key")
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl FakeOutside {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, providers: Arc::default() }
    }

    /// A provider under this name, `https://id.example`.
    pub fn provider(&self, issuer: &str) -> FakeProvider {
        let state = State {
            fault: Fault::None,
            signs_with_rsa: false,
            key: new_key(),
            key_id: 1,
            grants: HashMap::new(),
            names_itself: false,
            asked: HashMap::new(),
            verifier: None,
        };
        let state = Arc::new(Mutex::new(state));
        held(&self.providers).insert(issuer.to_owned(), Arc::clone(&state));
        FakeProvider { issuer: issuer.to_owned(), state }
    }
}

impl FakeProvider {
    pub fn misbehave(&self, fault: Fault) {
        held(&self.state).fault = fault;
    }

    /// From now on it signs as Google does.
    pub fn sign_with_rsa(&self) {
        held(&self.state).signs_with_rsa = true;
    }

    /// From now on it signs with a new key, and knows the old one no more.
    pub fn change_key(&self) {
        let mut state = held(&self.state);
        state.key = new_key();
        state.key_id += 1;
    }

    /// From now on it says in each answer who it is (RFC 9207), and that it does.
    pub fn name_itself(&self) {
        held(&self.state).names_itself = true;
    }

    /// How often something below this path was asked of it.
    pub fn asked(&self, path: &str) -> usize {
        held(&self.state).asked.get(path).copied().unwrap_or_default()
    }

    /// The verifier that came with the last code.
    pub fn verifier(&self) -> Option<String> {
        held(&self.state).verifier.clone()
    }

    /// Somebody arrives with a browser, shows who they are and is sent back: to the address that this gives.
    pub fn authorize(&self, url: &str, subject: &str) -> String {
        let url = Url::parse(url).expect("an address");
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.issuer)), "{url}");
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["scope"], "openid", "no more than it needs");
        assert_eq!(query["code_challenge_method"], "S256");
        let mut state = held(&self.state);
        let code = format!("code-{}-{}", subject, state.grants.len());
        let grant = Grant {
            subject: subject.to_owned(),
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
            client_id: query["client_id"].clone(),
        };
        let mut back = Url::parse(&grant.redirect_uri).expect("an address");
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &query["state"]);
        if state.names_itself {
            back.query_pairs_mut().append_pair("iss", &self.issuer);
        }
        state.grants.insert(code, grant);
        back.into()
    }
}

#[async_trait]
impl AskOutside for FakeOutside {
    fn permits(&self, url: &str) -> Result<(), OutsideError> {
        match url.strip_prefix("https://") {
            Some(_) => Ok(()),
            None => Err(OutsideError(format!("{url} is not https"))),
        }
    }

    async fn ask(&self, request: OutgoingRequest) -> Result<IncomingAnswer, OutsideError> {
        let nobody = || OutsideError(format!("nobody answers at {}", request.url));
        let found = held(&self.providers)
            .iter()
            .find_map(|(issuer, state)| {
                let path = request.url.strip_prefix(issuer.as_str())?;
                path.starts_with('/').then(|| (issuer.clone(), Arc::clone(state), path.to_owned()))
            })
            .ok_or_else(nobody)?;
        let (issuer, state, path) = found;
        let mut state = held(&state);
        *state.asked.entry(path.clone()).or_default() += 1;
        if state.fault == Fault::Down {
            return Err(nobody());
        }
        match path.as_str() {
            "/.well-known/openid-configuration" => Ok(description(&issuer, &state)),
            "/keys" => Ok(json_answer(200, &keys(&state))),
            "/token" => Ok(token(&issuer, &mut state, &request, self.clock.now())),
            _ => Ok(json_answer(404, &json!({}))),
        }
    }
}

fn json_answer(status: u16, body: &Value) -> IncomingAnswer {
    let content_type = Some("application/json; charset=utf-8".to_owned());
    IncomingAnswer { status, content_type, body: body.to_string().into_bytes() }
}

fn description(issuer: &str, state: &State) -> IncomingAnswer {
    match state.fault {
        Fault::Page => {
            let content_type = Some("text/html".to_owned());
            return IncomingAnswer { status: 200, content_type, body: b"<h1>Welcome</h1>".to_vec() };
        }
        Fault::Redirects => return json_answer(302, &json!({})),
        _ => {}
    }
    let issuer_told = match state.fault {
        Fault::CallsItselfOtherwise => "https://accounts.google.com",
        _ => issuer,
    };
    let authorize = match state.fault {
        Fault::SendsToScript => "javascript:alert(1)".to_owned(),
        _ => format!("{issuer}/authorize"),
    };
    json_answer(
        200,
        &json!({
            "issuer": issuer_told,
            "authorization_endpoint": authorize,
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            // Whoever says that it does without is not believed.
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": state.names_itself,
            "further": { "something": ["that nobody knows"] },
        }),
    )
}

fn rsa() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(RSA_KEY).expect("the key of tests")
}

fn keys(state: &State) -> Value {
    let point = state.key.public_key().as_ref();
    let rsa = PublicKeyComponents::<Vec<u8>>::from(rsa().public());
    json!({ "keys": [
        { "kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": format!("ec-{}", state.key_id),
          "x": encoded(&point[1..33]), "y": encoded(&point[33..]) },
        { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa", "n": encoded(&rsa.n), "e": encoded(&rsa.e) },
    ] })
}

fn token(issuer: &str, state: &mut State, request: &OutgoingRequest, now: Instant) -> IncomingAnswer {
    let form = Url::parse(&format!("https://x/?{}", String::from_utf8_lossy(&request.body))).expect("a form");
    let form: HashMap<String, String> = form.query_pairs().into_owned().collect();
    let refused =
        |error: &str| json_answer(400, &json!({ "error": error, "error_description": "<b>no</b>" }));
    let whose =
        request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
    let escaped: String =
        openidconnect::url::form_urlencoded::byte_serialize(CLIENT_SECRET.as_bytes()).collect();
    if whose != Some(&format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{escaped}")))) {
        return json_answer(401, &json!({ "error": "invalid_client" }));
    }
    // A code is good once.
    let Some(grant) = state.grants.remove(&form["code"]) else { return refused("invalid_grant") };
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    let challenge = encoded(Sha256::digest(verifier.as_bytes()));
    state.verifier = Some(verifier);
    if challenge != grant.challenge
        || form["redirect_uri"] != grant.redirect_uri
        || grant.client_id != CLIENT_ID
    {
        return refused("invalid_grant");
    }
    let access_token = "an access token";
    let mut answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 300 });
    if state.fault != Fault::NoIdToken {
        answer["id_token"] = json!(id_token(issuer, state, &grant, access_token, now));
    }
    json_answer(200, &answer)
}

fn id_token(issuer: &str, state: &State, grant: &Grant, access_token: &str, now: Instant) -> String {
    let (fault, seconds) = (state.fault, now.0 / 1_000_000);
    let digest = Sha256::digest(access_token.as_bytes());
    let mut claims = json!({
        "iss": issuer, "sub": grant.subject, "aud": CLIENT_ID, "azp": CLIENT_ID,
        "iat": seconds, "exp": seconds + 300, "nonce": grant.nonce, "at_hash": encoded(&digest[..16]),
        "email": "somebody-else@example.com", "email_verified": true,
    });
    match fault {
        Fault::OtherIssuer => claims["iss"] = json!("https://accounts.google.com"),
        Fault::OtherAudience => claims["aud"] = json!("another-application"),
        Fault::FurtherAudience => claims["aud"] = json!([CLIENT_ID, "another-application"]),
        Fault::OtherAuthorizedParty => claims["azp"] = json!("another-application"),
        Fault::Expired => claims["exp"] = json!(seconds - 120),
        Fault::IssuedLongAgo => claims["iat"] = json!(seconds - 3_600),
        Fault::OtherNonce => claims["nonce"] = json!("another"),
        Fault::NoNonce => claims["nonce"] = Value::Null,
        Fault::OtherAccessToken => claims["at_hash"] = json!(encoded([7_u8; 16])),
        Fault::NoSubject => claims["sub"] = json!(""),
        Fault::AuthenticatedLongAgo => claims["auth_time"] = json!(seconds - 7_200),
        _ => {}
    }
    if claims["nonce"].is_null() {
        claims.as_object_mut().expect("an object").remove("nonce");
    }
    signed(state, &claims)
}

fn signed(state: &State, claims: &Value) -> String {
    let header = match state.fault {
        Fault::Unsigned => json!({ "alg": "none" }),
        Fault::SharedSecret => json!({ "alg": "HS256" }),
        _ if state.signs_with_rsa => json!({ "alg": "RS256", "typ": "JWT", "kid": "rsa" }),
        _ => json!({ "alg": "ES256", "typ": "JWT", "kid": format!("ec-{}", state.key_id) }),
    };
    let text = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let random = SystemRandom::new();
    let mut signature = match state.fault {
        Fault::Unsigned => Vec::new(),
        Fault::SharedSecret => {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
            ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
        }
        _ if state.signs_with_rsa => {
            let key = rsa();
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).expect("signed");
            signature
        }
        _ => state.key.sign(&random, text.as_bytes()).expect("signed").as_ref().to_vec(),
    };
    if state.fault == Fault::WrongSignature {
        signature[3] ^= 1;
    }
    format!("{text}.{}", encoded(signature))
}
