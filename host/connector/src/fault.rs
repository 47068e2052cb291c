//! Everything a plugin call can end in besides an answer; one variant per thing the host does about it.

use serde::{Deserialize, Serialize};

/// Why the channel refused the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    Expired,
    Revoked,
    Invalid,
    MissingScope,
}

/// A message beside a field of the connection's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub path: String,
    pub message: String,
}

/// A failed plugin call. The text of every variant was written by the plugin or the channel:
/// hostile, bounded and scrubbed by the runtime before it gets here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Fault {
    /// Pause the connection and tell a person; never retried blindly.
    #[error("the channel refused the credentials ({kind:?}): {detail}")]
    Auth { kind: AuthKind, missing: Vec<String>, detail: String },
    /// Park the slice; not counted as a failure.
    #[error("rate limited: {detail}")]
    RateLimited { after_ms: Option<u64>, bucket: Option<String>, detail: String },
    /// Retry with backoff.
    #[error("temporary failure: {detail}")]
    Transient { after_ms: Option<u64>, detail: String },
    /// Show next to the form's fields.
    #[error("the configuration is not accepted")]
    InvalidConfig { fields: Vec<FieldError> },
    /// Restart the slice from its beginning.
    #[error("the page token is no longer accepted: {detail}")]
    CursorExpired { detail: String },
    /// Not offered to this account: pause the stream, go on with others.
    #[error("not available to this account: {detail}")]
    Unavailable { detail: String },
    /// The channel broke its own contract.
    #[error("the channel answered something unexpected: {detail}")]
    UpstreamBug { status: Option<u16>, request_id: Option<String>, detail: String },
    /// The plugin says it is at fault; the page is kept.
    #[error("the plugin failed: {detail}")]
    PluginBug { detail: String },
    /// The forward-compatible arm.
    #[error("{detail} ({other_code})")]
    Other { other_code: String, retryable: bool, detail: String },
    /// The sandbox stopped the call (deadline, memory, trap, output size): the plugin is at fault.
    #[error("the sandbox stopped the plugin: {detail}")]
    Stopped { limit: String, detail: String },
}

impl Fault {
    /// Whether trying the same call again later can help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Transient { .. } | Self::UpstreamBug { .. } => true,
            Self::Other { retryable, .. } => *retryable,
            _ => false,
        }
    }
}
