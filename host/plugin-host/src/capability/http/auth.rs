//! What the host adds to a request by the manifest's auth schemes. The guest names a scheme, never a secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portolan_connector::config::{HostPattern, render, text_of};
use portolan_connector::{AllowedHost, AuthMethod, AuthScheme, Manifest, SecretValue};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::Value;

/// A scheme with its secrets filled in, for one call.
pub struct ReadyScheme {
    pub id: String,
    pub is_default: bool,
    pub bound: Vec<AllowedHost>,
    /// Absent for schemes that add nothing.
    injection: Option<Injection>,
    /// Why the scheme cannot be used, such as a secret that was not entered.
    missing: Option<String>,
}

enum Injection {
    Header(HeaderName, HeaderValue),
    Query(String, String),
}

/// Every scheme of the manifest for this connection.
pub fn ready_schemes(
    manifest: &Manifest,
    config: &Value,
    secrets: &[(String, SecretValue)],
) -> Vec<ReadyScheme> {
    manifest
        .auth
        .iter()
        .enumerate()
        .map(|(index, scheme)| ready(scheme, index == 0, config, secrets))
        .collect()
}

fn ready(
    scheme: &AuthScheme,
    is_default: bool,
    config: &Value,
    secrets: &[(String, SecretValue)],
) -> ReadyScheme {
    let bound =
        scheme.hosts.iter().filter_map(|host| HostPattern::parse(host).ok()?.render(config).ok()?).collect();
    let (injection, missing) = match injection(scheme, config, secrets) {
        Ok(injection) => (injection, None),
        Err(reason) => (None, Some(reason)),
    };
    ReadyScheme { id: scheme.id.clone(), is_default, bound, injection, missing }
}

fn injection(
    scheme: &AuthScheme,
    config: &Value,
    secrets: &[(String, SecretValue)],
) -> Result<Option<Injection>, String> {
    let fill = |template: &str| {
        let value_of = |field: &str| {
            let secret =
                secrets.iter().find(|(name, _)| name == field).map(|(_, value)| value.expose().to_owned());
            secret.or_else(|| text_of(config, field)).filter(|value| !value.is_empty())
        };
        render(template, value_of).map_err(|field| {
            format!("the connection has no value for {field:?}: enter it in the connection's settings")
        })
    };
    Ok(match &scheme.method {
        AuthMethod::None => None,
        AuthMethod::Header { header, value } => {
            let name = HeaderName::try_from(header.as_str())
                .map_err(|_| "the scheme's header has no usable name")?;
            Some(Injection::Header(name, secret_header(&fill(value)?)?))
        }
        AuthMethod::Bearer { value } => {
            Some(Injection::Header(AUTHORIZATION, secret_header(&format!("Bearer {}", fill(value)?))?))
        }
        AuthMethod::Basic { username, password } => {
            let pair = STANDARD.encode(format!("{}:{}", fill(username)?, fill(password)?));
            Some(Injection::Header(AUTHORIZATION, secret_header(&format!("Basic {pair}"))?))
        }
        AuthMethod::Query { parameter, value } => Some(Injection::Query(parameter.clone(), fill(value)?)),
    })
}

/// Marked sensitive, so that no debug output of the client shows it.
fn secret_header(value: &str) -> Result<HeaderValue, String> {
    let mut header = HeaderValue::from_str(value.trim())
        .map_err(|_| "the credential has characters that no header may carry: enter it again".to_owned())?;
    header.set_sensitive(true);
    Ok(header)
}

impl ReadyScheme {
    /// Adds the credential to a request that goes to an address the scheme is bound to.
    pub fn inject(&self, url: &mut Url, headers: &mut reqwest::header::HeaderMap) -> Result<(), String> {
        if let Some(reason) = &self.missing {
            return Err(reason.clone());
        }
        match &self.injection {
            None => {}
            Some(Injection::Header(name, value)) => {
                headers.insert(name.clone(), value.clone());
            }
            Some(Injection::Query(name, value)) => {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Ok(())
    }
}

/// What a channel may echo besides the secrets themselves: the whole credential of basic auth.
pub fn credentials(manifest: &Manifest, config: &Value, secrets: &[(String, SecretValue)]) -> Vec<String> {
    let mut credentials = Vec::new();
    for scheme in &manifest.auth {
        if let (AuthMethod::Basic { .. }, Ok(Some(Injection::Header(_, value)))) =
            (&scheme.method, injection(scheme, config, secrets))
            && let Ok(text) = value.to_str()
        {
            credentials.push(text.trim_start_matches("Basic ").to_owned());
        }
    }
    credentials
}
