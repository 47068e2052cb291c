//! The staged chunks of a slice become documents and ledger events, oldest first. While one is posted the next is
//! fetched and read: the database has one writer, and a channel is waited for. Posted is one at a time, in order.

use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::slice;
use portolan_jobs::JobError;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use std::panic::resume_unwind;
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{RunError, Stop, SyncRun};
use crate::ingest::CountIn;
use crate::ingest::read::{ChunkReader, Said, Unreadable};

/// The chunk that is being posted, if one is. It stays named until [`SyncRun::end_posting`], which whoever began has
/// to wait for: nothing may be written about the slice's counts before. A run that is given up takes its posting with
/// it, but for the transaction that has begun.
#[derive(Default)]
pub(super) struct BeingPosted(Option<(Uuid, AbortOnDropHandle<Result<(), JobError>>)>);

impl SyncRun {
    /// Normalises and posts every staged chunk of the slice, oldest first. The last may still be being posted
    /// afterwards.
    pub(super) async fn normalise_staged(
        &self,
        slice: &slice::Model,
        posting: &mut BeingPosted,
    ) -> Result<(), Stop> {
        // It counts as staged until the last of it is posted, and may stand anywhere in the list: a clock can go back.
        let being_posted = posting.0.as_ref().map(|(id, _)| *id);
        let staged = self.staged_chunks(slice).await?;
        for id in staged.into_iter().filter(|id| Some(*id) != being_posted) {
            self.check_requests().await?;
            let Some(said) = self.understand_chunk(id, posting).await? else { continue };
            self.end_posting(posting).await?;
            let reader = self.reader();
            let task = tokio::spawn(async move { reader.post(said).await });
            posting.0 = Some((id, AbortOnDropHandle::new(task)));
        }
        Ok(())
    }

    /// Waits until what was begun is posted.
    pub(super) async fn end_posting(&self, posting: &mut BeingPosted) -> Result<(), JobError> {
        let Some((_, task)) = posting.0.take() else { return Ok(()) };
        match task.await {
            Ok(posted) => posted?,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(error) => return Err(JobError::retry(error)),
        }
        self.announce();
        Ok(())
    }

    /// Normalises and posts one chunk.
    pub(super) async fn normalise_by_id(&self, id: Uuid) -> Result<(), Stop> {
        let Some(said) = self.understand_chunk(id, &mut BeingPosted::default()).await? else { return Ok(()) };
        self.reader().post(said).await?;
        self.announce();
        Ok(())
    }

    /// What a chunk says; `None` where it is gone. One that can't be read is marked, once those before it are posted.
    async fn understand_chunk(&self, id: Uuid, posting: &mut BeingPosted) -> Result<Option<Said>, Stop> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let chunk = tx.find_by_id::<chunk::Entity>(id).await.map_err(JobError::retry)?;
        drop(tx);
        let Some(chunk) = chunk else { return Ok(None) };
        match self.reader().understand(chunk).await {
            Ok(said) => Ok(Some(said)),
            Err(Unreadable { code, detail }) => {
                self.end_posting(posting).await?;
                self.mark_failed(id, &detail).await?;
                Err(RunError::Slice { code, detail }.into())
            }
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

    fn reader(&self) -> ChunkReader {
        ChunkReader {
            app: Arc::clone(&self.app),
            job: self.job.clone(),
            tenant: self.tenant,
            connection: self.connection_id(),
            plugin: self.plugin.plugin.clone(),
            config: Arc::clone(&self.context.config),
            time_zone: self.connection.time_zone.clone(),
            calendar: self.calendar.clone(),
            known_labels: Arc::clone(&self.known_labels),
            count_in: CountIn::Sync(self.sync.0),
        }
    }
}
