//! How the host cuts a staged delimited file: personal columns dropped, rows brought together by
//! document, the header on every chunk.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};

use crate::framing::Delimited;
use crate::{Chunk, Error, Result};

/// Cuts a staged file's chunk the way the real host does: the rows of each document come together
/// in the order of their first rows, and a chunk ends between documents only, once the next one
/// would bring it over `records` rows. A document is never cut.
pub fn cut_delimited(mut chunk: Chunk, records: usize) -> Result<Vec<Chunk>> {
    let framing: Delimited = chunk.framing.parse()?;
    let file = std::mem::take(&mut chunk.body);
    let mut reader = ReaderBuilder::new()
        .delimiter(framing.delimiter)
        .quote(framing.quote)
        .flexible(true)
        .has_headers(false)
        .from_reader(after_lines(&file, framing.skip_lines));
    let mut rows = reader.byte_records();
    let unreadable = |error: csv::Error| Error::upstream_bug(format!("the file can't be read: {error}"));
    let Some(header) = rows.next().transpose().map_err(unreadable)? else { return Ok(Vec::new()) };
    let key_column = framing.group_by.as_deref().map(|name| column(&header, name)).transpose()?;
    let mut positions: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut documents: Vec<Vec<ByteRecord>> = Vec::new();
    for row in rows {
        let row = row.map_err(unreadable)?;
        let key = key_column.and_then(|column| row.get(column)).map(<[u8]>::trim_ascii);
        let next = documents.len();
        let position = match key {
            Some(key) if !key.is_empty() => *positions.entry(key.to_vec()).or_insert(next),
            _ => next,
        };
        if position == next {
            documents.push(Vec::new());
        }
        documents[position].push(row);
    }
    let mut chunks = Vec::new();
    let mut pending: Vec<ByteRecord> = Vec::new();
    for document in documents {
        if !pending.is_empty() && pending.len() + document.len() > records {
            chunks.push(Chunk { body: write(&header, &pending, &framing)?, ..chunk.clone() });
            pending.clear();
        }
        pending.extend(document);
    }
    if !pending.is_empty() {
        chunks.push(Chunk { body: write(&header, &pending, &framing)?, ..chunk.clone() });
    }
    Ok(chunks)
}

fn after_lines(body: &[u8], lines: u32) -> &[u8] {
    let mut rest = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    for _ in 0..lines {
        rest = rest.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &rest[end + 1..]);
    }
    rest
}

fn column(header: &ByteRecord, name: &str) -> Result<usize> {
    let found = header.iter().position(|column| column.trim_ascii() == name.as_bytes());
    found.ok_or_else(|| Error::upstream_bug(format!("the file has no column {name:?}")))
}

fn write(header: &ByteRecord, rows: &[ByteRecord], framing: &Delimited) -> Result<Vec<u8>> {
    let kept: Vec<usize> = (0..header.len())
        .filter(|index| {
            let name = String::from_utf8_lossy(&header[*index]);
            !framing.drop.iter().any(|dropped| dropped == name.trim())
        })
        .collect();
    let mut writer = WriterBuilder::new()
        .delimiter(framing.delimiter)
        .quote(framing.quote)
        .flexible(true)
        .from_writer(Vec::new());
    let bad = |error: csv::Error| Error::PluginBug(error.to_string());
    for row in std::iter::once(header).chain(rows) {
        // A row that is too wide stays too wide, so that normalize sees what is wrong with it.
        let beyond = header.len()..row.len();
        writer
            .write_record(kept.iter().copied().chain(beyond).filter_map(|index| row.get(index)))
            .map_err(bad)?;
    }
    writer.into_inner().map_err(|error| Error::PluginBug(error.to_string()))
}
