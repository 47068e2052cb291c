//! Two kinds of failure: a call that can't go on ([`Error`]) and a record that can't be mapped ([`BadRecord`]).

use std::fmt;

use crate::bindings::portolan::plugin::http::HttpError;
use crate::bindings::portolan::plugin::types::{AuthError, FieldError, OtherError, Retry, Upstream};

/// Why a call failed: each case is one thing that the host then does.
pub use crate::bindings::portolan::plugin::types::{AuthKind, PluginError as Error};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What mapping one record ends in.
pub type RecordResult = std::result::Result<(), BadRecord>;

impl Error {
    /// The credentials are not accepted: a person has to renew them.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::Auth(AuthError { kind: AuthKind::Invalid, missing: Vec::new(), detail: detail.into() })
    }

    /// The credentials were good and have run out: a person has to renew them.
    pub fn expired(detail: impl Into<String>) -> Self {
        Self::Auth(AuthError { kind: AuthKind::Expired, missing: Vec::new(), detail: detail.into() })
    }

    /// The credentials are accepted but don't reach this far.
    pub fn missing_scope(missing: Vec<String>, detail: impl Into<String>) -> Self {
        Self::Auth(AuthError { kind: AuthKind::MissingScope, missing, detail: detail.into() })
    }

    /// The channel asks to slow down; the host parks the slice.
    pub fn rate_limited(after_ms: Option<u64>, detail: impl Into<String>) -> Self {
        Self::RateLimited(Retry { after_ms, bucket: None, detail: detail.into() })
    }

    /// It may work when it is tried again.
    pub fn transient(detail: impl Into<String>) -> Self {
        Self::Transient(Retry { after_ms: None, bucket: None, detail: detail.into() })
    }

    /// A field of the connection's config is not usable; shown beside it.
    pub fn invalid_config(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidConfig(vec![FieldError { path: path.into(), message: message.into() }])
    }

    /// The channel broke its own contract.
    pub fn upstream_bug(detail: impl Into<String>) -> Self {
        Self::UpstreamBug(Upstream { status: None, request_id: None, detail: detail.into() })
    }

    /// An error of a kind the contract has no case for.
    pub fn other(code: impl Into<String>, retryable: bool, detail: impl Into<String>) -> Self {
        Self::Other(OtherError { code: code.into(), retryable, detail: detail.into() })
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(why) => Self::PluginBug(format!("the host refused the request: {why}")),
            HttpError::Throttled(after_ms) => {
                Self::rate_limited(Some(after_ms), "the request budget is spent")
            }
            HttpError::Timeout => Self::transient("the channel did not answer in time"),
            HttpError::Network(why) => Self::transient(format!("the channel could not be reached: {why}")),
            HttpError::TooLarge(bytes) => {
                Self::upstream_bug(format!("the answer is larger than allowed ({bytes} bytes)"))
            }
            HttpError::Cancelled => Self::transient("the run was cancelled"),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::upstream_bug(format!("the answer is not the JSON that was expected: {error}"))
    }
}

/// A text that is no exact number, amount, date or moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue(String);

impl BadValue {
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// Says where in the record the value stands.
    pub fn at(self, path: impl Into<String>) -> BadRecord {
        BadRecord { path: Some(path.into()), reason: self.0, blamed: None }
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BadValue {}

/// A bad value outside a record came from the channel's answer as a whole.
impl From<BadValue> for Error {
    fn from(value: BadValue) -> Self {
        Self::upstream_bug(value.0)
    }
}

/// Why a raw record was not mapped. It is kept, counted, and shown with this reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// The offending field, where one is to blame.
    pub path: Option<String>,
    pub reason: String,
    /// The one raw record to blame, where a document is made from several.
    pub blamed: Option<u32>,
}

impl BadRecord {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { path: None, reason: reason.into(), blamed: None }
    }

    pub fn at(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: Some(path.into()), reason: reason.into(), blamed: None }
    }

    /// Blames one of the records that a document is made from.
    pub fn in_record(mut self, src: u32) -> Self {
        self.blamed = Some(src);
        self
    }
}

impl From<BadValue> for BadRecord {
    fn from(value: BadValue) -> Self {
        Self::new(value.0)
    }
}

impl From<serde_json::Error> for BadRecord {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Errors of the config as the contract carries them.
pub(crate) struct FieldErrors;

impl FieldErrors {
    /// One serde error as an error beside a form field.
    pub(crate) fn one(path: &serde_path_to_error::Path, error: &serde_json::Error) -> Error {
        let path = path.to_string();
        let path = if path == "." { String::new() } else { path };
        Error::invalid_config(path, error.to_string())
    }
}
