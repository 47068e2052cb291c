//! Recording cassettes and replaying them: a slice from its first page on, through the same sandbox as a sync, with
//! nothing stored but what an operator asked for.

use std::sync::Arc;

use bytes::Bytes;
use portolan_commerce::document::Document;
use portolan_connector::cassette::{Cassette, CassetteError, Json, PluginName, Recording, Take};
use portolan_connector::{
    ConnectionContext, Continuation, Fault, FetchRequest, InstalledPlugin, NormalizeRequest, Page, Payload,
    PluginRef, PluginRuntime, RawChunk, SliceSpec,
};
use portolan_core::{ConnectionId, Duration, Instant, TenantId};
use serde_json::Value;

use crate::capability::http::{Player, Recorder, Tape};
use crate::runtime::SandboxRuntime;

/// How often a page is asked for again that the channel refused for the moment.
const MOST_RETRIES: u32 = 5;
const LONGEST_PAUSE_MS: u64 = 60_000;
/// How long a page may take.
const PAGE_TIME: Duration = Duration::from_minutes(10);
/// Whoever replays: nobody's tenant and connection.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// What to record.
pub struct Ask {
    pub slices: Vec<SliceSpec>,
    /// Pages of each slice at most.
    pub pages: u32,
    pub now: Instant,
}

/// What a slice came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub stream: String,
    pub pages: u32,
    pub exchanges: usize,
    pub seen: u64,
    pub documents: Vec<Document>,
    pub skipped: usize,
}

/// Why there is no cassette, or why it could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    #[error("the stream {stream}: {fault}")]
    Fault { stream: String, fault: Fault },
    #[error("the stream {stream}: {reason}")]
    Unfit { stream: String, reason: String },
    #[error(transparent)]
    Cassette(#[from] CassetteError),
}

impl SandboxRuntime {
    /// Records slices of a connection. What comes back is scrubbed: of secrets on the way, of what is personal at
    /// the end.
    pub async fn record(
        &self,
        installed: &InstalledPlugin,
        connection: &ConnectionContext,
        ask: &Ask,
    ) -> Result<(Cassette, Vec<Outcome>), TapeError> {
        let plugin = &installed.plugin;
        let name = PluginName { id: plugin.id.clone(), version: plugin.version.clone() };
        let config = declared_config(installed, connection)?;
        let mut recording = Recording::new(name, ask.now, connection.time_zone.clone(), config);
        let mut outcomes = Vec::new();
        for slice in &ask.slices {
            let tape = Arc::new(Tape::Recorder(Recorder::default()));
            let told = |fault| TapeError::Fault { stream: slice.stream.clone(), fault };
            let mut run = Run::new(self, plugin, connection, ask.now, ask.pages, tape.clone());
            run.slice(slice).await.map_err(told)?;
            let mut outcome = run.outcome;
            let noted = match &*tape {
                Tape::Recorder(recorder) => recorder.finish(),
                Tape::Player(_) => Ok(Vec::new()),
            };
            let exchanges =
                noted.map_err(|reason| TapeError::Unfit { stream: slice.stream.clone(), reason })?;
            outcome.stream.clone_from(&slice.stream);
            outcome.exchanges = exchanges.len();
            recording.push(slice, outcome.pages, exchanges);
            outcomes.push(outcome);
        }
        Ok((recording.scrub(), outcomes))
    }

    /// Runs a build over a cassette, without network.
    pub async fn replay(&self, plugin: &PluginRef, cassette: &Cassette) -> Result<Vec<Outcome>, TapeError> {
        let connection = nobodys_connection(cassette)?;
        let now = cassette.now()?;
        let mut outcomes = Vec::new();
        for take in &cassette.takes {
            outcomes.push(self.replay_take(plugin, &connection, now, take).await?);
        }
        Ok(outcomes)
    }

    async fn replay_take(
        &self,
        plugin: &PluginRef,
        connection: &ConnectionContext,
        now: Instant,
        take: &Take,
    ) -> Result<Outcome, TapeError> {
        let slice = take.slice()?;
        let tape = Arc::new(Tape::Player(Player::new(&take.exchanges)));
        let mut run = Run::new(self, plugin, connection, now, take.pages, tape.clone());
        let ended = run.slice(&slice).await;
        // A plugin may go on without an answer; what it then says is not what was recorded.
        let unknown = match &*tape {
            Tape::Player(player) => player.unknown(),
            Tape::Recorder(_) => None,
        };
        if let Some(reason) = unknown {
            return Err(TapeError::Unfit { stream: take.stream.clone(), reason });
        }
        ended.map_err(|fault| TapeError::Fault { stream: take.stream.clone(), fault })?;
        Ok(Outcome { stream: take.stream.clone(), exchanges: take.exchanges.len(), ..run.outcome })
    }
}

/// The declared fields alone: whatever else a stored configuration holds, nobody knows what it is.
fn declared_config(installed: &InstalledPlugin, connection: &ConnectionContext) -> Result<Json, TapeError> {
    let broken =
        |error: serde_json::Error| CassetteError(format!("the connection's settings are no JSON: {error}"));
    let config: Value = serde_json::from_str(&connection.config).map_err(broken)?;
    let public = installed.manifest.split_config(&config).public;
    let fields = public.as_object().into_iter().flatten();
    let declared = fields.filter(|(name, _)| installed.manifest.has_field(name));
    let declared: serde_json::Map<String, Value> =
        declared.map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Json::parse(&Value::Object(declared).to_string()).map_err(broken)?)
}

