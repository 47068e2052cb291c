//! A fetched page becomes staged chunks, together with the token of the page after it.

use std::path::PathBuf;

use portolan_connector::{ChunkInfo, Page, Payload, RawChunk, RequestedLimits, StagedFile};
use portolan_core::hex;
use sha2::{Digest, Sha256};

use super::cut::{ChunkAim, CutChunk, CutError, cut_delimited};
use super::framing::{Delimited, Framing};
use super::pseudonyms::{People, Pseudonyms, RenameError, Renaming, whole_number};
use super::subject_paths::JsonError;

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
    /// Customers' ids in it cannot be found, so it is not stored.
    #[error(
        "the channel's answer cannot be read, so nobody knows which customers it names, and it is not stored: {0}"
    )]
    Page(JsonError),
    #[error("a staged file cannot be read: {0}")]
    Storage(#[from] std::io::Error),
}

impl From<RenameError> for StageError {
    fn from(error: RenameError) -> Self {
        match error {
            RenameError::Plugin(detail) => Self::Plugin(detail),
            RenameError::Page(error) => Self::Page(error),
        }
    }
}

/// A page on its way into the database.
#[derive(Debug, Default)]
pub struct CutPage {
    pub chunks: Vec<NewChunk>,
    /// Those whom it tells of, where the connection goes by pseudonyms.
    pub people: People,
}

/// Cuts a page's chunks as their framing says, with pseudonyms in the place of customers' ids. Blocking: reads staged
/// files.
pub fn cut_page(
    page: Page,
    files: &[StagedFile],
    limits: &RequestedLimits,
    pseudonyms: Option<&Pseudonyms>,
) -> Result<CutPage, StageError> {
    let mut cut = CutPage::default();
    for chunk in page.chunks {
        let framing = Framing::parse(&chunk.info.framing).map_err(StageError::Plugin)?;
        let body = read_payload(&chunk, files, &page.downloads)?;
        let renaming = pseudonyms.and_then(|all| all.of_stream(&chunk.info.stream, &mut cut.people));
        match framing {
            Framing::Whole => {
                let renamed = match renaming {
                    Some(mut renaming) => renaming.rename_json(&body, &chunk.info.framing)?,
                    None => body,
                };
                cut.chunks.push(new_chunk(chunk.info.clone(), &renamed)?);
            }
            Framing::Delimited(delimited) => {
                let aim = ChunkAim { bytes: limits.chunk_bytes as usize, rows: limits.chunk_records };
                for piece in cut_renamed(&body, &delimited, aim, renaming)? {
                    cut.chunks.push(new_chunk(chunk.info.clone(), &piece.body)?);
                }
            }
        }
    }
    Ok(cut)
}

fn cut_renamed(
    file: &[u8],
    framing: &Delimited,
    aim: ChunkAim,
    renaming: Option<Renaming<'_>>,
) -> Result<Vec<CutChunk>, StageError> {
    let Some(mut renaming) = renaming else { return Ok(cut_delimited(file, framing, aim, None)?) };
    renaming.check_is_in_framing().map_err(StageError::Plugin)?;
    let mut rename = |id: &str| {
        let id = if framing.subject_is_whole { whole_number(id) } else { id };
        renaming.pseudonym(id)
    };
    Ok(cut_delimited(file, framing, aim, Some(&mut rename))?)
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
