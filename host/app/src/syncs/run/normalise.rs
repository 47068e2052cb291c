//! Staged chunks become documents and ledger events: the plugin's pure function, then short
//! transactions, the last of which ends the chunk.

use bytes::Bytes;
use portolan_connector::{ChunkInfo, Fault, NormalizeRequest, Normalized};
use portolan_core::id::new_uuid;
use portolan_core::{ChunkId, ConnectionId, Instant, StoreCalendar};
use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::{quarantine, slice, sync};
use portolan_db::{DbError, TenantTx};
use portolan_jobs::JobError;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use std::sync::Arc;
use uuid::Uuid;

use super::{RunError, Stop, SyncRun};
use crate::App;
use crate::ingest::batch::{BatchAim, prepare};
use crate::ingest::post::{PostContext, PostError, Posted, post_batch};
use crate::ingest::stage::unpack_body;
use crate::live::LiveMessage;

impl SyncRun {
    /// Normalises and posts every staged chunk of the slice, oldest first.
    pub(super) async fn normalise_staged(&self, slice: &slice::Model) -> Result<(), Stop> {
        for id in self.staged_chunks(slice).await? {
            self.check_requests().await?;
            self.normalise_by_id(id).await?;
        }
        Ok(())
    }

    pub(super) async fn normalise_by_id(&self, id: Uuid) -> Result<(), Stop> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let chunk = tx.find_by_id::<chunk::Entity>(id).await.map_err(JobError::retry)?;
        drop(tx);
        match chunk {
            Some(chunk) => self.normalise_chunk(chunk).await,
            None => Ok(()),
        }
    }

    /// Ids alone: bodies are read one by one.
    async fn staged_chunks(&self, slice: &slice::Model) -> Result<Vec<Uuid>, JobError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        tx.find::<chunk::Entity>()
            .select_only()
            .column(chunk::Column::Id)
            .filter(chunk::Column::SliceId.eq(slice.id))
            .filter(chunk::Column::State.eq(ChunkState::Staged))
            .order_by_asc(chunk::Column::Id)
            .into_tuple()
            .all(&tx)
            .await
            .map_err(JobError::retry)
    }

    async fn normalise_chunk(&self, chunk: chunk::Model) -> Result<(), Stop> {
        let body = match unpack_body(&chunk.body) {
            Ok(body) => Bytes::from(body),
            Err(error) => {
                let detail =
                    format!("What was stored of the channel's answer cannot be read: {error}. Sync again.");
                self.mark_failed(chunk.id, &detail).await?;
                return Err(RunError::Slice { code: "damaged_chunk".to_owned(), detail }.into());
            }
        };
        let request = NormalizeRequest {
            info: ChunkInfo {
                stream: chunk.stream.clone(),
                framing: chunk.framing.clone(),
                content_type: chunk.content_type.clone(),
            },
            body,
            config: Arc::clone(&self.context.config),
            time_zone: self.connection.time_zone.clone(),
            received_at: Instant(chunk.received_at),
        };
        let place = ChunkPlace {
            id: chunk.id,
            slice: chunk.slice_id,
            stream: chunk.stream,
            received_at: Instant(chunk.received_at),
        };
        let normalized = self.app.runtime.normalize(&self.plugin.plugin, request).await;
        match normalized.map_err(normalize_fault).and_then(check_conservation) {
            Ok(normalized) => self.post(place, normalized).await,
            Err((code, detail)) => {
                self.mark_failed(place.id, &detail).await?;
                Err(RunError::Slice { code, detail }.into())
            }
        }
    }

    /// Posts what the chunk became, in transactions short enough for people to wait behind. The last one
    /// carries the counts and ends the chunk: a crash before it leaves the chunk staged, and the batches that
    /// stand already add nothing when it is posted again.
    async fn post(&self, place: ChunkPlace, normalized: Normalized) -> Result<(), Stop> {
        let counts = Counts::of(&normalized);
        let place = Arc::new(place);
        let context = self.posting();
        let mut prepared =
            prepare(self.tenant, &context.of(&place), normalized.documents, BatchAim::default());
        let mut rejected = normalized.skipped;
        rejected.append(&mut prepared.quarantined);
        let last = prepared.batches.pop().unwrap_or_default();
        for batch in prepared.batches {
            let (context, place, sync) = (context.clone(), Arc::clone(&place), self.sync.0);
            let unposted = self
                .write(move |tx| {
                    Box::pin(async move {
                        let posted = post_batch(tx, &context.of(&place), batch).await.map_err(post_error)?;
                        add_events_to_sync(tx, sync, &posted).await?;
                        Ok(posted.quarantined)
                    })
                })
                .await?;
            rejected.extend(unposted);
        }
        let (now, sync, documents) = (self.app.clock.now(), self.sync.0, prepared.documents);
        let data_version = self
            .write_progress(move |tx| {
                Box::pin(async move {
                    let posted = post_batch(tx, &context.of(&place), last).await.map_err(post_error)?;
                    add_events_to_sync(tx, sync, &posted).await?;
                    rejected.extend(posted.quarantined);
                    let rejected = rejected.into_iter().map(|skipped| quarantine::ActiveModel {
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
                    tx.insert_many(rejected.collect()).await?;
                    counts.end_chunk(tx, place.id).await?;
                    counts.add_to_slice(tx, place.slice).await?;
                    counts.add_to_sync(tx, sync, documents, now).await?;
                    Ok(tx.ledger_head().await?.data_version)
                })
            })
            .await?;
        self.announce();
        self.app.live.publish(LiveMessage::Data { tenant: self.tenant, data_version });
        Ok(())
    }

    fn posting(&self) -> Posting {
        Posting {
            app: Arc::clone(&self.app),
            connection: self.connection_id(),
            calendar: self.calendar.clone(),
        }
    }
}

/// Where a chunk belongs.
struct ChunkPlace {
    id: Uuid,
    slice: Uuid,
    stream: String,
    received_at: Instant,
}

/// What every batch of a chunk is posted with.
#[derive(Clone)]
struct Posting {
    app: Arc<App>,
    connection: ConnectionId,
    calendar: StoreCalendar,
}

impl Posting {
    fn of(&self, place: &ChunkPlace) -> PostContext<'_> {
        PostContext {
            connection: self.connection,
            chunk: ChunkId(place.id),
            received_at: place.received_at,
            calendar: &self.calendar,
            clock: &*self.app.clock,
            random: &*self.app.random,
        }
    }
}

