//! `log`: bounded, scrubbed lines. Standard output and error end here too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use portolan_connector::LogLine;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::bindings::portolan::plugin::log::{Host, Level};
use crate::state::HostState;
use crate::text::Scrubber;

const MAX_MESSAGE_CHARS: usize = 2_000;
const MAX_FIELDS: usize = 16;
const MAX_FIELD_CHARS: usize = 300;
const MAX_PENDING_BYTES: usize = 8 << 10;

/// The lines of one call; clones share them.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Mutex<Lines>>,
    scrubber: Scrubber,
    plugin_id: Arc<str>,
}

struct Lines {
    lines: Vec<LogLine>,
    lines_left: usize,
    bytes_left: usize,
    dropped: u64,
}

impl Log {
    pub fn new(plugin_id: &str, scrubber: Scrubber, max_lines: usize, max_bytes: usize) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Lines {
                lines: Vec::new(),
                lines_left: max_lines,
                bytes_left: max_bytes,
                dropped: 0,
            })),
            scrubber,
            plugin_id: plugin_id.into(),
        }
    }

    /// Takes a line, or counts it as dropped once the call's allowance is spent.
    pub fn write(&self, level: &str, message: &str, fields: &[(String, String)]) {
        let mut lines = self.lines();
        if lines.lines_left == 0 || lines.bytes_left == 0 {
            lines.dropped += 1;
            return;
        }
        let message = self.scrubber.clean(message, MAX_MESSAGE_CHARS);
        let fields: Vec<(String, String)> = fields
            .iter()
            .take(MAX_FIELDS)
            .map(|(name, value)| {
                (self.scrubber.clean(name, MAX_FIELD_CHARS), self.scrubber.clean(value, MAX_FIELD_CHARS))
            })
            .collect();
        let size = message.len() + fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        lines.lines_left -= 1;
        lines.bytes_left = lines.bytes_left.saturating_sub(size);
        if matches!(level, "warn" | "error") {
            tracing::info!(target: "portolan::plugin", plugin_id = %self.plugin_id, level, fields = ?fields, "{message}");
        } else {
            tracing::debug!(target: "portolan::plugin", plugin_id = %self.plugin_id, level, fields = ?fields, "{message}");
        }
        lines.lines.push(LogLine { level: level.to_owned(), message, fields });
    }

    /// Everything so far, with a last line that says how much was dropped.
    pub fn take(&self) -> Vec<LogLine> {
        let mut lines = self.lines();
        let dropped = std::mem::take(&mut lines.dropped);
        let mut taken = std::mem::take(&mut lines.lines);
        if dropped > 0 {
            taken.push(LogLine {
                level: "warn".to_owned(),
                message: format!(
                    "{dropped} further lines were dropped: the plugin wrote more than one call may"
                ),
                fields: Vec::new(),
            });
        }
        taken
    }

    /// The last warning or error: what a crashing plugin said before it died. Rust's hint about
    /// backtraces comes after it.
    pub fn last_words(&self) -> Option<String> {
        let lines = self.lines();
        let mut spoken = lines.lines.iter().rev().filter(|line| matches!(&*line.level, "warn" | "error"));
        spoken.find(|line| !line.message.starts_with("note: ")).map(|line| line.message.clone())
    }

    /// A standard stream whose lines become log lines.
    pub fn stream(&self, level: &'static str) -> LineStream {
        LineStream { log: self.clone(), level, pending: Arc::default() }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for HostState {
    fn write(
        &mut self,
        level: Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let level = match level {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        self.log.write(level, &message, &fields);
        Ok(())
    }
}

/// Standard output or error of a guest.
#[derive(Clone)]
pub struct LineStream {
    log: Log,
    level: &'static str,
    /// What came since the last line break.
    pending: Arc<Mutex<Vec<u8>>>,
}

impl LineStream {
    fn push(&self, bytes: &[u8]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_PENDING_BYTES.saturating_sub(pending.len());
            pending.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&pending).trim().to_owned();
                pending.clear();
                if !line.is_empty() {
                    self.log.write(self.level, &line, &[]);
                }
            }
        }
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_PENDING_BYTES)
    }
}

#[async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LineStream {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
