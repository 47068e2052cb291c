//! The staged chunks of a slice become documents and ledger events, oldest first.

use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::slice;
use portolan_jobs::JobError;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use std::sync::Arc;
use uuid::Uuid;

use super::{RunError, Stop, SyncRun};
use crate::ingest::read::{ChunkReader, CountIn, ReadError};

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
        let id = chunk.id;
        match self.reader().read(chunk).await {
            Ok(()) => {
                self.announce();
                Ok(())
            }
            Err(ReadError::Chunk { code, detail }) => {
                self.mark_failed(id, &detail).await?;
                Err(RunError::Slice { code, detail }.into())
            }
            Err(ReadError::Job(error)) => Err(error.into()),
        }
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
            count_in: CountIn::Sync(self.sync.0),
        }
    }
}
