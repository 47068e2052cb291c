//! Reads about syncs.

use std::collections::BTreeMap;

use portolan_analytics::Visibility;
use portolan_core::{ConnectionId, SyncId};
use portolan_db::TenantTx;
use portolan_db::entity::{chunk, connection, quarantine, slice, sync, upload};
use sea_orm::{ColumnTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::channels::seen::of_seen_connections;
use crate::web::error::AppResult;
use crate::web::page::Beside;
use crate::web::seen::sees;

/// Which syncs are asked for; newest first.
#[derive(Debug, Clone, Default)]
pub struct SyncFilter {
    pub connection: Option<ConnectionId>,
    pub state: Option<sync::SyncState>,
    pub beside: Option<Beside>,
}

/// The newest syncs that match, one more than `limit` where there are more.
pub async fn list_syncs(
    tx: &TenantTx,
    seen: &Visibility,
    filter: &SyncFilter,
    limit: u64,
) -> AppResult<Vec<sync::Model>> {
    let of_seen = of_seen_connections(tx, seen, sync::Column::ConnectionId).await?;
    let mut wanted = tx.find::<sync::Entity>().filter(of_seen);
    if let Some(connection) = filter.connection {
        wanted = wanted.filter(sync::Column::ConnectionId.eq(connection.0));
    }
    if let Some(state) = filter.state {
        wanted = wanted.filter(sync::Column::State.eq(state));
    }
    // Ids are UUIDv7: their order is the order of creation.
    let back = filter.beside.is_some_and(Beside::is_back);
    if let Some(Beside { item, .. }) = filter.beside {
        let id = sync::Column::Id;
        wanted = wanted.filter(if back { id.gt(item) } else { id.lt(item) });
    }
    let order = if back { Order::Asc } else { Order::Desc };
    let mut found = wanted.order_by(sync::Column::Id, order).limit(limit + 1).all(tx).await?;
    if back {
        found.reverse();
    }
    Ok(found)
}

/// Labels of the connections that somebody sees, for lists.
pub async fn connection_labels(tx: &TenantTx, seen: &Visibility) -> AppResult<BTreeMap<Uuid, String>> {
    let rows = tx.find::<connection::Entity>().all(tx).await?;
    Ok(rows.into_iter().filter(|row| sees(seen, row)).map(|row| (row.id, row.label)).collect())
}

pub async fn slices_of(tx: &TenantTx, sync: SyncId) -> AppResult<Vec<slice::Model>> {
    Ok(tx
        .find::<slice::Entity>()
        .filter(slice::Column::SyncId.eq(sync.0))
        .order_by_asc(slice::Column::Position)
        .order_by_desc(slice::Column::Since)
        .order_by_asc(slice::Column::Id)
        .all(tx)
        .await?)
}

/// The newest rejected records of a sync, and how many there are.
pub async fn quarantine_of(
    tx: &TenantTx,
    sync: SyncId,
    limit: u64,
) -> AppResult<(Vec<quarantine::Model>, u64)> {
    let chunks = sea_orm::sea_query::Query::select()
        .column(chunk::Column::Id)
        .from(chunk::Entity)
        .and_where(chunk::Column::TenantId.eq(tx.tenant().0))
        .and_where(chunk::Column::SyncId.eq(sync.0))
        .to_owned();
    let rejected = tx.find::<quarantine::Entity>().filter(quarantine::Column::ChunkId.in_subquery(chunks));
    let total = rejected.clone().count(tx).await?;
    let newest = rejected.order_by_desc(quarantine::Column::Id).limit(limit).all(tx).await?;
    Ok((newest, total))
}

/// The names of the uploads that slices read, by their numbers; one that was taken away has none.
pub async fn file_names(tx: &TenantTx, slices: &[slice::Model]) -> AppResult<BTreeMap<i64, String>> {
    let numbers: Vec<i64> = slices.iter().filter_map(|slice| slice.file).collect();
    if numbers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let uploads = tx.find::<upload::Entity>().filter(upload::Column::Number.is_in(numbers)).all(tx).await?;
    Ok(uploads.into_iter().map(|upload| (upload.number, upload.name)).collect())
}

/// How many stored pages of a connection could not be read.
pub async fn unread_chunks(tx: &TenantTx, connection: ConnectionId) -> AppResult<u64> {
    let chunks = tx.find::<chunk::Entity>().filter(chunk::Column::ConnectionId.eq(connection.0));
    Ok(chunks.filter(chunk::Column::State.eq(chunk::ChunkState::Failed)).count(tx).await?)
}

/// How many staged chunks wait for their documents, and how many there are.
pub async fn chunk_counts(tx: &TenantTx, sync: SyncId) -> AppResult<(u64, u64)> {
    let all = tx.find::<chunk::Entity>().filter(chunk::Column::SyncId.eq(sync.0));
    let waiting = all.clone().filter(chunk::Column::State.eq(chunk::ChunkState::Staged)).count(tx).await?;
    Ok((waiting, all.count(tx).await?))
}
