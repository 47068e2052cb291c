//! Readers: cut a chunk's body into raw records the way its framing says, and map each. A record
//! that can't be mapped is a dead letter with its path and reason; its neighbours pass.

mod delimited;
mod json;

pub use delimited::{Row, Table, header_line};
pub use json::{each_json, each_line, record};
use serde::de::DeserializeOwned;

use crate::{Chunk, Error, RecordResult, Result, Sink};

/// Maps each raw record of a chunk, whatever its framing: JSON, NDJSON, CSV, TSV.
///
/// `map` gets the record's index, the record, and the sink. Every record is counted: what `map`
/// pushes stands if it returns ok, else the record is skipped with the error's path and reason.
pub fn each<T: DeserializeOwned>(
    chunk: &Chunk,
    out: &mut Sink,
    mut map: impl FnMut(u32, T, &mut Sink) -> RecordResult,
) -> Result<()> {
    match family(&chunk.framing) {
        "json" => each_json(chunk, out, map),
        "ndjson" => each_line(chunk, out, map),
        "csv" | "tsv" => Table::read(chunk)?.each(out, |row, out| map(row.src(), row.parse()?, out)),
        other => Err(Error::PluginBug(format!("there is no reader for the framing {other:?}"))),
    }
}

/// The framing without its parameters.
fn family(framing: &str) -> &str {
    framing.split([':', ';']).next().unwrap_or(framing)
}

/// Where a zero-based record index doesn't fit, the chunk is far beyond any limit.
fn index(position: usize) -> Result<u32> {
    u32::try_from(position)
        .map_err(|_| Error::PluginBug("a chunk has more records than it can count".to_owned()))
}

#[cfg(test)]
mod tests;
