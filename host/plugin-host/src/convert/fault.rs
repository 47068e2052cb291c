//! A plugin's error as a fault: bounded, scrubbed, one action each.

use portolan_connector::{AuthKind, Fault, FieldError};

use crate::bindings::portolan::plugin::types as wit;
use crate::text::Scrubber;

const MAX_DETAIL_CHARS: usize = 1_000;
const MAX_WORD_CHARS: usize = 100;
const MAX_LIST: usize = 50;

/// A day: whoever asks for more is asked again tomorrow.
const MAX_AFTER_MS: u64 = 86_400_000;

pub fn fault(error: wit::PluginError, scrubber: &Scrubber) -> Fault {
    let detail = |text: &str| scrubber.clean(text, MAX_DETAIL_CHARS);
    let word = |text: &str| scrubber.clean(text, MAX_WORD_CHARS);
    match error {
        wit::PluginError::Auth(auth) => Fault::Auth {
            kind: match auth.kind {
                wit::AuthKind::Expired => AuthKind::Expired,
                wit::AuthKind::Revoked => AuthKind::Revoked,
                wit::AuthKind::Invalid => AuthKind::Invalid,
                wit::AuthKind::MissingScope => AuthKind::MissingScope,
            },
            missing: auth.missing.iter().take(MAX_LIST).map(|scope| word(scope)).collect(),
            detail: detail(&auth.detail),
        },
        wit::PluginError::RateLimited(retry) => Fault::RateLimited {
            after_ms: retry.after_ms.map(|after| after.min(MAX_AFTER_MS)),
            bucket: retry.bucket.map(|bucket| word(&bucket)),
            detail: detail(&retry.detail),
        },
        wit::PluginError::Transient(retry) => Fault::Transient {
            after_ms: retry.after_ms.map(|after| after.min(MAX_AFTER_MS)),
            detail: detail(&retry.detail),
        },
        wit::PluginError::InvalidConfig(fields) => Fault::InvalidConfig {
            fields: fields
                .iter()
                .take(MAX_LIST)
                .map(|field| FieldError { path: word(&field.path), message: detail(&field.message) })
                .collect(),
        },
        wit::PluginError::CursorExpired(text) => Fault::CursorExpired { detail: detail(&text) },
        wit::PluginError::Unavailable(text) => Fault::Unavailable { detail: detail(&text) },
        wit::PluginError::UpstreamBug(upstream) => Fault::UpstreamBug {
            status: upstream.status,
            request_id: upstream.request_id.map(|id| word(&id)),
            detail: detail(&upstream.detail),
        },
        wit::PluginError::PluginBug(text) => Fault::PluginBug { detail: detail(&text) },
        wit::PluginError::Other(other) => Fault::Other {
            other_code: word(&other.code),
            retryable: other.retryable,
            detail: detail(&other.detail),
        },
    }
}
