//! Documents become versions, versions become ledger events: one transaction per chunk.
//!
//! Every version of a document is kept. All versions of an order and of its refunds determine
//! which events should stand; what should stand minus what does stand is posted under the
//! tenant's ledger lock. Replaying a chunk therefore adds nothing.

use std::collections::BTreeMap;

use portolan_commerce::document::{Document, Entity, Order, Refund, Skipped};
use portolan_commerce::ledger::{
    OrderFacts, PostedEvent, Posting, Version, difference, ledger_keys, standing_events_under,
};
use portolan_core::calendar::StoreCalendar;
use portolan_core::{ChunkId, Clock, ConnectionId, EventId, Instant, Random};
use portolan_db::entity::{document, document_version, sale_event};
use portolan_db::{DbError, StoredEventError, TenantTx};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query as SqlQuery};
use sea_orm::{ActiveModelTrait, ColumnTrait, DbErr, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::head::{DocumentHead, source_index, without_provenance};
use super::rows;

/// Where documents come from and what their days mean.
pub struct PostContext<'a> {
    pub connection: ConnectionId,
    pub chunk: ChunkId,
    pub received_at: Instant,
    pub calendar: &'a StoreCalendar,
    pub clock: &'a dyn Clock,
    pub random: &'a dyn Random,
}

/// What posting a chunk's documents did.
#[derive(Debug, Default)]
pub struct Posted {
    pub documents: u64,
    pub events: u64,
    /// Documents that cannot stand in the ledger, with the reason.
    pub quarantined: Vec<Skipped>,
}

/// Why a chunk's documents could not be posted. Nothing of them has been kept.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Database(#[from] DbError),
    /// A stored row says something that nobody could have posted.
    #[error("the ledger is damaged: {0}")]
    Corrupt(String),
}