fn nobodys_connection(cassette: &Cassette) -> Result<ConnectionContext, CassetteError> {
    let config = serde_json::to_string(&cassette.config)
        .map_err(|error| CassetteError(format!("the cassette's config cannot be used: {error}")))?;
    let unusable = |_| CassetteError("an id for the replay could not be made".to_owned());
    Ok(ConnectionContext {
        tenant: NOBODY.parse::<TenantId>().map_err(unusable)?,
        id: NOBODY.parse::<ConnectionId>().map_err(unusable)?,
        config: Arc::from(config),
        secrets: Vec::new(),
        egress_grants: Vec::new(),
        time_zone: cassette.time_zone.clone(),
        files: Vec::new(),
    })
}

/// One slice, page by page.
struct Run<'a> {
    runtime: &'a SandboxRuntime,
    plugin: &'a PluginRef,
    connection: &'a ConnectionContext,
    now: Instant,
    most_pages: u32,
    tape: Arc<Tape>,
    outcome: Outcome,
}

impl<'a> Run<'a> {
    fn new(
        runtime: &'a SandboxRuntime,
        plugin: &'a PluginRef,
        connection: &'a ConnectionContext,
        now: Instant,
        most_pages: u32,
        tape: Arc<Tape>,
    ) -> Self {
        Self { runtime, plugin, connection, now, most_pages, tape, outcome: Outcome::default() }
    }

    /// A split is run part by part.
    async fn slice(&mut self, slice: &SliceSpec) -> Result<(), Fault> {
        let mut open = vec![slice.clone()];
        while let Some(slice) = open.pop() {
            let mut token = None;
            while self.outcome.pages < self.most_pages {
                let page = self.page(&slice, token.clone()).await?;
                self.outcome.pages += 1;
                let next = match page.next.clone() {
                    Continuation::Done => None,
                    Continuation::More(token) => Some(token),
                    Continuation::Wait(wait) => {
                        self.pause(wait.wait_ms).await;
                        Some(wait.token)
                    }
                    Continuation::Split(parts) => {
                        open.extend(parts.into_iter().rev());
                        None
                    }
                };
                self.normalize(page).await?;
                if next.is_none() {
                    break;
                }
                if next == token {
                    return Err(Fault::PluginBug { detail: "the page token repeats".to_owned() });
                }
                token = next;
            }
        }
        Ok(())
    }

    async fn page(&self, slice: &SliceSpec, token: Option<Bytes>) -> Result<Page, Fault> {
        let mut retries = 0;
        loop {
            let request = FetchRequest {
                connection: self.connection.clone(),
                slice: slice.clone(),
                token: token.clone(),
                now: self.now,
                deadline: self.now + PAGE_TIME,
            };
            let Tape::Recorder(recorder) = &*self.tape else {
                return self.runtime.fetch_taped(self.plugin, request, Some(self.tape.clone())).await;
            };
            let mark = recorder.mark();
            match self.runtime.fetch_taped(self.plugin, request, Some(self.tape.clone())).await {
                Err(fault) if fault.is_retryable() && retries < MOST_RETRIES => {
                    recorder.forget_since(mark);
                    retries += 1;
                    self.pause(after_ms(&fault)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Only a channel has to be waited for.
    async fn pause(&self, asked_ms: u64) {
        if matches!(&*self.tape, Tape::Recorder(_)) {
            tokio::time::sleep(std::time::Duration::from_millis(asked_ms.min(LONGEST_PAUSE_MS))).await;
        }
    }

    async fn normalize(&mut self, page: Page) -> Result<(), Fault> {
        let read = self.read_chunks(&page).await;
        for download in &page.downloads {
            tokio::fs::remove_file(&download.path).await.ok();
        }
        read
    }

    async fn read_chunks(&mut self, page: &Page) -> Result<(), Fault> {
        for chunk in &page.chunks {
            let request = NormalizeRequest {
                info: chunk.info.clone(),
                body: body_of(page, chunk).await?,
                config: self.connection.config.clone(),
                time_zone: self.connection.time_zone.clone(),
                received_at: self.now,
            };
            let normalized = self.runtime.normalize(self.plugin, request).await?;
            self.outcome.seen += u64::from(normalized.seen);
            self.outcome.skipped += normalized.skipped.len();
            self.outcome.documents.extend(normalized.documents);
        }
        Ok(())
    }
}

async fn body_of(page: &Page, chunk: &RawChunk) -> Result<Bytes, Fault> {
    let id = match &chunk.payload {
        Payload::Inline(body) => return Ok(body.clone()),
        Payload::Staged(id) => *id,
    };
    let missing =
        || Fault::PluginBug { detail: format!("a chunk names file {id}, which was not downloaded") };
    let file = page.downloads.iter().find(|file| file.id == id).ok_or_else(missing)?;
    let body = tokio::fs::read(&file.path).await.map_err(|error| Fault::Transient {
        after_ms: None,
        detail: format!("a download could not be read: {}", error.kind()),
    })?;
    Ok(Bytes::from(body))
}

fn after_ms(fault: &Fault) -> u64 {
    match fault {
        Fault::RateLimited { after_ms: Some(ms), .. } | Fault::Transient { after_ms: Some(ms), .. } => *ms,
        _ => 1_000,
    }
}
