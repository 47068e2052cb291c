//! What a plugin may do, one file per capability. There is nothing else.

pub mod files;
pub mod http;
pub mod log;
pub mod signer;
pub mod sink;
