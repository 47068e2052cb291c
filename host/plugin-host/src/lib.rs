//! The sandbox behind the plugin port: wasmtime, one file per capability it grants.
//!
//! **Invariants:** nothing of a component runs before its manifest and imports are accepted; every
//! call has a fresh store with limits on memory, computing time, duration and output; a secret never
//! enters a guest; every connection is opened by `capability::http` under the connection's allow-list.

mod bindings;
mod cache;
mod call;
mod capability;
mod cassette;
mod convert;
mod engine;
mod limits;
mod linker;
mod load;
mod options;
mod runtime;
mod state;
mod text;

pub use capability::http::{
    GrantedOrigin, Lookup, NotAnOrigin, Outgoing, OutgoingAnswer, outgoing_to_providers,
};
pub use cassette::{Ask, Outcome, TapeError};
pub use load::{Inspected, MANIFEST_SECTION, inspect};
pub use options::{CacheKey, HttpOptions, Limits, Options};
pub use runtime::{SandboxRuntime, SetupError};