/// Raw records of a chunk.
#[derive(Clone, Copy)]
struct Counts {
    seen: i64,
    emitted: i64,
    skipped: i64,
}

impl Counts {
    fn of(normalized: &Normalized) -> Self {
        let (seen, emitted) = (i64::from(normalized.seen), i64::from(normalized.emitted));
        Self { seen, emitted, skipped: seen - emitted }
    }

    /// Changes the columns that change: a chunk's body is large.
    async fn end_chunk(self, tx: &TenantTx, chunk: Uuid) -> Result<(), DbError> {
        use chunk::Column;
        tx.update_many::<chunk::Entity>()
            .col_expr(Column::State, Expr::value(ChunkState::Normalised.as_str()))
            .col_expr(Column::Error, Expr::value(None::<String>))
            .col_expr(Column::Seen, Expr::value(self.seen))
            .col_expr(Column::Emitted, Expr::value(self.emitted))
            .col_expr(Column::Skipped, Expr::value(self.skipped))
            .filter(Column::Id.eq(chunk))
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn add_to_slice(self, tx: &TenantTx, slice: Uuid) -> Result<(), DbError> {
        use slice::Column;
        tx.update_many::<slice::Entity>()
            .col_expr(Column::Seen, Expr::col(Column::Seen).add(self.seen))
            .col_expr(Column::Emitted, Expr::col(Column::Emitted).add(self.emitted))
            .col_expr(Column::Skipped, Expr::col(Column::Skipped).add(self.skipped))
            .filter(Column::Id.eq(slice))
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn add_to_sync(
        self,
        tx: &TenantTx,
        sync: Uuid,
        documents: u64,
        now: Instant,
    ) -> Result<(), DbError> {
        use sync::Column;
        tx.update_many::<sync::Entity>()
            .col_expr(Column::Seen, Expr::col(Column::Seen).add(self.seen))
            .col_expr(Column::Emitted, Expr::col(Column::Emitted).add(self.emitted))
            .col_expr(Column::Skipped, Expr::col(Column::Skipped).add(self.skipped))
            .col_expr(Column::Documents, Expr::col(Column::Documents).add(documents as i64))
            .col_expr(Column::UpdatedAt, Expr::value(now.0))
            .filter(Column::Id.eq(sync))
            .exec(tx)
            .await?;
        Ok(())
    }
}

/// Events count where they are posted: a batch that is posted again posts none.
async fn add_events_to_sync(tx: &TenantTx, sync: Uuid, posted: &Posted) -> Result<(), DbError> {
    use sync::Column;
    if posted.events == 0 {
        return Ok(());
    }
    tx.update_many::<sync::Entity>()
        .col_expr(Column::EventsPosted, Expr::col(Column::EventsPosted).add(posted.events as i64))
        .filter(Column::Id.eq(sync))
        .exec(tx)
        .await?;
    Ok(())
}

/// `seen = emitted + skipped`: a record that made no document has a reason. Whatever the runtime says,
/// a chunk that loses a record does not count as done. (A record may make a document *and* complain.)
fn check_conservation(normalized: Normalized) -> Result<Normalized, (String, String)> {
    let complained: std::collections::BTreeSet<u32> =
        normalized.skipped.iter().map(|item| item.src).collect();
    let without_document = normalized.seen.checked_sub(normalized.emitted);
    if without_document.is_some_and(|records| records as usize <= complained.len()) {
        return Ok(normalized);
    }
    Err((
        "records_lost".to_owned(),
        format!(
            "The plugin saw {} raw records, made documents from {} and gave reasons for {}. \
             Nothing of this chunk was kept; report it to the plugin's publisher.",
            normalized.seen,
            normalized.emitted,
            complained.len()
        ),
    ))
}

fn post_error(error: PostError) -> JobError {
    match error {
        PostError::Database(error) => error.into(),
        PostError::Corrupt(detail) => JobError::fail(detail),
    }
}

/// `normalize` has no network: whatever it says is about this chunk, the others go on. Gives code and sentence.
fn normalize_fault(fault: Fault) -> (String, String) {
    match super::fetch::fault(fault) {
        RunError::Slice { code, detail } | RunError::Sync { code, detail } => (code, detail),
        RunError::Retry { detail, .. } | RunError::NeedsAuth { detail } => ("plugin_bug".to_owned(), detail),
        RunError::Job(error) => ("internal".to_owned(), error.to_string()),
    }
}
