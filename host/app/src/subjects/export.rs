//! Everything that is kept of a person, for that person: who they are, every version of their documents, what the ledgers
//! say of their orders and of the payments for them.

use std::collections::BTreeSet;

use portolan_commerce::document::Entity;
use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::{connection, document, document_version, person, sale_event};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, Value as Bound};
use serde_json::{Value, json};

use super::Subject;
use super::identity::{Identity, identity};
use crate::App;
use crate::finance::links::payments_of_order;
use crate::ingest::entity_name;
use crate::web::error::{AppError, AppResult};

/// The name of the format, and its version: a field that changes its meaning is a new version.
const FORMAT: &str = "portolan-subject";
const VERSION: u32 = 1;
/// Keys of one lookup: both databases limit the number of bound values.
const KEYS_PER_LOOKUP: usize = 500;

/// What is kept of a person, to be read by machines. Amounts are in minor units of the currency beside them, times RFC 3339.
///
/// Errors: nobody knows this person; a stored document that cannot be read.
pub async fn export(app: &App, tx: &TenantTx, subject: &Subject) -> AppResult<Value> {
    let row = tx.find_by_id::<person::Entity>(subject.person_id).await?;
    let row = row.ok_or_else(|| AppError::not_found("person"))?;
    let connection = tx.find_by_id::<connection::Entity>(subject.connection_id).await?;
    let connection = connection.ok_or_else(|| AppError::not_found("connection"))?;
    let identity = match identity(app, tx, subject).await? {
        Identity::Known { channel_customer_id } => json!({ "channel_customer_id": channel_customer_id }),
        Identity::Erased { .. } => Value::Null,
    };
    let heads = documents_of(tx, subject).await?;
    let mut documents = Vec::with_capacity(heads.len());
    for head in &heads {
        documents.push(document(tx, head).await?);
    }
    let orders: Vec<&document::Model> =
        heads.iter().filter(|head| head.entity == entity_name(Entity::Order)).collect();
    let mut payments = Vec::new();
    for order in &orders {
        let found = payments_of_order(tx, order).await?;
        payments.extend(found.linked.into_iter().map(|(payment, by)| {
            json!({
                "connection_id": payment.connection, "key": payment.key, "order_key": order.key,
                "linked_by": by.as_str(), "entries": payment.entries,
            })
        }));
    }
    Ok(json!({
        "format": FORMAT,
        "version": VERSION,
        "person_id": row.id,
        "pseudonym": row.pseudonym,
        "connection": { "id": connection.id, "label": connection.label, "plugin_id": connection.plugin_id },
        "identity": identity,
        "first_seen_at": Instant(row.first_seen_at).to_rfc3339(),
        "last_seen_at": Instant(row.last_seen_at).to_rfc3339(),
        "erased_at": row.erased_at.map(|at| Instant(at).to_rfc3339()),
        "documents": documents,
        "sale_events": sale_events(tx, subject, &heads).await?,
        "payments": payments,
    }))
}

/// The heads of the person's documents, and of what belongs to their orders: refunds and payments that name no customer.
async fn documents_of(tx: &TenantTx, subject: &Subject) -> AppResult<Vec<document::Model>> {
    use document::Column;
    let own = Condition::any().add(Column::CustomerKey.eq(subject.pseudonym.as_str())).add(
        Condition::all()
            .add(Column::Entity.eq(entity_name(Entity::Customer)))
            .add(Column::Key.eq(subject.pseudonym.as_str())),
    );
    let of_connection =
        |tx: &TenantTx| tx.find::<document::Entity>().filter(Column::ConnectionId.eq(subject.connection_id));
    let mut found =
        of_connection(tx).filter(own).order_by_asc(Column::Entity).order_by_asc(Column::Key).all(tx).await?;
    let known: BTreeSet<_> = found.iter().map(|head| head.id).collect();
    let orders: Vec<String> = found
        .iter()
        .filter(|head| head.entity == entity_name(Entity::Order))
        .map(|head| head.key.clone())
        .collect();
    for orders in orders.chunks(KEYS_PER_LOOKUP) {
        let belonging = of_connection(tx)
            .filter(Column::ParentKey.is_in(orders))
            .order_by_asc(Column::Entity)
            .order_by_asc(Column::Key)
            .all(tx)
            .await?;
        found.extend(belonging.into_iter().filter(|head| !known.contains(&head.id)));
    }
    Ok(found)
}

/// A document with all of its versions, the newest first.
async fn document(tx: &TenantTx, head: &document::Model) -> AppResult<Value> {
    use document_version::Column;
    let rows = tx
        .find::<document_version::Entity>()
        .filter(Column::ConnectionId.eq(head.connection_id))
        .filter(Column::Entity.eq(head.entity.as_str()))
        .filter(Column::Key.eq(head.key.as_str()))
        .order_by_desc(Column::UpdatedAt)
        .order_by_desc(Column::ReceivedAt)
        .order_by_desc(Column::Hash)
        .all(tx)
        .await?;
    let mut versions = Vec::with_capacity(rows.len());
    for row in rows {
        let body: Value = serde_json::from_str(&row.body).map_err(AppError::internal)?;
        versions.push(json!({
            "updated_at": Instant(row.updated_at).to_rfc3339(),
            "received_at": Instant(row.received_at).to_rfc3339(),
            "current": row.id == head.version_id,
            "document": body,
        }));
    }
    Ok(json!({ "entity": head.entity, "key": head.key, "number": head.number, "versions": versions }))
}

/// What the ledger says under the keys of the person's documents, in the order of posting; what was taken back, too.
async fn sale_events(tx: &TenantTx, subject: &Subject, heads: &[document::Model]) -> AppResult<Vec<Value>> {
    let under = [Entity::Order, Entity::Refund].map(entity_name);
    let keys: BTreeSet<&str> = heads
        .iter()
        .filter(|head| under.contains(&head.entity.as_str()))
        .map(|head| head.key.as_str())
        .collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    let of_connection = [(sale_event::Column::ConnectionId, Bound::from(subject.connection_id))];
    let mut rows = Vec::new();
    for keys in keys.chunks(KEYS_PER_LOOKUP) {
        let column = sale_event::Column::OrderKey;
        rows.extend(tx.find_by_keys::<sale_event::Entity>(&of_connection, column, keys).await?);
    }
    rows.sort_by_key(|row| (row.posting_version, row.id));
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let recorded_at = Instant(row.recorded_at).to_rfc3339();
        let posted = row.into_posted().map_err(AppError::internal)?;
        events.push(json!({
            "id": posted.id.0, "reverses": posted.reverses.map(|id| id.0), "recorded_at": recorded_at,
            "event": posted.event,
        }));
    }
    Ok(events)
}
