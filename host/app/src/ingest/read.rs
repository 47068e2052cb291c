//! A staged chunk becomes documents and ledger events: the plugin's pure function, then short transactions, the
//! last of which ends the chunk. The same way for a sync that has just fetched it and for a replay years later,
//! so a replay adds nothing where nothing has changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use portolan_commerce::document::Skipped;
use portolan_connector::{ChunkInfo, Fault, NormalizeRequest, Normalized, PluginRef};
use portolan_core::id::new_uuid;
use portolan_core::{ChunkId, ConnectionId, Duration, Instant, StoreCalendar, TenantId};
use portolan_db::entity::{chunk, quarantine};
use portolan_db::{DbError, TenantTx};
use portolan_jobs::{JobContext, JobError};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter};

use super::batch::{BatchAim, Prepared, prepare};
use super::counts::{ChunkPlace, CountIn, Counts};
use super::labels::KnownLabels;
use super::post::{PostContext, PostError, Posted, post_batch};
use super::rows::build_of;
use super::sources::stale_versions;
use super::stage::unpack_body;
use crate::App;
use crate::drift::shape::Shape;
use crate::drift::store::{keep_shape, shape_of};
use crate::live::LiveMessage;

/// When a transaction begins no further batch, also while nobody in this process waits for it to end.
const LONGEST_UNASKED: Duration = Duration::from_ms(50);

/// Reads the chunks of one connection with one build of its plugin.
pub struct ChunkReader {
    pub app: Arc<App>,
    pub job: JobContext,
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub plugin: PluginRef,
    /// JSON object; secret fields absent.
    pub config: Arc<str>,
    pub time_zone: String,
    pub calendar: StoreCalendar,
    /// Of the connection, as far as this run has stored them.
    pub known_labels: Arc<KnownLabels>,
    pub count_in: CountIn,
}

/// Why a chunk was not read.
#[derive(Debug)]
pub enum ReadError {
    /// It is about this chunk: the others go on. Nothing of it was kept.
    Chunk { code: String, detail: String },
    /// The job itself can't go on: lease lost, database away.
    Job(JobError),
}

/// Why a build makes nothing of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub code: String,
    /// A sentence.
    pub detail: String,
}

/// What a chunk says, as one build of the plugin reads it.
pub struct Said {
    place: ChunkPlace,
    prepared: Prepared,
    /// Records that could not be mapped, with the reason.
    rejected: Vec<Skipped>,
    counts: Counts,
    shape: Option<Shape>,
}

impl From<Unreadable> for ReadError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Chunk { code: unreadable.code, detail: unreadable.detail }
    }
}

impl From<JobError> for ReadError {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl ChunkReader {
    /// Reads a chunk, posts what it says and takes back what it said before and no longer says.
    pub async fn read(&self, chunk: chunk::Model) -> Result<(), ReadError> {
        let said = self.understand(chunk).await?;
        Ok(self.post(said).await?)
    }

    /// What a chunk says, ready to be posted. Changes nothing, so it can go on while another chunk is posted.
    pub async fn understand(&self, chunk: chunk::Model) -> Result<Said, Unreadable> {
        let place = ChunkPlace::of(&chunk);
        let request = request_of(&chunk, Arc::clone(&self.config), &self.time_zone)?;
        drop(chunk);
        // A replay brings no new answer of the channel.
        let shape = match self.count_in {
            CountIn::Sync(_) => shape_of(&request.info.framing, &request.body),
            CountIn::Replay(_) => None,
        };
        let normalized = normalize(&self.app, &self.plugin, request).await?;
        let counts = Counts::of(&normalized);
        let documents = normalized.documents;
        let prepared = prepare(self.tenant, &self.posting().of(&place), documents, BatchAim::default());
        Ok(Said { place, prepared, rejected: normalized.skipped, counts, shape })
    }

