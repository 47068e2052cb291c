//! The one place that calls the host. In a component these are the contract's imports; in a native
//! test they are the test host of [`crate::testing`].

use crate::Result;
pub use crate::bindings::portolan::plugin::files::File;
use crate::bindings::portolan::plugin::http::{HttpError, Request, Response, Staged};
pub use crate::bindings::portolan::plugin::log::Level as LogLevel;

/// Writes a line into the run's log. Never put credentials or personal data into it.
pub fn log(level: LogLevel, message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    imports::log(level, message, &fields);
}

/// Files that wait for this connection and stream, oldest first.
pub fn files_waiting(stream: &str) -> Result<Vec<File>> {
    imports::files_waiting(stream)
}

/// The first bytes of a waiting file: enough to find its encoding, dialect and header.
pub fn peek_file(id: u64, bytes: u32) -> Result<Vec<u8>> {
    imports::peek_file(id, bytes)
}

/// Signs with a secret that the plugin can't see.
pub fn sign(secret: &str, algorithm: &str, message: &[u8]) -> std::result::Result<Vec<u8>, String> {
    imports::sign(secret, algorithm, message)
}

/// Verifies a signature, in constant time, with a secret that the plugin can't see.
pub fn verify(
    secret: &str,
    algorithm: &str,
    message: &[u8],
    signature: &[u8],
) -> std::result::Result<bool, String> {
    imports::verify(secret, algorithm, message, signature)
}

/// Tells the host what a body said about the budget (GraphQL cost and throttle status).
pub fn observe_limit(bucket: &str, remaining: u32, reset_ms: u64) {
    imports::observe_limit(bucket, remaining, reset_ms);
}

pub(crate) fn send(request: &Request) -> std::result::Result<Response, HttpError> {
    imports::send(request)
}

pub(crate) fn send_all(requests: &[Request]) -> Vec<std::result::Result<Response, HttpError>> {
    imports::send_all(requests)
}

pub(crate) fn download(request: &Request) -> std::result::Result<Staged, HttpError> {
    imports::download(request)
}

#[cfg(target_arch = "wasm32")]
mod imports {
    pub use crate::bindings::portolan::plugin::files::{peek as peek_file, waiting as files_waiting};
    pub use crate::bindings::portolan::plugin::http::{download, observe_limit, send, send_all};
    pub use crate::bindings::portolan::plugin::log::write as log;
    pub use crate::bindings::portolan::plugin::signer::{sign, verify};
}
#[cfg(target_arch = "wasm32")]
pub(crate) use crate::bindings::portolan::plugin::sink as emit;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::emit;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports;
