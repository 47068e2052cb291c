//! `files`: a look into what the host staged for this connection, and nothing else on the disk.

use portolan_connector::StagedFile;
use tokio::io::AsyncReadExt;

use crate::bindings::portolan::plugin::files::{File, Host};
use crate::bindings::portolan::plugin::types::PluginError;
use crate::state::HostState;

const MAX_PEEK_BYTES: u32 = 1 << 20;

/// The files of one call.
#[derive(Default)]
pub struct Files {
    staged: Vec<StagedFile>,
}

impl Files {
    pub fn new(staged: Vec<StagedFile>) -> Self {
        Self { staged }
    }

    pub fn contains(&self, id: u64) -> bool {
        self.staged.iter().any(|file| file.id == id)
    }
}

impl Host for HostState {
    fn waiting(&mut self, stream: String) -> wasmtime::Result<Result<Vec<File>, PluginError>> {
        let files = self.files.staged.iter().filter(|file| file.stream == stream).map(|file| File {
            id: file.id,
            name: file.name.clone(),
            bytes: file.size_bytes,
            content_type: file.content_type.clone(),
            received_at: file.received_at.0,
        });
        Ok(Ok(files.collect()))
    }

    async fn peek(&mut self, id: u64, bytes: u32) -> wasmtime::Result<Result<Vec<u8>, PluginError>> {
        let downloaded = self.http.as_ref().and_then(|http| http.download_path(id));
        let path = match self.files.staged.iter().find(|file| file.id == id) {
            Some(file) => file.path.clone(),
            None => match downloaded {
                Some(path) => path,
                None => {
                    return Ok(Err(PluginError::PluginBug(format!(
                        "no file {id} waits for this connection"
                    ))));
                }
            },
        };
        match read_head(&path, bytes.min(MAX_PEEK_BYTES)).await {
            Ok(head) => Ok(Ok(head)),
            Err(error) => {
                // The path is the host's business: the guest learns the kind of failure alone.
                tracing::warn!(path = %path.display(), %error, "failed to read a staged file");
                let detail = format!("the host could not read file {id}: {}", error.kind());
                Ok(Err(PluginError::Transient(crate::bindings::portolan::plugin::types::Retry {
                    after_ms: None,
                    bucket: None,
                    detail,
                })))
            }
        }
    }
}

async fn read_head(path: &std::path::Path, bytes: u32) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    tokio::fs::File::open(path).await?.take(bytes.into()).read_to_end(&mut head).await?;
    Ok(head)
}
