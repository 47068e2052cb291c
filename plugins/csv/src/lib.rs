//! Delimited files as a channel: orders, products and customers by a saved column mapping.
//!
//! `fetch` looks at the head of each waiting file and says how the host has to cut it; `normalize`
//! reads rows. How a number comes about:
//!
//! - A row's amount is its line total, or quantity × unit price rounded once to minor units, half
//!   away from zero. Documents add up rounded rows, never the other way round.
//! - A document is every row of one key in a file, wherever they stand. Equal rows are two sales.
//! - A document with a row that can't be read is put aside whole: part of an invoice would be a
//!   wrong number that looks right. The bad row carries the reason.
//! - A file that comes later wins: a document's version is the moment its file was received.

mod columns;
mod customers;
mod detect;
mod mapping;
mod orders;
mod products;
mod values;

use std::borrow::Cow;

use portolan_sdk::framing::Delimited;
use portolan_sdk::read::Table;
use portolan_sdk::{
    CheckReport, Chunk, ChunkInfo, Connection, Connector, Continuation, Error, FetchRequest, Page, Payload,
    RawChunk, Result, Sink, files_waiting, peek_file,
};

pub use mapping::Config;

/// The connector; public so that it can be driven by tests of other crates.
pub struct Csv;

portolan_sdk::connector!(Csv, manifest: "../plugin.json");

/// Enough to see a preamble, the header, and some rows.
const PEEK_BYTES: u32 = 256 * 1024;

impl Connector for Csv {
    fn check(connection: &Connection) -> Result<CheckReport> {
        let config: Config = connection.parse_config()?;
        config.check()?;
        let notes = config.notes();
        Ok(CheckReport {
            account: "files".to_owned(),
            display_name: "Delimited files".to_owned(),
            currency: config.orders.currency.clone(),
            time_zone: None,
            notes,
        })
    }

    /// One file a page, oldest first; the token is the number of the last file.
    fn fetch(request: &FetchRequest) -> Result<Page> {
        let config: Config = request.conn.parse_config()?;
        config.check()?;
        let stream = request.slice.stream.as_str();
        let done = request.cursor().and_then(|cursor| cursor.parse::<u64>().ok());
        let mut waiting: Vec<_> = files_waiting(stream)?
            .into_iter()
            .filter(|file| done.is_none_or(|done| file.id > done))
            .collect();
        waiting.sort_by_key(|file| file.id);
        let Some(file) = waiting.first() else {
            return Ok(Page { chunks: Vec::new(), next: Continuation::Done, expected: None, progress: None });
        };
        let head = peek_file(file.id, PEEK_BYTES)?;
        let framing = detect::framing(&config, stream, &file.name, &head)?;
        let info = ChunkInfo {
            stream: stream.to_owned(),
            framing: framing.to_string(),
            content_type: file.content_type.clone(),
        };
        let next = match waiting.len() {
            1 => Continuation::Done,
            _ => Continuation::More(file.id.to_string().into_bytes()),
        };
        let chunks = vec![RawChunk { info, payload: Payload::Staged(file.id) }];
        Ok(Page { chunks, next, expected: None, progress: None })
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        let config: Config = chunk.parse_config()?;
        let framing: Delimited = chunk.framing.parse()?;
        let table = Table::of_text(&decoded(&chunk.body, &framing.encoding)?, &framing)?;
        match chunk.stream.as_str() {
            "orders" => orders::normalize(&config.orders, &table, chunk.received_at, out),
            "products" => products::normalize(&config.products, &table, chunk.received_at, out),
            "customers" => customers::normalize(&config.customers, &table, chunk.received_at, out),
            other => Err(Error::PluginBug(format!("there is no stream {other:?}"))),
        }
    }
}

/// The chunk as UTF-8. UTF-8 itself is not replaced: a row that is none is put aside with its column.
fn decoded<'a>(body: &'a [u8], label: &str) -> Result<Cow<'a, [u8]>> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())
        .ok_or_else(|| Error::PluginBug(format!("the framing names an unknown encoding {label:?}")))?;
    if encoding == encoding_rs::UTF_8 {
        return Ok(Cow::Borrowed(body));
    }
    Ok(match encoding.decode_without_bom_handling(body).0 {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}
