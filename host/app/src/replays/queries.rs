//! Reads about replays and the chunks that they read.

use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::{document_version, replay};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::ops::ReplayScope;
use crate::web::error::{AppError, AppResult};

/// The chunks of a scope. Those that are staged but not yet read belong to their sync, or to the next one.
pub fn wanted_chunks(tx: &TenantTx, connection: ConnectionId, scope: &ReplayScope) -> Select<chunk::Entity> {
    let mut wanted = tx
        .find::<chunk::Entity>()
        .filter(chunk::Column::ConnectionId.eq(connection.0))
        .filter(chunk::Column::State.is_in([ChunkState::Normalised, ChunkState::Failed]));
    if let Some(stream) = &scope.stream {
        wanted = wanted.filter(chunk::Column::Stream.eq(stream.as_str()));
    }
    if let Some(id) = scope.chunk {
        wanted = wanted.filter(chunk::Column::Id.eq(id));
    }
    wanted
}

/// The newest stored page that says a document, which is named by its entity and key: `order:1001`.
pub async fn page_of_record(tx: &TenantTx, connection: ConnectionId, record: &str) -> AppResult<Uuid> {
    let (entity, key) = record.split_once(':').ok_or_else(|| {
        AppError::invalid(
            "record",
            format!("{record:?} names no record: write its kind and key, order:1001."),
        )
    })?;
    let newest = tx
        .find::<document_version::Entity>()
        .filter(document_version::Column::ConnectionId.eq(connection.0))
        .filter(document_version::Column::Entity.eq(entity))
        .filter(document_version::Column::Key.eq(key))
        .filter(document_version::Column::SourceChunkId.is_not_null())
        .order_by_desc(document_version::Column::ReceivedAt)
        .order_by_desc(document_version::Column::Id)
        .one(tx)
        .await?;
    newest.and_then(|version| version.source_chunk_id).ok_or_else(|| {
        AppError::invalid(
            "record",
            format!("No stored page of the connection tells of the {entity} {key:?}."),
        )
    })
}

pub async fn find_replay(tx: &TenantTx, connection: ConnectionId, id: Uuid) -> AppResult<replay::Model> {
    let found = tx.find_by_id::<replay::Entity>(id).await?;
    found.filter(|replay| replay.connection_id == connection.0).ok_or_else(|| AppError::not_found("replay"))
}

/// The newest replays of a connection.
pub async fn replays_of(
    tx: &TenantTx,
    connection: ConnectionId,
    limit: u64,
) -> AppResult<Vec<replay::Model>> {
    Ok(tx
        .find::<replay::Entity>()
        .filter(replay::Column::ConnectionId.eq(connection.0))
        .order_by_desc(replay::Column::Id)
        .limit(limit)
        .all(tx)
        .await?)
}

/// How many chunks of each stream are stored, by the stream's name.
pub async fn stored_chunks(tx: &TenantTx, connection: ConnectionId) -> AppResult<Vec<(String, i64)>> {
    Ok(wanted_chunks(tx, connection, &ReplayScope::default())
        .select_only()
        .column(chunk::Column::Stream)
        .column_as(chunk::Column::Id.count(), "chunks")
        .group_by(chunk::Column::Stream)
        .order_by_asc(chunk::Column::Stream)
        .into_tuple()
        .all(tx)
        .await?)
}

/// How many records of the connection are in quarantine.
pub async fn quarantined(tx: &TenantTx, connection: ConnectionId) -> AppResult<u64> {
    use portolan_db::entity::quarantine;
    Ok(tx
        .find::<quarantine::Entity>()
        .filter(quarantine::Column::ConnectionId.eq(connection.0))
        .count(tx)
        .await?)
}
