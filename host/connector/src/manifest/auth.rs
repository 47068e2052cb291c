//! How requests are authenticated and messages signed; the plugin itself never sees a secret.

use serde::{Deserialize, Serialize};

use crate::config::template_fields;

/// One way to authenticate toward some hosts. `{{field}}` stands for a configuration field, secret or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthScheme {
    /// What a request of the guest names.
    pub id: String,
    #[serde(flatten)]
    pub method: AuthMethod,
    /// What people read: "Custom app token".
    #[serde(default)]
    pub label: String,
    /// Where a person finds the credential.
    #[serde(default)]
    pub help: String,
    /// Hosts that the secrets are bound to: each is one of the manifest's `hosts`.
    #[serde(default)]
    pub hosts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthMethod {
    /// `header: value`
    Header { header: String, value: String },
    /// `authorization: Bearer value`
    Bearer { value: String },
    /// `authorization: Basic base64(username:password)`
    Basic { username: String, password: String },
    /// `?parameter=value`
    Query { parameter: String, value: String },
    /// Nothing is added.
    None,
}

/// A secret that the plugin may use through `signer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningEntry {
    /// A secret field of the configuration.
    pub secret: String,
    pub algorithms: Vec<String>,
}

impl AuthScheme {
    /// The templates of what is injected.
    pub fn templates(&self) -> Vec<&str> {
        match &self.method {
            AuthMethod::Header { value, .. }
            | AuthMethod::Query { value, .. }
            | AuthMethod::Bearer { value } => {
                vec![value]
            }
            AuthMethod::Basic { username, password } => vec![username, password],
            AuthMethod::None => Vec::new(),
        }
    }

    /// Every configuration field that the scheme uses, sorted.
    pub fn fields(&self) -> Vec<String> {
        let mut fields: Vec<String> =
            self.templates().into_iter().flat_map(template_fields).map(str::to_owned).collect();
        fields.sort();
        fields.dedup();
        fields
    }
}
