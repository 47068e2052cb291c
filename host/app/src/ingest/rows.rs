//! Between documents and events of the domain and the rows that keep them.

use portolan_commerce::document::{Document, Entity, Moment};
use portolan_commerce::ledger::Version;
use portolan_core::calendar::StoreCalendar;
use portolan_core::{Instant, hex, id::new_uuid};
use portolan_db::entity::{document, document_version};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::head::DocumentHead;
use super::post::{PostContext, PostError};

/// The stored name of an entity.
pub fn entity_name(entity: Entity) -> &'static str {
    match entity {
        Entity::Order => "order",
        Entity::Refund => "refund",
        Entity::Transaction => "transaction",
        Entity::BalanceEntry => "balance_entry",
        Entity::Payout => "payout",
        Entity::Dispute => "dispute",
        Entity::Checkout => "checkout",
        Entity::Product => "product",
        Entity::InventoryLevel => "inventory_level",
        Entity::Store => "store",
        Entity::Location => "location",
        Entity::StaffMember => "staff_member",
        Entity::Fulfilment => "fulfilment",
        Entity::Customer => "customer",
        Entity::Metric => "metric",
    }
}

fn resolve(calendar: &StoreCalendar, moment: Moment) -> Instant {
    match moment {
        Moment::At(instant) => instant,
        Moment::Local(local_us) => calendar.resolve_local(local_us),
    }
}

/// A build of a plugin as versions and postings name it: the first half of its hash, in a quarter of the room.
pub fn build_of(sha256: &str) -> Uuid {
    sha256.get(..32).and_then(|half| Uuid::parse_str(half).ok()).unwrap_or_default()
}

/// A version as it is kept; `updated_at` falls back to the time of receipt. `hash` is the body's.
pub fn version_row(
    tenant: Uuid,
    context: &PostContext<'_>,
    head: &DocumentHead,
    src: u32,
    hash: &[u8; 32],
    body: String,
) -> document_version::Model {
    let updated_at = head.updated_at.map_or(context.received_at, |moment| resolve(context.calendar, moment));
    let hash = hex(hash);
    let entity = entity_name(head.entity);
    document_version::Model {
        tenant_id: tenant,
        id: version_id(context, entity, &head.key, &hash),
        connection_id: context.connection.0,
        entity: entity.to_owned(),
        key: head.key.clone(),
        hash,
        updated_at: updated_at.0,
        received_at: context.received_at.0,
        chunk_id: context.chunk.0,
        src: i64::from(src),
        body,
        source_chunk_id: Some(context.chunk.0),
        plugin_build: Some(context.plugin_build),
    }
}

/// The same content of the same document is the same version, whoever meets it and how often: so a
/// head never names a version that was passed over because it was there already.
fn version_id(context: &PostContext<'_>, entity: &str, key: &str, hash: &str) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(context.connection.0.as_bytes());
    for part in [entity, key, hash] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What orders the stored versions of a document.
pub fn version_order(version: &document_version::Model) -> (i64, i64, &str) {
    (version.updated_at, version.received_at, &version.hash)
}

/// What orders the versions of a document, and with them its heads.
pub fn head_order(head: &document::Model) -> (i64, i64, &str) {
    (head.updated_at, head.received_at, &head.hash)
}

/// The head that a version makes, should it be the newest.
pub fn head_row(
    context: &PostContext<'_>,
    head: DocumentHead,
    version: &document_version::Model,
) -> document::Model {
    document::Model {
        tenant_id: version.tenant_id,
        id: new_uuid(context.clock, context.random),
        connection_id: version.connection_id,
        entity: version.entity.clone(),
        key: version.key.clone(),
        version_id: version.id,
        updated_at: version.updated_at,
        received_at: version.received_at,
        hash: version.hash.clone(),
        deleted: head.deleted,
        test: head.test,
        parent_key: head.parent_key,
        title: head.title,
        number: head.number,
        state: head.state,
        payment_state: head.payment_state,
        occurred_at: head.occurred_at.map(|moment| resolve(context.calendar, moment).0),
        currency: head.currency.map(|currency| currency.to_string()),
        amount_minor: head.amount_minor,
        customer_key: head.customer_key,
        country: head.country,
    }
}

pub fn into_active_version(model: document_version::Model) -> document_version::ActiveModel {
    model.into_active_model().reset_all()
}

/// The document of a stored version.
///
/// Errors: a body that is no document: the table was changed from outside.
pub fn read_document(row: &document_version::Model) -> Result<Document, PostError> {
    serde_json::from_str(&row.body).map_err(|error| {
        PostError::Corrupt(format!("version {} of {} {}: {error}", row.id, row.entity, row.key))
    })
}

pub fn into_active_head(model: document::Model) -> document::ActiveModel {
    model.into_active_model().reset_all()
}

/// Reads a version back. A body is an entity's fields beside the name of the entity, so the entity
/// itself can be read from it, which is quicker than reading a document of any kind.
///
/// Errors: a body that is no such document: the table was changed from outside.
pub fn read_version<T: DeserializeOwned>(row: &document_version::Model) -> Result<Version<T>, PostError> {
    let corrupt = |detail: String| {
        PostError::Corrupt(format!("version {} of {} {}: {detail}", row.id, row.entity, row.key))
    };
    let document: T = serde_json::from_str(&row.body).map_err(|error| corrupt(error.to_string()))?;
    let hash = parse_hash(&row.hash).ok_or_else(|| corrupt("has no readable hash".to_owned()))?;
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
