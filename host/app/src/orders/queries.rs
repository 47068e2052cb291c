//! Reads about orders.

use portolan_analytics::Visibility;
use portolan_commerce::document::{Entity, Order, Refund};
use portolan_commerce::ledger::{PostedEvent, Version};
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, document, document_version, sale_event};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::kept::{check_amounts_are_open, keep_head, keep_record};
use crate::channels::find_connection;
use crate::channels::heads::page_of_heads;
use crate::channels::seen::seen_orders;
use crate::connections::queries::list_connections;
use crate::ingest::entity_name;
use crate::web::error::{AppError, AppResult};
use crate::web::page::Beside;

/// Orders that tell which states there are.
const STATES_AMONG: u64 = 500;

/// Which orders are asked for; newest first.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    pub connection: Option<ConnectionId>,
    pub state: Option<String>,
    /// Placed at or after this moment.
    pub from: Option<Instant>,
    /// Placed before this moment.
    pub until: Option<Instant>,
    /// Number or key, exactly.
    pub search: Option<String>,
    pub beside: Option<Beside>,
}

/// The newest orders that match, one more than `limit` where there are more.
pub async fn list_orders(
    tx: &TenantTx,
    seen: &Visibility,
    filter: &OrderFilter,
    limit: u64,
) -> AppResult<Vec<document::Model>> {
    let mut wanted = all_orders(tx).filter(seen_orders(tx, seen).await?);
    if let Some(connection) = filter.connection {
        wanted = wanted.filter(document::Column::ConnectionId.eq(connection.0));
    }
    if let Some(state) = &filter.state {
        wanted = wanted.filter(document::Column::State.eq(state.as_str()));
    }
    if let Some(from) = filter.from {
        wanted = wanted.filter(document::Column::OccurredAt.gte(from.0));
    }
    if let Some(until) = filter.until {
        wanted = wanted.filter(document::Column::OccurredAt.lt(until.0));
    }
    if let Some(search) = &filter.search {
        wanted = wanted.filter(named(tx, search).await?);
    }
    let mut found = page_of_heads(tx, wanted, filter.beside, limit).await?;
    found.iter_mut().for_each(|head| keep_head(seen, head));
    Ok(found)
}

fn all_orders(tx: &TenantTx) -> Select<document::Entity> {
    tx.find::<document::Entity>()
        .filter(document::Column::Entity.eq(entity_name(Entity::Order)))
        .filter(document::Column::OccurredAt.is_not_null())
}

/// The channel's number with or without its sign, or the key. Exact, so that both have an index: the
/// key's begins with the connection.
async fn named(tx: &TenantTx, search: &str) -> AppResult<Condition> {
    let plain = search.trim().trim_start_matches('#');
    let connections = list_connections(tx).await?.into_iter().map(|connection| connection.id);
    let by_key = Condition::all()
        .add(document::Column::ConnectionId.is_in(connections))
        .add(document::Column::Key.eq(search.trim()));
    Ok(Condition::any()
        .add(document::Column::Number.is_in([plain.to_owned(), format!("#{plain}")]))
        .add(by_key))
}

/// The states that the newest orders are in.
pub async fn known_states(tx: &TenantTx, seen: &Visibility) -> AppResult<Vec<String>> {
    let states: Vec<Option<String>> = all_orders(tx)
        .filter(seen_orders(tx, seen).await?)
        .select_only()
        .column(document::Column::State)
        .order_by_desc(document::Column::OccurredAt)
        .limit(STATES_AMONG)
        .into_tuple()
        .all(tx)
        .await?;
    let mut states: Vec<String> = states.into_iter().flatten().collect();
    states.sort();
    states.dedup();
    Ok(states)
}

/// Whether there is any order at all that somebody sees.
pub async fn has_orders(tx: &TenantTx, seen: &Visibility) -> AppResult<bool> {
    Ok(all_orders(tx).filter(seen_orders(tx, seen).await?).limit(1).one(tx).await?.is_some())
}

/// The order with this document id; one that is not seen is not there.
pub async fn find_order(tx: &TenantTx, seen: &Visibility, id: Uuid) -> AppResult<document::Model> {
    let found = tx
        .find::<document::Entity>()
        .filter(document::Column::Id.eq(id))
        .filter(document::Column::Entity.eq(entity_name(Entity::Order)))
        .filter(seen_orders(tx, seen).await?);
    found.one(tx).await?.ok_or_else(|| AppError::not_found("order"))
}

/// Everything known of one order.
pub struct OrderRecord {
    pub head: document::Model,
    pub connection: connection::Model,
    /// As it stands now.
    pub order: Order,
    /// Its newest version as stored: JSON.
    pub body: String,
    /// Newest first.
    pub version_rows: Vec<document_version::Model>,
    pub versions: Vec<Version<Order>>,
    /// As each refund stands now, with its head.
    pub refunds: Vec<(document::Model, Refund)>,
    pub refund_versions: Vec<Version<Refund>>,
    /// In the order of posting, each with when it was recorded.
    pub events: Vec<(PostedEvent, Instant)>,
}

