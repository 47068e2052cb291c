//! A fetched page becomes staged chunks, together with the token of the page after it.

use std::path::PathBuf;

use portolan_connector::{ChunkInfo, Page, Payload, RawChunk, RequestedLimits, StagedFile};
use sha2::{Digest, Sha256};

use super::cut::{ChunkAim, CutError, cut_delimited};
use super::framing::Framing;
use super::unpack::hex;

/// A chunk on its way into the database.
#[derive(Debug, Clone)]
pub struct NewChunk {
    pub info: ChunkInfo,
    /// Packed, see [`pack_body`].
    pub body: Vec<u8>,
    /// Of the body before it was packed.
    pub sha256: String,
}

/// Why a page cannot be staged.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The plugin asked for something that does not exist or cannot be cut.
    #[error("{0}")]
    Plugin(String),
    /// The file itself is at fault: a person has to correct it or the mapping.
    #[error(transparent)]
    File(#[from] CutError),
    #[error("a staged file cannot be read: {0}")]
    Storage(#[from] std::io::Error),
}

/// Cuts a page's chunks as their framing says. Blocking: reads staged files.
pub fn cut_page(
    page: Page,
    files: &[StagedFile],
    limits: &RequestedLimits,
) -> Result<Vec<NewChunk>, StageError> {
    let mut staged = Vec::new();
    for chunk in page.chunks {
        let framing = Framing::parse(&chunk.info.framing).map_err(StageError::Plugin)?;
        match framing {
            Framing::Whole => {
                staged.push(new_chunk(chunk.info.clone(), &read_payload(&chunk, files, &page.downloads)?)?)
            }
            Framing::Delimited(delimited) => {
                let file = read_payload(&chunk, files, &page.downloads)?;
                let aim = ChunkAim { bytes: limits.chunk_bytes as usize, rows: limits.chunk_records };
                for cut in cut_delimited(&file, &delimited, aim)? {
                    staged.push(new_chunk(chunk.info.clone(), &cut.body)?);
                }
            }
        }
    }
    Ok(staged)
}

fn new_chunk(info: ChunkInfo, body: &[u8]) -> Result<NewChunk, StageError> {
    Ok(NewChunk { info, body: pack_body(body)?, sha256: hex(&Sha256::digest(body)) })
}

/// A chunk's body as it is stored: one Zstandard frame. What channels send packs to about a tenth, and
/// packing it costs less than writing it.
pub fn pack_body(body: &[u8]) -> std::io::Result<Vec<u8>> {
    const FASTEST_NORMAL_LEVEL: i32 = 1;
    zstd::bulk::compress(body, FASTEST_NORMAL_LEVEL)
}

/// The body of a stored chunk as it came. Errors: it is no frame that [`pack_body`] made.
pub fn unpack_body(stored: &[u8]) -> std::io::Result<Vec<u8>> {
    zstd::decode_all(stored)
}

fn read_payload(
    chunk: &RawChunk,
    files: &[StagedFile],
    downloads: &[StagedFile],
) -> Result<Vec<u8>, StageError> {
    match &chunk.payload {
        Payload::Inline(bytes) => Ok(bytes.to_vec()),
        Payload::Staged(id) => {
            let path = staged_path(*id, files, downloads).ok_or_else(|| {
                StageError::Plugin(format!("the plugin named the staged file {id}, which is not there"))
            })?;
            Ok(std::fs::read(path)?)
        }
    }
}

fn staged_path(id: u64, files: &[StagedFile], downloads: &[StagedFile]) -> Option<PathBuf> {
    files.iter().chain(downloads).find(|file| file.id == id).map(|file| file.path.clone())
}
