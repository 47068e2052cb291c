//! The port between the product and its plugins: what a plugin declares, what it is asked,
//! what it answers. `plugin-host` implements it with a sandbox; [`fake`] for tests.
//!
//! **Invariant:** nothing here knows how a plugin runs.

pub mod cassette;
pub mod config;
pub mod fake;
pub mod fault;
pub mod manifest;
pub mod port;
pub mod rate;

pub use config::{AllowedHost, SplitConfig};
pub use fake::FakeRuntime;
pub use fault::{AuthKind, Fault, FieldError};
pub use manifest::{
    AuthMethod, AuthScheme, BucketScope, CONTRACT_VERSION, CursorKind, FileNeed, IN_FRAMING, Manifest,
    ManifestError, PluginKind, RateBucket, RequestedLimits, Step, StreamDeclaration, StreamMode,
    SubjectPlace,
};
pub use port::{
    CheckReport, ChunkInfo, ConnectionContext, Continuation, EgressGrant, FetchRequest, InstalledPlugin,
    LogLine, NormalizeRequest, Normalized, ObservedLimit, Page, Partition, Payload, PluginRef, PluginRuntime,
    RawChunk, SecretValue, SliceMode, SliceSpec, StagedFile, WaitFor,
};
