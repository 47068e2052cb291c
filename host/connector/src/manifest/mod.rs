//! The manifest: what a plugin declares about itself, read before anything of it runs.
//!
//! It is data, so that a person can consent to hosts, secrets and personal data before any code
//! executes. `wit/manifest.schema.json` defines every word of it for authors; here unknown fields
//! are tolerated, because a manifest may grow.

mod auth;
mod check;
mod declarations;
mod privacy;
mod stream;
mod subject;
#[cfg(test)]
mod tests;

pub use auth::{AuthMethod, AuthScheme, SigningEntry};
pub use check::ManifestError;
pub use declarations::{
    BucketScope, FileNeed, Mailbox, RateBucket, RequestedLimits, Verification, WebhookTopic,
};
pub use privacy::{PrivacyAccount, PrivacyAsks, PrivacyTopic, PrivacyWebhooks, PrivacyWish};
pub use stream::{CursorKind, StreamDeclaration, StreamMode};
pub use subject::{IN_FRAMING, Step, SubjectPlace};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The one contract version that this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";

/// What a plugin declares about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Names the plugin for ever: `shopify`.
    pub id: String,
    /// Semantic version of this build.
    pub version: String,
    pub kind: PluginKind,
    pub name: String,
    pub publisher: String,
    /// Version of `portolan:plugin` that it was built against.
    pub contract: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// JSON Schema of a connection's configuration; secret fields carry `format: "secret"`.
    #[serde(default = "empty_schema")]
    pub config: Value,
    /// The first is the default scheme.
    #[serde(default)]
    pub auth: Vec<AuthScheme>,
    #[serde(default)]
    pub signing: Vec<SigningEntry>,
    /// Every host it may reach, with `{{field}}` for a value of the configuration.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What the guest's relative paths are joined to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// A configuration field that, when set, stands in place of `base_url`; reached only with an
    /// egress grant where `hosts` does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url_field: Option<String>,
    #[serde(default)]
    pub streams: Vec<StreamDeclaration>,
    /// The first is the default bucket.
    #[serde(default)]
    pub rate_buckets: Vec<RateBucket>,
    #[serde(default)]
    pub webhooks: Vec<WebhookTopic>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_webhooks: Option<PrivacyWebhooks>,
    #[serde(default)]
    pub files: Vec<FileNeed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Mailbox>,
    #[serde(default)]
    pub limits: RequestedLimits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginKind {
    Connector,
    Report,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// Errors: [`ManifestError`] lists every finding, each a sentence that says what to change.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|error| ManifestError::one(format!("the manifest is not readable: {error}")))?;
        check::check(&manifest)?;
        Ok(manifest)
    }

    pub fn stream(&self, name: &str) -> Option<&StreamDeclaration> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    /// Whether it says where customers' ids stand, so that its connections go by pseudonyms.
    pub fn names_subjects(&self) -> bool {
        self.streams.iter().any(|stream| !stream.subject.is_empty())
    }

    /// The scheme used when a request names none: the first.
    pub fn default_auth(&self) -> Option<&AuthScheme> {
        self.auth.first()
    }
}

fn empty_schema() -> Value {
    serde_json::json!({ "type": "object" })
}