    /// Posts in transactions of a bounded number of documents, because people wait behind them. The last one carries the counts and ends the
    /// chunk: a crash before it leaves the chunk as it was, and the batches that stand already add nothing when
    /// it is posted again.
    pub async fn post(&self, mut said: Said) -> Result<(), JobError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let versions = said.prepared.versions();
        let stale = stale_versions(&tx, said.place.id, &versions).await.map_err(post_error)?;
        drop(tx);
        said.prepared.let_go(stale, BatchAim::default());
        loop {
            let posting = self.posting();
            let written = self.job.write(move |tx| {
                Box::pin(async move {
                    let ended = posting.go_on(tx, &mut said).await?;
                    Ok::<_, JobError>((ended, said))
                })
            });
            let (ended, left) = written.await?;
            if let Some(data_version) = ended {
                self.app.live.publish(LiveMessage::Data { tenant: self.tenant, data_version });
                return Ok(());
            }
            said = left;
        }
    }

    fn posting(&self) -> Posting {
        Posting {
            app: Arc::clone(&self.app),
            job: self.job.clone(),
            connection: self.connection,
            plugin: self.plugin.clone(),
            calendar: self.calendar.clone(),
            known_labels: Arc::clone(&self.known_labels),
            count_in: self.count_in,
        }
    }
}

/// What a plugin is asked about a stored chunk.
pub fn request_of(
    chunk: &chunk::Model,
    config: Arc<str>,
    time_zone: &str,
) -> Result<NormalizeRequest, Unreadable> {
    let body = unpack_body(&chunk.body).map_err(|error| Unreadable {
        code: "damaged_chunk".to_owned(),
        detail: format!("What was stored of the channel's answer cannot be read: {error}. Sync again."),
    })?;
    Ok(NormalizeRequest {
        info: ChunkInfo {
            stream: chunk.stream.clone(),
            framing: chunk.framing.clone(),
            content_type: chunk.content_type.clone(),
        },
        body: Bytes::from(body),
        config,
        time_zone: time_zone.to_owned(),
        received_at: Instant(chunk.received_at),
    })
}

/// What a build makes of a chunk, every record accounted for.
pub async fn normalize(
    app: &App,
    plugin: &PluginRef,
    request: NormalizeRequest,
) -> Result<Normalized, Unreadable> {
    match app.runtime.normalize(plugin, request).await {
        Ok(normalized) => check_conservation(normalized),
        Err(fault) => Err(unreadable(fault)),
    }
}

/// `normalize` has no network: whatever it says is about this chunk, the others go on.
fn unreadable(fault: Fault) -> Unreadable {
    let detail = fault.to_string();
    let (code, detail) = match fault {
        Fault::Stopped { .. } => ("plugin_stopped".to_owned(), detail),
        Fault::Unavailable { .. } => ("unavailable".to_owned(), detail),
        Fault::CursorExpired { .. } => ("cursor_expired".to_owned(), detail),
        Fault::Other { other_code, retryable: false, .. } => (other_code, detail),
        Fault::InvalidConfig { fields } => {
            let fields: Vec<String> =
                fields.into_iter().map(|field| format!("{}: {}", field.path, field.message)).collect();
            ("invalid_config".to_owned(), fields.join("; "))
        }
        _ => ("plugin_bug".to_owned(), detail),
    };
    Unreadable { code, detail }
}

/// `seen = emitted + skipped`: a record that made no document has a reason. Whatever the runtime says,
/// a chunk that loses a record does not count as done. (A record may make a document *and* complain.)
fn check_conservation(normalized: Normalized) -> Result<Normalized, Unreadable> {
    let complained: BTreeSet<u32> = normalized.skipped.iter().map(|item| item.src).collect();
    let without_document = normalized.seen.checked_sub(normalized.emitted);
    if without_document.is_some_and(|records| records as usize <= complained.len()) {
        return Ok(normalized);
    }
    Err(Unreadable {
        code: "records_lost".to_owned(),
        detail: format!(
            "The plugin saw {} raw records, made documents from {} and gave reasons for {}. \
             Nothing of this chunk was kept; report it to the plugin's publisher.",
            normalized.seen,
            normalized.emitted,
            complained.len()
        ),
    })
}

/// What every batch of a chunk is posted with.
struct Posting {
    app: Arc<App>,
    job: JobContext,
    connection: ConnectionId,
    plugin: PluginRef,
    calendar: StoreCalendar,
    known_labels: Arc<KnownLabels>,
    count_in: CountIn,
}

