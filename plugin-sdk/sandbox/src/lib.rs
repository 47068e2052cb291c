//! What the sandbox upstreams have in common, so that each is only its own channel: faults on request, a server that
//! stops when it is dropped, the same world for the same seed, instants as channels write them.
//!
//! Nothing here depends on Portolan's own code, so that the two can check each other.

mod fault;
pub mod http;
pub mod random;
mod reply;
pub mod time;

pub use fault::{ExportOutcome, Fault, FaultKind, FaultQueue, parse_header};
pub use http::{Handle, Upstream};
pub use reply::Reply;
