//! Delimited files as a channel: orders, products and customers.

use portolan_sdk::commerce::Product;
use portolan_sdk::framing::Delimited;
use portolan_sdk::{
    Chunk, Connector, Continuation, FetchRequest, Moment, Page, Payload, RawChunk, Result, Sink,
    files_waiting,
};

struct Csv;

portolan_sdk::connector!(Csv, manifest: "../plugin.json");

impl Connector for Csv {
    fn fetch(request: &FetchRequest) -> Result<Page> {
        let stream = &request.slice.stream;
        let chunks = files_waiting(stream)?
            .into_iter()
            .map(|file| RawChunk {
                info: portolan_sdk::ChunkInfo {
                    stream: stream.clone(),
                    framing: Delimited::default().to_string(),
                    content_type: file.content_type,
                },
                payload: Payload::Staged(file.id),
            })
            .collect();
        Ok(Page { chunks, next: Continuation::Done, expected: None, progress: None })
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        portolan_sdk::read::Table::read(chunk, out)?.each(out, |row, out| {
            out.push(Product::new(row.src(), row.field(0), Moment::At(chunk.received_at), row.field(1)));
            Ok(())
        })
    }
}
