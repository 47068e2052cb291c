//! `download`: a large answer streamed to a file that the guest never holds.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portolan_connector::StagedFile;
use portolan_core::Instant;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::HttpCall;
use super::tape::{Answered, Recorder};
use crate::bindings::portolan::plugin::http as wit;

/// A large file gets more time than a request with its answer, within the call's own.
const TIME_FACTOR: u32 = 10;

/// More of a file than goes into a cassette.
const LARGEST_NOTED_BYTES: u64 = 64 << 20;

/// A file that has come whole.
struct Received {
    file: NamedTempFile,
    /// Where it came from in the end.
    url: String,
    size_bytes: u64,
}

/// A downloaded file; removed unless it is kept.
pub struct Download {
    id: u64,
    file: NamedTempFile,
    size_bytes: u64,
    content_type: String,
    name: String,
}

impl Download {
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn keep(self, stream: &str, received_at: Instant) -> std::io::Result<StagedFile> {
        let (_, path) = self.file.keep().map_err(|error| error.error)?;
        Ok(StagedFile {
            id: self.id,
            stream: stream.to_owned(),
            name: self.name,
            size_bytes: self.size_bytes,
            content_type: self.content_type,
            received_at,
            path,
        })
    }
}

impl HttpCall {
    pub fn download_path(&self, id: u64) -> Option<PathBuf> {
        let downloads = self.downloads.lock().unwrap_or_else(PoisonError::into_inner);
        downloads.iter().find(|download| download.id == id).map(|download| download.file.path().to_owned())
    }

    pub(super) async fn download(&self, request: &wit::Request) -> Result<wit::Staged, wit::HttpError> {
        if let Some(player) = self.player() {
            let answer = self.play(player, request)?;
            let file = self.new_file().map_err(|error| disk(&error))?;
            tokio::fs::write(file.path(), &answer.body).await.map_err(|error| disk(&error))?;
            let received = Received { file, url: answer.url, size_bytes: answer.body.len() as u64 };
            return Ok(self.keep(received, answer.status, answer.headers));
        }
        let place = self.recorder().map(Recorder::begin);
        let time = self.timeout_of(request) * TIME_FACTOR;
        let staged = self.timed(time, self.stream_to_file(request, time)).await;
        if let (Some(recorder), Some(place)) = (self.recorder(), place) {
            let body = match &staged {
                Ok(staged) => self.noted_body(staged).await?,
                Err(_) => Vec::new(),
            };
            let answered = staged.as_ref().map(|staged| Answered {
                status: staged.status,
                headers: &staged.headers,
                body: &body,
            });
            recorder.note(place, &self.scrubber, request, answered);
        }
        staged
    }

    /// A download as a cassette holds it; one that is too large for that is cut, so that it is refused there.
    async fn noted_body(&self, staged: &wit::Staged) -> Result<Vec<u8>, wit::HttpError> {
        let path = self.download_path(staged.id).unwrap_or_default();
        let file = tokio::fs::File::open(path).await.map_err(|error| disk(&error))?;
        let mut body = Vec::new();
        file.take(LARGEST_NOTED_BYTES).read_to_end(&mut body).await.map_err(|error| disk(&error))?;
        Ok(body)
    }

    async fn stream_to_file(
        &self,
        request: &wit::Request,
        time: Duration,
    ) -> Result<wit::Staged, wit::HttpError> {
        let mut opened = self.open(request, time).await?;
        let cap = self.shared.options.download_bytes;
        let file = self.new_file().map_err(|error| disk(&error))?;
        let handle = file.reopen().map_err(|error| disk(&error))?;
        let mut writer = tokio::io::BufWriter::new(tokio::fs::File::from_std(handle));
        let mut scrubbed = self.scrubber.stream();
        let (mut received_bytes, mut size_bytes) = (0_u64, 0_u64);
        while let Some(piece) = opened.response.chunk().await.map_err(|error| self.explain(error))? {
            received_bytes += piece.len() as u64;
            self.count_download(piece.len() as u64)?;
            if received_bytes > cap {
                return Err(wit::HttpError::TooLarge(cap));
            }
            let clean = scrubbed.push(&piece);
            size_bytes += clean.len() as u64;
            writer.write_all(&clean).await.map_err(|error| disk(&error))?;
        }
        let rest = scrubbed.finish();
        size_bytes += rest.len() as u64;
        writer.write_all(&rest).await.map_err(|error| disk(&error))?;
        writer.flush().await.map_err(|error| disk(&error))?;
        writer.get_ref().sync_all().await.map_err(|error| disk(&error))?;
        let headers = self.shown_headers(opened.response.headers());
        let received = Received { file, url: opened.url.into(), size_bytes };
        Ok(self.keep(received, opened.response.status().as_u16(), headers))
    }

    fn keep(&self, received: Received, status: u16, headers: Vec<(String, String)>) -> wit::Staged {
        let Received { file, url, size_bytes } = received;
        let id = self.shared.next_download.fetch_add(1, Ordering::Relaxed);
        let content_type =
            headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.clone());
        let name = url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let download = Download {
            id,
            file,
            size_bytes,
            content_type: content_type.unwrap_or_default(),
            name: self.scrubber.clean(name, 200),
        };
        self.downloads.lock().unwrap_or_else(PoisonError::into_inner).push(download);
        wit::Staged { id, bytes: size_bytes, status, headers }
    }

    fn new_file(&self) -> std::io::Result<NamedTempFile> {
        std::fs::create_dir_all(&self.shared.downloads_dir)?;
        tempfile::Builder::new().prefix("download-").suffix(".raw").tempfile_in(&self.shared.downloads_dir)
    }
}

fn disk(error: &std::io::Error) -> wit::HttpError {
    tracing::error!(%error, "failed to store a download");
    wit::HttpError::Network(format!("the host could not store the file: {}", error.kind()))
}
