//! How the host cuts a staged delimited file: decoded, grouped by document, header on every chunk.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};

use crate::framing::Delimited;
use crate::{Chunk, Error, Result};

/// Cuts a staged file's chunk the way the real host does: decodes it to UTF-8, brings the rows of
/// each document together in the order of their first rows, and begins a new chunk only between
/// documents, once one holds at least `records` rows. A document is never cut.
pub fn cut_delimited(chunk: Chunk, records: usize) -> Result<Vec<Chunk>> {
    let framing: Delimited = chunk.framing.parse()?;
    let text = decode(&chunk.body, &framing)?;
    let mut builder = ReaderBuilder::new();
    builder.delimiter(framing.delimiter).flexible(true).has_headers(false);
    match framing.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    let mut reader = builder.from_reader(text.as_bytes());
    let mut rows = reader.byte_records();
    let unreadable = |error: csv::Error| Error::upstream_bug(format!("the file can't be read: {error}"));
    let Some(header) = rows.next().transpose().map_err(unreadable)? else { return Ok(Vec::new()) };
    let columns = key_columns(&header, &framing)?;
    let mut positions: BTreeMap<Vec<Vec<u8>>, usize> = BTreeMap::new();
    let mut documents: Vec<Vec<ByteRecord>> = Vec::new();
    for row in rows {
        let row = row.map_err(unreadable)?;
        let key: Vec<Vec<u8>> =
            columns.iter().map(|column| row.get(*column).unwrap_or_default().trim_ascii().to_vec()).collect();
        let position = if columns.is_empty() {
            documents.len()
        } else {
            *positions.entry(key).or_insert(documents.len())
        };
        if position == documents.len() {
            documents.push(Vec::new());
        }
        documents[position].push(row);
    }
    let inner = Delimited { encoding: "utf-8".to_owned(), skip_lines: 0, ..framing };
    let mut chunks = Vec::new();
    let mut pending: Vec<ByteRecord> = Vec::new();
    let mut close = |pending: &mut Vec<ByteRecord>| -> Result<()> {
        if !pending.is_empty() {
            let body = write(&header, pending, &inner)?;
            pending.clear();
            chunks.push(Chunk { body, framing: inner.to_string(), ..chunk.clone() });
        }
        Ok(())
    };
    for document in documents {
        pending.extend(document);
        if pending.len() >= records {
            close(&mut pending)?;
        }
    }
    close(&mut pending)?;
    Ok(chunks)
}

fn decode(body: &[u8], framing: &Delimited) -> Result<String> {
    let encoding = encoding_rs::Encoding::for_label(framing.encoding.as_bytes())
        .ok_or_else(|| Error::PluginBug(format!("{:?} is no encoding", framing.encoding)))?;
    let (text, _, _) = encoding.decode(body);
    let mut rest: &str = &text;
    for _ in 0..framing.skip_lines {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    Ok(rest.to_owned())
}

fn key_columns(header: &ByteRecord, framing: &Delimited) -> Result<Vec<usize>> {
    framing
        .group_by
        .iter()
        .map(|name| {
            let found = header.iter().position(|column| column.trim_ascii() == name.as_bytes());
            found.ok_or_else(|| Error::upstream_bug(format!("the file has no column {name:?}")))
        })
        .collect()
}

fn write(header: &ByteRecord, rows: &[ByteRecord], framing: &Delimited) -> Result<Vec<u8>> {
    let mut builder = WriterBuilder::new();
    builder.delimiter(framing.delimiter).flexible(true);
    match framing.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quote_style(csv::QuoteStyle::Never),
    };
    let mut writer = builder.from_writer(Vec::new());
    let bad = |error: csv::Error| Error::PluginBug(error.to_string());
    writer.write_byte_record(header).map_err(bad)?;
    for row in rows {
        writer.write_byte_record(row).map_err(bad)?;
    }
    writer.into_inner().map_err(|error| Error::PluginBug(error.to_string()))
}
