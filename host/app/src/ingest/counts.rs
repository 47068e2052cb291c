//! How many records were read, written where people look: with the chunk, its slice, its sync or replay.

use portolan_connector::Normalized;
use portolan_core::Instant;
use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::{replay, slice, sync};
use portolan_db::{DbError, TenantTx};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::post::Posted;

/// Whose counts grow by what is read.
#[derive(Debug, Clone, Copy)]
pub enum CountIn {
    Sync(Uuid),
    Replay(Uuid),
}

/// Where a chunk belongs.
pub struct ChunkPlace {
    pub id: Uuid,
    pub slice: Uuid,
    pub stream: String,
    pub received_at: Instant,
}

impl ChunkPlace {
    pub fn of(chunk: &chunk::Model) -> Self {
        Self {
            id: chunk.id,
            slice: chunk.slice_id,
            stream: chunk.stream.clone(),
            received_at: Instant(chunk.received_at),
        }
    }
}

/// Raw records of a chunk.
#[derive(Clone, Copy)]
pub struct Counts {
    seen: i64,
    emitted: i64,
    skipped: i64,
}

impl Counts {
    pub fn of(normalized: &Normalized) -> Self {
        let (seen, emitted) = (i64::from(normalized.seen), i64::from(normalized.emitted));
        Self { seen, emitted, skipped: seen - emitted }
    }

    /// Changes the columns that change: a chunk's body is large.
    pub async fn end_chunk(self, tx: &TenantTx, chunk: Uuid, plugin_sha256: String) -> Result<(), DbError> {
        use chunk::Column;
        tx.update_many::<chunk::Entity>()
            .col_expr(Column::State, Expr::value(ChunkState::Normalised.as_str()))
            .col_expr(Column::Error, Expr::value(None::<String>))
            .col_expr(Column::PluginSha256, Expr::value(plugin_sha256))
            .col_expr(Column::Seen, Expr::value(self.seen))
            .col_expr(Column::Emitted, Expr::value(self.emitted))
            .col_expr(Column::Skipped, Expr::value(self.skipped))
            .filter(Column::Id.eq(chunk))
            .exec(tx)
            .await?;
        Ok(())
    }
}

impl CountIn {
    /// Events count where they are posted: a batch that is posted again posts none.
    pub async fn add_posted(self, tx: &TenantTx, posted: &Posted) -> Result<(), DbError> {
        if posted.events == 0 && posted.superseded == 0 {
            return Ok(());
        }
        match self {
            Self::Sync(sync) => {
                use sync::Column;
                tx.update_many::<sync::Entity>()
                    .col_expr(Column::EventsPosted, Expr::col(Column::EventsPosted).add(posted.events as i64))
                    .filter(Column::Id.eq(sync))
                    .exec(tx)
                    .await?;
            }
            Self::Replay(replay) => {
                use replay::Column;
                tx.update_many::<replay::Entity>()
                    .col_expr(Column::EventsPosted, Expr::col(Column::EventsPosted).add(posted.events as i64))
                    .col_expr(Column::Superseded, Expr::col(Column::Superseded).add(posted.superseded as i64))
                    .filter(Column::Id.eq(replay))
                    .exec(tx)
                    .await?;
            }
        }
        Ok(())
    }

    /// A replay counts in itself alone: what its chunk's sync saw then stays said.
    pub async fn add_read(
        self,
        tx: &TenantTx,
        place: &ChunkPlace,
        counts: Counts,
        documents: u64,
        released: u64,
        now: Instant,
    ) -> Result<(), DbError> {
        match self {
            Self::Sync(sync) => {
                counts.add_to_slice(tx, place.slice).await?;
                counts.add_to_sync(tx, sync, documents, now).await
            }
            Self::Replay(replay) => {
                use replay::Column;
                let more = |column: Column, count: i64| Expr::col(column).add(count);
                tx.update_many::<replay::Entity>()
                    .col_expr(Column::BeforeChunkId, Expr::value(place.id))
                    .col_expr(Column::ChunksDone, more(Column::ChunksDone, 1))
                    .col_expr(Column::Seen, more(Column::Seen, counts.seen))
                    .col_expr(Column::Skipped, more(Column::Skipped, counts.skipped))
                    .col_expr(Column::Released, more(Column::Released, released as i64))
                    .col_expr(Column::Documents, more(Column::Documents, documents as i64))
                    .col_expr(Column::UpdatedAt, Expr::value(now.0))
                    .filter(Column::Id.eq(replay))
                    .exec(tx)
                    .await?;
                Ok(())
            }
        }
    }
}

impl Counts {
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
