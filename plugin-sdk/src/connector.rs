//! What an author implements, and the macro that makes a component of it.

use serde::de::DeserializeOwned;

use crate::bindings::exports::portolan::plugin::normalizer::Summary;
use crate::bindings::portolan::plugin::sync::ChunkInfo;
use crate::error::FieldErrors;
use crate::sink::Sink;
use crate::{CheckReport, Connection, FetchRequest, Instant, Page, Partition, Result};

/// A connector: one marketplace, shop system or payment provider.
///
/// The host plans slices of time, calls `fetch` page by page, stores what came together with the
/// next token, and later calls `normalize` on each stored chunk: without a network, and again
/// whenever it wants to.
pub trait Connector {
    /// Says who is behind the connection; an error says what is wrong with its settings.
    fn check(_connection: &Connection) -> Result<CheckReport> {
        Ok(CheckReport {
            account: String::new(),
            display_name: String::new(),
            currency: None,
            time_zone: None,
            notes: Vec::new(),
        })
    }

    /// The independent parts of a stream (shops of an account). None: the stream is one whole.
    fn partitions(_connection: &Connection, _stream: &str) -> Result<Vec<Partition>> {
        Ok(Vec::new())
    }

    /// Brings one page of a slice: raw bytes, and how to go on.
    fn fetch(request: &FetchRequest) -> Result<Page>;

    /// Makes documents of a chunk's raw records. Pure: the same chunk gives the same documents.
    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()>;
}

/// Raw records as they were fetched, and what is needed to read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub stream: String,
    /// How the body is cut into records; see `chunk-info` in `wit/connector.wit`.
    pub framing: String,
    pub content_type: String,
    pub body: Vec<u8>,
    /// JSON of the connection's config; secret fields absent.
    pub config: String,
    /// IANA zone of the connection.
    pub time_zone: String,
    /// When the bytes reached the host; travels with them, so a replay sees the same.
    pub received_at: Instant,
}

impl Chunk {
    /// The connection's config as a struct of the author's.
    pub fn parse_config<T: DeserializeOwned>(&self) -> Result<T> {
        parse_config(&self.config)
    }
}

impl Connection {
    /// The connection's config as a struct of the author's.
    pub fn parse_config<T: DeserializeOwned>(&self) -> Result<T> {
        parse_config(&self.config)
    }
}

impl FetchRequest {
    /// The token of the page before as text; `None` for the first page.
    pub fn cursor(&self) -> Option<&str> {
        self.token.as_deref().and_then(|token| std::str::from_utf8(token).ok())
    }

    /// The token of the page before as an offset; 0 for the first page.
    pub fn offset(&self) -> u64 {
        self.cursor().and_then(|cursor| cursor.parse().ok()).unwrap_or_default()
    }
}

fn parse_config<T: DeserializeOwned>(config: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(config);
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| FieldErrors::one(error.path(), error.inner()))
}

/// What the generated export of `normalize` calls.
#[doc(hidden)]
pub fn run_normalize<C: Connector>(
    info: ChunkInfo,
    body: Vec<u8>,
    config: String,
    time_zone: String,
    received_at: Instant,
) -> Result<Summary> {
    let ChunkInfo { stream, framing, content_type } = info;
    let chunk = Chunk { stream, framing, content_type, body, config, time_zone, received_at };
    let mut out = Sink::new();
    C::normalize(&chunk, &mut out)?;
    out.finish()
}

/// Makes a component of a type that implements [`Connector`](crate::Connector), with its manifest.
///
/// The path is relative to the source file, as with `include_str!`. The manifest is embedded as the custom section
/// `portolan:manifest` of the plugin's own crate, so that no linker drops it, and is there as
/// `MANIFEST` for tests. The component gets an allocator for short calls over many small values.
///
/// ```ignore
/// portolan_sdk::connector!(Shop, manifest: "../plugin.json");
/// ```
///
/// What the contract leaves open is exported where it is named: `webhook` for a type that implements
/// [`Webhook`](crate::Webhook) too, `control` for [`Control`](crate::Control).
///
/// ```ignore
/// portolan_sdk::connector!(Shop, manifest: "../plugin.json", webhook, control);
/// ```
#[macro_export]
macro_rules! connector {
    ($connector:ty, manifest: $path:literal $(, $optional:ident)* $(,)?) => {
        /// The plugin's manifest.
        pub const MANIFEST: &str = include_str!($path);

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, clippy::all, reason = "generated: what makes a component of the crate")]
        mod __portolan_component {
            use $crate::bindings::exports::portolan::plugin::{normalizer, source};
            use $crate::bindings::portolan::plugin::{sync, types};

            use super::*;

            #[global_allocator]
            static ALLOCATOR: $crate::alloc::BlockAllocator = $crate::alloc::BlockAllocator::new();

            #[used]
            #[unsafe(link_section = "portolan:manifest")]
            static MANIFEST_SECTION: [u8; MANIFEST.len()] = *include_bytes!($path);

            struct Component;

            impl source::Guest for Component {
                fn check(conn: sync::Connection) -> Result<sync::CheckReport, types::PluginError> {
                    <$connector as $crate::Connector>::check(&conn)
                }
                fn partitions(
                    conn: sync::Connection,
                    stream: String,
                ) -> Result<Vec<sync::Partition>, types::PluginError> {
                    <$connector as $crate::Connector>::partitions(&conn, &stream)
                }
                fn fetch(req: sync::FetchRequest) -> Result<sync::Page, types::PluginError> {
                    <$connector as $crate::Connector>::fetch(&req)
                }
            }

            impl normalizer::Guest for Component {
                fn normalize(
                    info: sync::ChunkInfo,
                    body: Vec<u8>,
                    config: String,
                    time_zone: String,
                    received_at: types::Instant,
                ) -> Result<normalizer::Summary, types::PluginError> {
                    $crate::run_normalize::<$connector>(info, body, config, time_zone, received_at)
                }
            }

            $crate::bindings::export_component!(Component with_types_in $crate::bindings);
            $($crate::optional_export!($optional, $connector);)*
        }
    };
}

#[cfg(test)]
mod tests;