impl From<DbErr> for PostError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl From<StoredEventError> for PostError {
    fn from(error: StoredEventError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Keys per statement: well below the bind limits of both databases.
const KEYS_PER_STATEMENT: usize = 500;

/// Stores the versions of the documents and posts what they change in the ledger.
pub async fn post_documents(
    tx: &TenantTx,
    context: &PostContext<'_>,
    documents: Vec<Document>,
) -> Result<Posted, PostError> {
    let mut posted = Posted { documents: documents.len() as u64, ..Posted::default() };
    let mut touched = TouchedOrders::default();
    documents.iter().for_each(|document| touched.add(document));
    store_versions(tx, context, documents, &mut posted).await?;
    touched.add_former_orders(tx, context).await?;

    let order_keys: Vec<String> = touched.source_of_order.keys().cloned().collect();
    let mut postings: Vec<Posting> = Vec::new();
    for keys in order_keys.chunks(KEYS_PER_STATEMENT) {
        let mut history = load_history(tx, context, keys).await?;
        for key in keys {
            let history = history.remove(key).unwrap_or_default();
            let facts = OrderFacts { orders: &history.orders, refunds: &history.refunds };
            match standing_events_under(key, &facts, context.calendar) {
                Ok(should_stand) => {
                    postings.extend(difference(should_stand, &history.posted));
                }
                Err(error) => posted.quarantined.push(Skipped {
                    src: touched.source_of_order[key],
                    path: None,
                    reason: format!("{key}: {error}"),
                }),
            }
        }
    }
    append_events(tx, context, postings, &mut posted).await?;
    Ok(posted)
}

/// The ledger keys that a chunk's documents move, each with the raw record to blame.
#[derive(Default)]
struct TouchedOrders {
    source_of_order: BTreeMap<String, u32>,
    source_of_refund: BTreeMap<String, u32>,
}

impl TouchedOrders {
    fn add(&mut self, document: &Document) {
        let src = source_index(document);
        match document {
            Document::Order(order) => {
                self.source_of_order.insert(order.key.clone(), src);
            }
            // A return without an order has a ledger of its own.
            Document::Refund(refund) => {
                let key = refund.order.as_ref().unwrap_or(&refund.key);
                self.source_of_order.insert(key.clone(), src);
                self.source_of_refund.insert(refund.key.clone(), src);
            }
            _ => {}
        }
    }

    /// A refund may have named another order before: what stands there has to be taken back.
    async fn add_former_orders(&mut self, tx: &TenantTx, context: &PostContext<'_>) -> Result<(), PostError> {
        let refund_keys: Vec<&String> = self.source_of_refund.keys().collect();
        let mut former = Vec::new();
        for keys in refund_keys.chunks(KEYS_PER_STATEMENT) {
            let versions = tx
                .find::<document_version::Entity>()
                .filter(document_version::Column::ConnectionId.eq(context.connection.0))
                .filter(document_version::Column::Entity.eq(rows::entity_name(Entity::Refund)))
                .filter(document_version::Column::Key.is_in(keys.iter().copied()));
            for row in versions.all(tx).await? {
                let version = rows::read_version::<Refund>(&row)?;
                former.push((self.source_of_refund[&row.key], ledger_keys([&version])));
            }
        }
        for (src, keys) in former {
            for key in keys {
                self.source_of_order.entry(key).or_insert(src);
            }
        }
        Ok(())
    }
}

/// Keeps every version, and moves the head of each document to its newest one.
async fn store_versions(
    tx: &TenantTx,
    context: &PostContext<'_>,
    documents: Vec<Document>,
    posted: &mut Posted,
) -> Result<(), PostError> {
    let mut versions = Vec::with_capacity(documents.len());
    let mut heads: BTreeMap<(String, String), (document::Model, document_version::Model)> = BTreeMap::new();
    for document in documents {
        let head = DocumentHead::of(&document);
        let src = source_index(&document);
        let body = match serde_json::to_string(&without_provenance(document)) {
            Ok(body) => body,
            Err(error) => {
                posted.quarantined.push(Skipped { src, path: None, reason: error.to_string() });
                continue;
            }
        };
        let version = rows::version_row(tx.tenant().0, context, &head, src, body);
        let row = rows::head_row(context, &head, &version);
        let key = (version.entity.clone(), version.key.clone());
        let newer = heads
            .get(&key)
            .is_none_or(|(_, known)| rows::version_order(known) <= rows::version_order(&version));
        if newer {
            heads.insert(key, (row, version.clone()));
        }
        versions.push(version);
    }
    let ids = versions.iter().map(|version| version.id).collect();
    let versions = versions.into_iter().map(rows::into_active_version).collect();
    let changed_versions = keep_versions(tx, context.received_at, versions, ids).await?;
    let heads = heads.into_values().map(|(row, _)| rows::into_active_head(row)).collect();
    tx.upsert_many(heads, &newest_head_wins()).await?;
    if changed_versions > 0 {
        // Titles and names are joined when a question is asked: answers may have changed.
        tx.bump_data_version().await?;
    }
    Ok(())
}

/// Inserts the versions that are new. One that is met again keeps its newest receipt: versions are
/// ordered by it, and the order must not depend on which of two equal ones came first.
async fn keep_versions(
    tx: &TenantTx,
    received_at: Instant,
    versions: Vec<document_version::ActiveModel>,
    ids: Vec<Uuid>,
) -> Result<u64, PostError> {
    let mut changed = tx.insert_many_on_conflict_do_nothing(versions).await?;
    if changed == ids.len() as u64 {
        return Ok(changed);
    }
    for ids in ids.chunks(KEYS_PER_STATEMENT) {
        let updated = tx
            .update_many::<document_version::Entity>()
            .col_expr(document_version::Column::ReceivedAt, Expr::value(received_at.0))
            .filter(document_version::Column::Id.is_in(ids.iter().copied()))
            .filter(document_version::Column::ReceivedAt.lt(received_at.0))
            .exec(tx)
            .await?;
        changed += updated.rows_affected;
    }
    Ok(changed)
}

/// A head moves forward only: arrival order does not matter.
fn newest_head_wins() -> OnConflict {
    use document::Column;
    let incoming = |column: Column| Expr::col(("excluded", column));
    let stored = |column: Column| Expr::col((document::Entity, column));
    let newer_update = incoming(Column::UpdatedAt).gt(stored(Column::UpdatedAt));
    let same_update = incoming(Column::UpdatedAt).eq(stored(Column::UpdatedAt));
    let newer_receipt = incoming(Column::ReceivedAt).gt(stored(Column::ReceivedAt));
    let same_receipt = incoming(Column::ReceivedAt).eq(stored(Column::ReceivedAt));
    let later_hash = incoming(Column::Hash).gte(stored(Column::Hash));
    let is_newer = newer_update.or(same_update.and(newer_receipt.or(same_receipt.and(later_hash))));
    OnConflict::columns([Column::TenantId, Column::ConnectionId, Column::Entity, Column::Key])
        .update_columns([
            Column::VersionId,
            Column::UpdatedAt,
            Column::ReceivedAt,
            Column::Hash,
            Column::Deleted,
            Column::Test,
            Column::ParentKey,
            Column::Title,
            Column::Number,
            Column::State,
            Column::PaymentState,
            Column::OccurredAt,
            Column::Currency,
            Column::AmountMinor,
            Column::CustomerKey,
            Column::Country,
        ])
        .action_and_where(is_newer)
        .to_owned()
}

/// Everything known of one order: its versions, its refunds' versions, its posted events.
#[derive(Default)]
struct History {
    orders: Vec<Version<Order>>,
    refunds: Vec<Version<Refund>>,
    posted: Vec<PostedEvent>,
}

async fn load_history(
    tx: &TenantTx,
    context: &PostContext<'_>,
    order_keys: &[String],
) -> Result<BTreeMap<String, History>, PostError> {
    let mut history: BTreeMap<String, History> = BTreeMap::new();
    let connection = context.connection.0;
    let order_versions = tx
        .find::<document_version::Entity>()
        .filter(document_version::Column::ConnectionId.eq(connection))
        .filter(document_version::Column::Entity.eq(rows::entity_name(Entity::Order)))
        .filter(document_version::Column::Key.is_in(order_keys.iter().cloned()));
    for row in order_versions.all(tx).await? {
        let version = rows::read_version::<Order>(&row)?;
        history.entry(row.key).or_default().orders.push(version);
    }
    let refund_keys = SqlQuery::select()
        .column(document::Column::Key)
        .from(document::Entity)
        .and_where(document::Column::TenantId.eq(tx.tenant().0))
        .and_where(document::Column::ConnectionId.eq(connection))
        .and_where(document::Column::Entity.eq(rows::entity_name(Entity::Refund)))
        .and_where(
            document::Column::ParentKey.is_in(order_keys.iter().cloned()).or(document::Column::ParentKey
                .is_null()
                .and(document::Column::Key.is_in(order_keys.iter().cloned()))),
        )
        .to_owned();
    let refund_versions = tx
        .find::<document_version::Entity>()
        .filter(document_version::Column::ConnectionId.eq(connection))
        .filter(document_version::Column::Entity.eq(rows::entity_name(Entity::Refund)))
        .filter(document_version::Column::Key.in_subquery(refund_keys));
    let mut versions_of_refund: BTreeMap<String, Vec<Version<Refund>>> = BTreeMap::new();
    for row in refund_versions.all(tx).await? {
        let version = rows::read_version::<Refund>(&row)?;
        versions_of_refund.entry(row.key).or_default().push(version);
    }
    for versions in versions_of_refund.into_values() {
        // A refund that moved stands under its newest order alone: whoever decides needs all versions.
        for order_key in ledger_keys(&versions) {
            history.entry(order_key).or_default().refunds.extend(versions.iter().cloned());
        }
    }
    let events = tx
        .find::<sale_event::Entity>()
        .filter(sale_event::Column::ConnectionId.eq(connection))
        .filter(sale_event::Column::OrderKey.is_in(order_keys.iter().cloned()));
    for row in events.all(tx).await? {
        let order_key = row.order_key.clone();
        history.entry(order_key).or_default().posted.push(row.into_posted()?);
    }
    Ok(history)
}

/// Appends under the ledger lock: nothing can commit behind a fold.
async fn append_events(
    tx: &TenantTx,
    context: &PostContext<'_>,
    postings: Vec<Posting>,
    posted: &mut Posted,
) -> Result<(), PostError> {
    if postings.is_empty() {
        return Ok(());
    }
    let place = portolan_db::Posting {
        tenant: tx.tenant(),
        connection: context.connection,
        posting_version: tx.lock_ledger().await?,
        recorded_at: context.clock.now(),
    };
    let mut events = Vec::with_capacity(postings.len());
    for posting in postings {
        let (event, reverses) = match posting {
            Posting::Event(event) => (event, None),
            Posting::Reversal { of, event } => (event, Some(of)),
        };
        let id = EventId::generate(context.clock, context.random);
        let row = sale_event::Model::new(place, PostedEvent { id, reverses, event });
        events.push(row.into_active_model().reset_all());
    }
    posted.events = events.len() as u64;
    tx.insert_many(events).await?;
    Ok(())
}
