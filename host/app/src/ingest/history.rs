//! What the database knows of the orders that a batch moves, read before the batch is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portolan_commerce::document::{Entity, Order, Refund};
use portolan_commerce::ledger::{PostedEvent, Version, ledger_keys};
use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::{document, document_version, sale_event};
use sea_orm::Value;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::batch::Batch;
use super::post::{KEYS_PER_STATEMENT, PostContext, PostError};
use super::rows;

/// Everything known under one ledger key: the order's versions, its refunds' versions, its posted events.
#[derive(Default)]
pub struct History {
    pub orders: Vec<Version<Order>>,
    pub refunds: Vec<Version<Refund>>,
    pub posted: Vec<PostedEvent>,
}

/// The history of every ledger key that the batch moves, with the batch's own versions in it.
///
/// Adds to the batch the keys under which its refunds stood before: what stands there has to be
/// taken back.
///
/// Nothing is read back that the batch brings: its versions are joined to the stored ones by their ids.
/// Errors: a stored row that nobody could have written.
pub async fn load_history(
    tx: &TenantTx,
    context: &PostContext<'_>,
    batch: &mut Batch,
) -> Result<BTreeMap<String, History>, PostError> {
    let refund_keys: Vec<String> = batch.source_of_refund.keys().cloned().collect();
    let mut refunds = load_versions::<Refund>(tx, context, Entity::Refund, &refund_keys).await?;
    for (_, version) in &refunds {
        let src = batch.source_of_refund[&version.document.key];
        for key in ledger_keys([version]) {
            batch.source_of_order.entry(key).or_insert(src);
        }
    }
    let order_keys: Vec<String> = batch.source_of_order.keys().cloned().collect();
    let further_refunds =
        standing_under(tx, context, Entity::Refund, &order_keys, &batch.source_of_refund).await?;
    refunds.extend(load_versions::<Refund>(tx, context, Entity::Refund, &further_refunds).await?);
    let orders = load_versions::<Order>(tx, context, Entity::Order, &order_keys).await?;

    let mut history: BTreeMap<String, History> = BTreeMap::new();
    for version in joined(orders, std::mem::take(&mut batch.orders)) {
        history.entry(version.document.key.clone()).or_default().orders.push(version);
    }
    let mut versions_of_refund: BTreeMap<String, Vec<Version<Refund>>> = BTreeMap::new();
    for version in joined(refunds, std::mem::take(&mut batch.refunds)) {
        versions_of_refund.entry(version.document.key.clone()).or_default().push(version);
    }
    for versions in versions_of_refund.into_values() {
        // A refund that moved stands under its newest order alone: whoever decides needs all versions.
        for order_key in ledger_keys(&versions) {
            history.entry(order_key).or_default().refunds.extend(versions.iter().cloned());
        }
    }
    let of_connection = (sale_event::Column::ConnectionId, Value::from(context.connection.0));
    for keys in order_keys.chunks(KEYS_PER_STATEMENT) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let events = tx.find_by_keys::<sale_event::Entity>(
            std::slice::from_ref(&of_connection),
            sale_event::Column::OrderKey,
            &keys,
        );
        for row in events.await? {
            let order_key = row.order_key.clone();
            history.entry(order_key).or_default().posted.push(row.into_posted()?);
        }
    }
    Ok(history)
}

/// A version that is met again counts once, by its newest receipt: see [`super::post`].
pub(super) fn joined<T>(stored: Vec<(Uuid, Version<T>)>, new: Vec<(Uuid, Version<T>)>) -> Vec<Version<T>> {
    let mut received: HashMap<Uuid, Instant> =
        new.iter().map(|(id, version)| (*id, version.received_at)).collect();
    let mut versions = Vec::with_capacity(stored.len() + new.len());
    for (id, mut version) in stored {
        if let Some(received_at) = received.remove(&id) {
            version.received_at = version.received_at.max(received_at);
        }
        versions.push(version);
    }
    let unseen = new.into_iter().filter(|(id, _)| received.contains_key(id));
    versions.extend(unseen.map(|(_, version)| version));
    versions
}

pub(super) async fn load_versions<T: DeserializeOwned>(
    tx: &TenantTx,
    context: &PostContext<'_>,
    entity: Entity,
    keys: &[String],
) -> Result<Vec<(Uuid, Version<T>)>, PostError> {
    use document_version::Column;
    let fixed = [
        (Column::ConnectionId, Value::from(context.connection.0)),
        (Column::Entity, Value::from(rows::entity_name(entity))),
    ];
    let mut versions = Vec::new();
    for keys in keys.chunks(KEYS_PER_STATEMENT) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let found = tx.find_by_keys::<document_version::Entity>(&fixed, Column::Key, &keys).await?;
        // What no chunk says any more counts for nothing.
        for row in found.into_iter().filter(|row| row.source_chunk_id.is_some()) {
            versions.push((row.id, rows::read_version(&row)?));
        }
    }
    Ok(versions)
}

/// The documents of an entity that stand under these ledger keys by their stored heads, those aside that
/// are known already.
pub(super) async fn standing_under(
    tx: &TenantTx,
    context: &PostContext<'_>,
    entity: Entity,
    ledger_keys: &[String],
    known: &BTreeMap<String, u32>,
) -> Result<Vec<String>, PostError> {
    use document::Column;
    let fixed = [
        (Column::ConnectionId, Value::from(context.connection.0)),
        (Column::Entity, Value::from(rows::entity_name(entity))),
    ];
    let mut found = BTreeSet::new();
    for keys in ledger_keys.chunks(KEYS_PER_STATEMENT) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let children = tx.find_by_keys::<document::Entity>(&fixed, Column::ParentKey, &keys).await?;
        let themselves = tx.find_by_keys::<document::Entity>(&fixed, Column::Key, &keys).await?;
        let without_parent = themselves.into_iter().filter(|head| head.parent_key.is_none());
        found.extend(children.into_iter().chain(without_parent).map(|head| head.key));
    }
    Ok(found.into_iter().filter(|key| !known.contains_key(key)).collect())
}
