//! Documents become versions, versions become ledger events: batch by batch of a chunk, each within one transaction.
//!
//! Every version of a document is kept. All versions of an order and of its refunds determine
//! which events should stand in the sales ledger, all versions of a payment's entries which should stand in the
//! cash ledger; what should stand minus what does stand is posted under the tenant's ledger lock, in both
//! ledgers as one posting. Posting a batch again therefore adds nothing, also where a crash has left
//! a chunk with only some of its batches posted. A version that no chunk says any more, because its chunk was
//! read anew, counts for nothing ([`super::sources`]).

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;

use portolan_commerce::cash::CashEvent;
use portolan_commerce::document::Skipped;
use portolan_commerce::ledger::{OrderFacts, Posting, difference, standing_events_under};
use portolan_core::id::uuids_in_order;
use portolan_core::{ChunkId, Clock, ConnectionId, EventId, Instant, Random, StoreCalendar};
use portolan_db::entity::{cash_event, document, document_version, posting, sale_event};
use portolan_db::{DbError, StoredEventError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveModelTrait, DbErr, IntoActiveModel};
use uuid::Uuid;

use super::batch::Batch;
use super::history::{History, load_history};
use super::labels::KnownLabels;
use super::{rows, sources};

/// Where documents come from and what their days mean.
pub struct PostContext<'a> {
    pub connection: ConnectionId,
    pub chunk: ChunkId,
    /// The build of the plugin that read the chunk, see [`rows::build_of`].
    pub plugin_build: Uuid,
    pub received_at: Instant,
    pub calendar: &'a StoreCalendar,
    /// Of the connection, as far as this run has stored them.
    pub known_labels: &'a Arc<KnownLabels>,
    pub clock: &'a dyn Clock,
    pub random: &'a dyn Random,
}

/// What posting a batch did.
#[derive(Debug, Default)]
pub struct Posted {
    pub events: u64,
    /// Versions that no chunk says any more.
    pub superseded: u64,
    /// Documents that cannot stand in the ledger, with the reason.
    pub quarantined: Vec<Skipped>,
}

impl AddAssign for Posted {
    fn add_assign(&mut self, mut more: Self) {
        self.events += more.events;
        self.superseded += more.superseded;
        self.quarantined.append(&mut more.quarantined);
    }
}

/// Why a batch could not be posted. Nothing of it has been kept.
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
pub(super) const KEYS_PER_STATEMENT: usize = 500;

/// Stores the versions of the batch and posts what they change in the ledger.
pub async fn post_batch(
    tx: &TenantTx,
    context: &PostContext<'_>,
    mut batch: Batch,
) -> Result<Posted, PostError> {
    // Held from here on: what is read now is still true when the difference to it is posted.
    tx.hold_ledger().await?;
    let stale = std::mem::take(&mut batch.stale);
    let superseded = sources::let_go(tx, context.chunk.0, &stale).await?;
    stale.iter().for_each(|stale| batch.touch(&stale.document, stale.src));
    let history = load_history(tx, context, &mut batch).await?;
    let cash_history = batch.cash.load_history(tx, context).await?;
    let (versions, heads) = (std::mem::take(&mut batch.versions), std::mem::take(&mut batch.heads));
    let labels = std::mem::take(&mut batch.labels);
    let mut posted = Posted { superseded, ..Posted::default() };
    let store = async {
        let changed_versions = store_versions(tx, context, versions, heads).await?;
        labels.store(tx, context.connection, context.known_labels).await?;
        sources::renew_heads(tx, context, &stale).await?;
        Ok::<_, PostError>(changed_versions)
    };
    // Worked out while the database writes.
    let compare = async {
        let sales = differences(context, &batch, history, &mut posted.quarantined);
        let cash = batch.cash.differences(context, cash_history, &mut posted.quarantined);
        (sales, cash)
    };
    let (changed_versions, (sales, cash)) = tokio::join!(store, compare);
    let changed_versions = changed_versions?;
    posted.events = (sales.len() + cash.len()) as u64;
    if posted.events > 0 {
        append_events(tx, context, sales, cash).await?;
    } else if changed_versions > 0 || !stale.is_empty() {
        // Titles and names are joined when a question is asked: answers may have changed.
        tx.bump_data_version().await?;
    }
    Ok(posted)
}

/// What every ledger key of the batch lacks, or has and should not.
fn differences(
    context: &PostContext<'_>,
    batch: &Batch,
    mut history: BTreeMap<String, History>,
    quarantined: &mut Vec<Skipped>,
) -> Vec<Posting> {
    let mut postings = Vec::new();
    for (key, src) in &batch.source_of_order {
        let history = history.remove(key).unwrap_or_default();
        let facts = OrderFacts { orders: &history.orders, refunds: &history.refunds };
        match standing_events_under(key, &facts, context.calendar) {
            Ok(should_stand) => postings.extend(difference(should_stand, &history.posted)),
            Err(error) => {
                quarantined.push(Skipped { src: *src, path: None, reason: format!("{key}: {error}") });
            }
        }
    }
    postings
}

/// Keeps every version, and moves the head of each document to its newest one. Gives the number of
/// versions that are new or newly received.
///
/// A version that is met again keeps its newest receipt: versions are ordered by it, and the order must
/// not depend on which of two equal ones came first.
async fn store_versions(
    tx: &TenantTx,
    context: &PostContext<'_>,
    versions: Vec<document_version::Model>,
    heads: Vec<document::Model>,
) -> Result<u64, PostError> {
    let ids: Vec<_> = versions.iter().map(|version| version.id).collect();
    let versions = versions.into_iter().map(rows::into_active_version);
    let mut changed = tx.insert_many_on_conflict_do_nothing(versions).await?;
    if changed < ids.len() as u64 {
        changed += sources::say_again(tx, context, &ids).await?;
    }
    tx.upsert_many(heads.into_iter().map(rows::into_active_head), &newest_head_wins()).await?;
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
    replace_head().action_and_where(is_newer).to_owned()
}

/// A head that exists keeps its id alone.
pub(super) fn replace_head() -> OnConflict {
    use document::Column;
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
        .to_owned()
}

/// Appends under the ledger lock: nothing can commit behind a fold.
async fn append_events(
    tx: &TenantTx,
    context: &PostContext<'_>,
    sales: Vec<Posting>,
    cash: Vec<Posting<CashEvent>>,
) -> Result<(), PostError> {
    let place = portolan_db::Posting {
        tenant: tx.tenant(),
        connection: context.connection,
        posting_version: tx.lock_ledger().await?,
        recorded_at: context.clock.now(),
    };
    tx.insert_many(vec![posting::ActiveModel {
        tenant_id: Set(place.tenant.0),
        posting_version: Set(place.posting_version),
        connection_id: Set(place.connection.0),
        chunk_id: Set(context.chunk.0),
        plugin_build: Set(context.plugin_build),
        recorded_at: Set(place.recorded_at.0),
    }])
    .await?;
    // In order: each row is appended behind the last, not somewhere among them.
    let mut id = uuids_in_order(context.clock, context.random);
    let sales = sales.into_iter().map(|posting| {
        sale_event::Model::new(place, posting.posted(EventId(id()))).into_active_model().reset_all()
    });
    tx.insert_many(sales).await?;
    let cash = cash.into_iter().map(|posting| {
        cash_event::Model::new(place, posting.posted(EventId(id()))).into_active_model().reset_all()
    });
    tx.insert_many(cash).await?;
    Ok(())
}