/// Loads an order with its refunds, versions and ledger events, without what is kept from whoever looks.
pub async fn load_order(tx: &TenantTx, seen: &Visibility, id: Uuid) -> AppResult<OrderRecord> {
    let head = find_order(tx, seen, id).await?;
    check_amounts_are_open(seen)?;
    let connection = find_connection(tx, ConnectionId(head.connection_id)).await?;
    let version_rows = versions_of(tx, head.connection_id, Entity::Order, vec![head.key.clone()]).await?;
    let newest = version_rows.iter().find(|row| row.id == head.version_id).or(version_rows.first());
    let newest = newest.ok_or_else(|| AppError::internal("the order has no version"))?;
    let refund_heads = tx
        .find::<document::Entity>()
        .filter(document::Column::ConnectionId.eq(head.connection_id))
        .filter(document::Column::Entity.eq(entity_name(Entity::Refund)))
        .filter(
            Condition::any().add(document::Column::ParentKey.eq(head.key.as_str())).add(
                Condition::all()
                    .add(document::Column::ParentKey.is_null())
                    .add(document::Column::Key.eq(head.key.as_str())),
            ),
        )
        .order_by_asc(document::Column::OccurredAt)
        .all(tx)
        .await?;
    let keys = refund_heads.iter().map(|refund| refund.key.clone()).collect();
    let refund_rows = versions_of(tx, head.connection_id, Entity::Refund, keys).await?;
    let mut refunds = Vec::new();
    for refund in refund_heads.into_iter().filter(|refund| refund.parent_key.is_some()) {
        if let Some(row) = refund_rows.iter().find(|row| row.id == refund.version_id) {
            refunds.push((refund, read::<Refund>(row)?.document));
        }
    }
    let mut record = OrderRecord {
        order: read::<Order>(newest)?.document,
        body: newest.body.clone(),
        versions: counted(&version_rows).map(read).collect::<AppResult<_>>()?,
        refund_versions: counted(&refund_rows).map(read).collect::<AppResult<_>>()?,
        events: events_of(tx, &head).await?,
        version_rows,
        refunds,
        head,
        connection,
    };
    keep_record(seen, &mut record)?;
    Ok(record)
}

/// What no stored page says any more counts for nothing.
fn counted(rows: &[document_version::Model]) -> impl Iterator<Item = &document_version::Model> {
    rows.iter().filter(|row| row.source_chunk_id.is_some())
}

/// Every version of the refunds that stand under an order by their heads.
pub async fn refund_versions_of(
    tx: &TenantTx,
    record: &OrderRecord,
) -> AppResult<Vec<document_version::Model>> {
    let keys = record.refunds.iter().map(|(head, _)| head.key.clone()).collect();
    versions_of(tx, record.head.connection_id, Entity::Refund, keys).await
}

async fn versions_of(
    tx: &TenantTx,
    connection: Uuid,
    entity: Entity,
    keys: Vec<String>,
) -> AppResult<Vec<document_version::Model>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tx
        .find::<document_version::Entity>()
        .filter(document_version::Column::ConnectionId.eq(connection))
        .filter(document_version::Column::Entity.eq(entity_name(entity)))
        .filter(document_version::Column::Key.is_in(keys))
        .order_by_desc(document_version::Column::UpdatedAt)
        .order_by_desc(document_version::Column::ReceivedAt)
        .order_by_desc(document_version::Column::Hash)
        .all(tx)
        .await?)
}

async fn events_of(tx: &TenantTx, head: &document::Model) -> AppResult<Vec<(PostedEvent, Instant)>> {
    let rows = tx
        .find::<sale_event::Entity>()
        .filter(sale_event::Column::ConnectionId.eq(head.connection_id))
        .filter(sale_event::Column::OrderKey.eq(head.key.as_str()))
        .order_by_asc(sale_event::Column::PostingVersion)
        .order_by_asc(sale_event::Column::Id)
        .all(tx)
        .await?;
    let events = rows.into_iter().map(|row| {
        let recorded_at = Instant(row.recorded_at);
        Ok((row.into_posted().map_err(AppError::internal)?, recorded_at))
    });
    events.collect()
}

/// A body is an entity's fields beside the name of the entity.
fn read<T: DeserializeOwned>(row: &document_version::Model) -> AppResult<Version<T>> {
    let damaged = |what: &str| AppError::internal(format!("version {} of {}: {what}", row.id, row.key));
    let document = serde_json::from_str(&row.body).map_err(|error| damaged(&error.to_string()))?;
    let hash = parse_hash(&row.hash).ok_or_else(|| damaged("no readable hash"))?;
    Ok(Version { document, received_at: Instant(row.received_at), hash })
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0_u8; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(hash)
}