impl Posting {
    fn of(&self, place: &ChunkPlace) -> PostContext<'_> {
        PostContext {
            connection: self.connection,
            chunk: ChunkId(place.id),
            plugin_build: build_of(&self.plugin.sha256),
            received_at: place.received_at,
            calendar: &self.calendar,
            known_labels: &self.known_labels,
            clock: &*self.app.clock,
            random: &*self.app.random,
        }
    }

    /// Posts one batch, and further ones while nobody waits: many in one transaction write less than each in its
    /// own. After the last it ends the chunk and gives the data version.
    async fn go_on(&self, tx: &TenantTx, said: &mut Said) -> Result<Option<i64>, JobError> {
        let began = self.app.clock.monotonic();
        let mut posted = Posted::default();
        while let Some(batch) = said.prepared.batches.pop_front() {
            posted += post_batch(tx, &self.of(&said.place), batch).await.map_err(post_error)?;
            let took = self.app.clock.monotonic().0 - began.0;
            if took >= LONGEST_UNASKED.0 || self.app.db.people_wait() {
                break;
            }
        }
        self.count_in.add_posted(tx, &posted).await?;
        said.rejected.append(&mut posted.quarantined);
        if !said.prepared.batches.is_empty() {
            return Ok(None);
        }
        self.job.note_progress::<JobError>(tx).await?;
        self.end(tx, said).await?;
        Ok(Some(tx.ledger_head().await?.data_version))
    }

    /// Notes what became of the chunk's records.
    async fn end(&self, tx: &TenantTx, said: &mut Said) -> Result<(), DbError> {
        let Said { place, counts, .. } = said;
        let now = self.app.clock.now();
        let mut rejected = std::mem::take(&mut said.rejected);
        rejected.append(&mut said.prepared.quarantined);
        let released = replace_quarantine(tx, self, place, rejected, now).await?;
        counts.end_chunk(tx, place.id, self.plugin.sha256.clone()).await?;
        if let Some(shape) = &said.shape {
            keep_shape(tx, self.connection, &place.stream, place.received_at, shape).await?;
        }
        self.count_in.add_read(tx, place, *counts, said.prepared.documents, released, now).await
    }
}

/// Sets aside what could not be mapped now, and lets go what could not be mapped before and can be now. Records
/// that are rejected for the same reason as before stay as they are. Gives how many records passed.
async fn replace_quarantine(
    tx: &TenantTx,
    context: &Posting,
    place: &ChunkPlace,
    rejected: Vec<Skipped>,
    now: Instant,
) -> Result<u64, DbError> {
    let known =
        tx.find::<quarantine::Entity>().filter(quarantine::Column::ChunkId.eq(place.id)).all(tx).await?;
    let still: BTreeSet<i64> = rejected.iter().map(|skipped| i64::from(skipped.src)).collect();
    let same = |row: &quarantine::Model, skipped: &Skipped| {
        row.src == i64::from(skipped.src) && row.path == skipped.path && row.reason == skipped.reason
    };
    let (kept, gone): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|row| rejected.iter().any(|skipped| same(row, skipped)));
    let released: BTreeSet<i64> = gone.iter().map(|row| row.src).filter(|src| !still.contains(src)).collect();
    if !gone.is_empty() {
        tx.delete_many::<quarantine::Entity>()
            .filter(quarantine::Column::ChunkId.eq(place.id))
            .filter(quarantine::Column::Id.is_in(gone.iter().map(|row| row.id)))
            .exec(tx)
            .await?;
    }
    let new = rejected.into_iter().filter(|skipped| !kept.iter().any(|row| same(row, skipped)));
    let rows = new.map(|skipped| quarantine::ActiveModel {
        tenant_id: Set(tx.tenant().0),
        id: Set(new_uuid(&*context.app.clock, &*context.app.random)),
        connection_id: Set(context.connection.0),
        stream: Set(place.stream.clone()),
        chunk_id: Set(place.id),
        src: Set(i64::from(skipped.src)),
        path: Set(skipped.path),
        reason: Set(skipped.reason),
        created_at: Set(now.0),
    });
    tx.insert_many(rows.collect::<Vec<_>>()).await?;
    Ok(released.len() as u64)
}

fn post_error(error: PostError) -> JobError {
    match error {
        PostError::Database(error) => error.into(),
        PostError::Corrupt(detail) => JobError::fail(detail),
    }
}
