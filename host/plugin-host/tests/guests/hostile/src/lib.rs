//! One component, many ways to misbehave: `behaviour` of the configuration chooses, `argument` tells
//! it more. Written against the bare contract, so that it depends on nothing that would protect it.

#![expect(
    unsafe_code,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "the bindings are generated, and misbehaving is the purpose"
)]

wit_bindgen::generate!({ path: "../../../../../wit", world: "portolan:plugin/connector", generate_all });

mod dice;
mod exhausting;
mod fetching;
mod lying;
mod normalizing;
mod script;
mod wasi;

use exports::portolan::plugin::{normalizer, source};
use portolan::plugin::sync::{CheckReport, ChunkInfo, Connection, FetchRequest, Page, Partition};
use portolan::plugin::types::PluginError;

#[used]
#[unsafe(link_section = "portolan:manifest")]
static MANIFEST: [u8; include_bytes!("../plugin.json").len()] = *include_bytes!("../plugin.json");

struct Hostile;

impl source::Guest for Hostile {
    fn check(conn: Connection) -> Result<CheckReport, PluginError> {
        fetching::check(&conn)
    }
    fn partitions(conn: Connection, _: String) -> Result<Vec<Partition>, PluginError> {
        if let Some(partitions) = exhausting::partitions(field(&conn.config, "behaviour")) {
            return Ok(partitions);
        }
        Ok(vec![Partition { key: "one".to_owned(), label: "One".to_owned(), data: "{}".to_owned() }])
    }
    fn fetch(request: FetchRequest) -> Result<Page, PluginError> {
        fetching::fetch(&request)
    }
}

impl normalizer::Guest for Hostile {
    fn normalize(
        info: ChunkInfo,
        body: Vec<u8>,
        config: String,
        _: String,
        received_at: i64,
    ) -> Result<normalizer::Summary, PluginError> {
        normalizing::normalize(&info, &body, &config, received_at)
    }
}

/// A field of a flat JSON object of strings without escapes: enough for the tests' configurations.
fn field<'a>(config: &'a str, name: &str) -> &'a str {
    let key = format!("\"{name}\":\"");
    let Some(start) = config.find(&key) else { return "" };
    config[start + key.len()..].split('"').next().unwrap_or_default()
}

export!(Hostile);
