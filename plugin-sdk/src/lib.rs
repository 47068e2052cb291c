#![doc = include_str!("../README.md")]

// The generated bindings name the crate from outside, as a plugin sees it.
extern crate self as portolan_sdk;

#[doc(hidden)]
pub mod alloc;
#[doc(hidden)]
pub mod bindings;
mod connector;
mod documents;
mod error;
pub mod framing;
mod host;
pub mod http;
pub mod money;
mod number;
mod optional;
pub mod pager;
pub mod read;
mod sink;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod text;
pub mod time;

#[doc(hidden)]
pub use connector::run_normalize;
#[doc(hidden)]
pub use wit_bindgen::rt as wit_runtime;

/// Everything a normalizer emits: orders, refunds, products, …
pub use bindings::portolan::plugin::commerce;
/// What passes between host and connector while it fetches.
pub use bindings::portolan::plugin::sync::{
    CheckReport, ChunkInfo, Connection, Continuation, FetchRequest, Mode, Page, Partition, Payload, RawChunk,
    Slice, Wait,
};
/// Scalars of the contract.
pub use bindings::portolan::plugin::types::{Currency, Decimal, Instant, LocalDate, Minor, Moment};
pub use connector::{Chunk, Connector};
pub use error::{AuthKind, BadRecord, BadValue, Error, RecordResult, Result};
pub use host::{File, LogLevel, files_waiting, log, observe_limit, peek_file, sign, verify};
pub use number::Number;
pub use optional::{Control, ControlTotals, Event, Outcome, Webhook};
pub use read::each;
pub use sink::{Document, Sink};
pub use text::Text;
