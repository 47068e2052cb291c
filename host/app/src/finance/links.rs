//! Which order a payment paid for, and which payments an order has: looked up by clues, decided by
//! [`portolan_commerce::cash::match_payment`], and never guessed.

mod known;

use std::collections::{BTreeMap, BTreeSet};

use portolan_analytics::Visibility;
use portolan_commerce::cash::{CashEvent, spellings};
use portolan_commerce::document::Entity;
use portolan_db::TenantTx;
use portolan_db::entity::{cash_event, document};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use self::known::{Clues, KnownOrders};
use super::queries::standing_of;
use crate::channels::seen::seen_among;
use crate::ingest::entity_name;
use crate::web::error::AppResult;

/// Keys of one lookup: both databases limit the number of bound values.
const KEYS_PER_LOOKUP: usize = 500;
/// That share one kind of clue with an order. With more its number says nothing, and its page has no end.
const MOST_PAYMENTS: usize = 100;

/// A payment: connection and key under which its entries are posted.
pub type PaymentId = (Uuid, String);

/// By what a payment and its order were brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkedBy {
    /// The provider is the channel, and names the order.
    Order,
    ProviderId,
    Reference,
}

impl LinkedBy {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::ProviderId => "provider_id",
            Self::Reference => "reference",
        }
    }
}

/// The order of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderOfPayment {
    Linked {
        order: Box<document::Model>,
        by: LinkedBy,
    },
    /// Several orders fit: it is linked to none.
    Ambiguous {
        orders: Vec<document::Model>,
    },
    Unknown,
}

impl OrderOfPayment {
    fn ids(&self) -> Vec<Uuid> {
        match self {
            Self::Linked { order, .. } => vec![order.id],
            Self::Ambiguous { orders } => orders.iter().map(|order| order.id).collect(),
            Self::Unknown => Vec::new(),
        }
    }

    /// Without the orders that are not among these.
    fn among(self, known: &BTreeSet<Uuid>) -> Self {
        match self {
            Self::Linked { order, .. } if !known.contains(&order.id) => Self::Unknown,
            Self::Ambiguous { mut orders } => {
                orders.retain(|order| known.contains(&order.id));
                if orders.is_empty() { Self::Unknown } else { Self::Ambiguous { orders } }
            }
            other => other,
        }
    }
}

/// A payment with what its provider did to the balance for it, oldest first.
#[derive(Debug, Clone)]
pub struct PaymentRecord {
    pub connection: Uuid,
    pub key: String,
    pub entries: Vec<CashEvent>,
}

/// An order's payments: those that are its, and those that could be another's as well.
#[derive(Debug, Default)]
pub struct PaymentsOfOrder {
    pub linked: Vec<(PaymentRecord, LinkedBy)>,
    /// With the other orders that fit.
    pub ambiguous: Vec<(PaymentRecord, Vec<document::Model>)>,
    /// More payments share a clue with it than are looked at.
    pub more_exist: bool,
}

/// The payments of an order, by the moment of their first entry.
pub async fn payments_of_order(tx: &TenantTx, order: &document::Model) -> AppResult<PaymentsOfOrder> {
    let (candidates, more_exist) = candidates_of(tx, order).await?;
    let mut records = payments(tx, &candidates).await?;
    records
        .sort_by_key(|record| record.entries.first().map(|entry| (entry.event_at, entry.entry_key.clone())));
    let orders = orders_of_payments(tx, &records).await?;
    let mut found = PaymentsOfOrder { more_exist, ..PaymentsOfOrder::default() };
    for (record, link) in records.into_iter().zip(orders) {
        match link {
            OrderOfPayment::Linked { order: linked, by } if linked.id == order.id => {
                found.linked.push((record, by));
            }
            OrderOfPayment::Ambiguous { orders } if orders.iter().any(|fits| fits.id == order.id) => {
                let others = orders.into_iter().filter(|fits| fits.id != order.id).collect();
                found.ambiguous.push((record, others));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The payments that share a clue with the order, and whether there are more of them.
async fn candidates_of(tx: &TenantTx, order: &document::Model) -> AppResult<(BTreeSet<PaymentId>, bool)> {
    use cash_event::Column::{ConnectionId, OrderKey, PaymentKey, Reference, SourceKey};
    let mut conditions =
        vec![Condition::all().add(OrderKey.eq(order.key.as_str())).add(ConnectionId.eq(order.connection_id))];
    let numbers = order.number.as_deref().map(spellings).unwrap_or_default();
    if !numbers.is_empty() {
        conditions.push(Condition::all().add(Reference.is_in(numbers)));
    }
    let ids = provider_ids_of(tx, order).await?;
    if !ids.is_empty() {
        let connections = crate::connections::queries::list_connections(tx).await?;
        let connections = connections.into_iter().map(|connection| connection.id);
        conditions.push(
            Condition::all().add(ConnectionId.is_in(connections)).add(PaymentKey.is_in(ids.iter().cloned())),
        );
        conditions.push(Condition::all().add(SourceKey.is_in(ids)));
    }
    let (mut found, mut more_exist) = (BTreeSet::new(), false);
    for condition in conditions {
        let rows: Vec<PaymentId> = tx
            .find::<cash_event::Entity>()
            .select_only()
            .columns([ConnectionId, PaymentKey])
            .filter(condition)
            .distinct()
            .order_by_asc(ConnectionId)
            .order_by_asc(PaymentKey)
            .limit(MOST_PAYMENTS as u64 + 1)
            .into_tuple()
            .all(tx)
            .await?;
        more_exist |= rows.len() > MOST_PAYMENTS;
        found.extend(rows.into_iter().take(MOST_PAYMENTS));
    }
    Ok((found, more_exist))
}

/// Ids that the channel noted on the order's transactions, and those of the payments that a provider made for them.
async fn provider_ids_of(tx: &TenantTx, order: &document::Model) -> AppResult<BTreeSet<String>> {
    let noted = transactions(tx)
        .filter(document::Column::ConnectionId.eq(order.connection_id))
        .filter(document::Column::ParentKey.eq(order.key.as_str()))
        .all(tx)
        .await?;
    let mut ids: BTreeSet<String> = noted.into_iter().filter_map(|transaction| transaction.number).collect();
    if ids.is_empty() {
        return Ok(ids);
    }
    let attempts =
        transactions(tx).filter(document::Column::Number.is_in(ids.iter().cloned())).all(tx).await?;
    let made = attempts.into_iter().filter(|attempt| attempt.connection_id != order.connection_id);
    ids.extend(made.map(|attempt| attempt.key));
    Ok(ids)
}

fn transactions(tx: &TenantTx) -> sea_orm::Select<document::Entity> {
    tx.find::<document::Entity>().filter(document::Column::Entity.eq(entity_name(Entity::Transaction)))
}

/// What stands of these payments; those of which nothing stands are left out.
pub async fn payments(tx: &TenantTx, ids: &BTreeSet<PaymentId>) -> AppResult<Vec<PaymentRecord>> {
    let mut rows_of: BTreeMap<PaymentId, Vec<cash_event::Model>> = BTreeMap::new();
    for (connection, keys) in by_connection(ids) {
        for keys in keys.chunks(KEYS_PER_LOOKUP) {
            let rows = tx
                .find::<cash_event::Entity>()
                .filter(cash_event::Column::ConnectionId.eq(connection))
                .filter(cash_event::Column::PaymentKey.is_in(keys.iter().copied()))
                .all(tx)
                .await?;
            for row in rows {
                rows_of.entry((connection, row.payment_key.clone())).or_default().push(row);
            }
        }
    }
    let mut records = Vec::with_capacity(rows_of.len());
    for ((connection, key), rows) in rows_of {
        let mut entries = standing_of(rows)?;
        entries
            .sort_by(|left, right| (left.event_at, &left.entry_key).cmp(&(right.event_at, &right.entry_key)));
        if !entries.is_empty() {
            records.push(PaymentRecord { connection, key, entries });
        }
    }
    Ok(records)
}

/// The order of each payment, in their order.
pub async fn orders_of_payments(tx: &TenantTx, records: &[PaymentRecord]) -> AppResult<Vec<OrderOfPayment>> {
    let attempts = attempts_of(tx, records).await?;
    let clues: Vec<Clues> = records.iter().map(|record| Clues::of(record, &attempts)).collect();
    let known = KnownOrders::load(tx, &clues).await?;
    Ok(clues.iter().map(|clues| known.order_of(clues)).collect())
}

/// The orders that some entries of a connection are about, by the key of their payment; those that whoever asks does not
/// see are not known.
pub async fn orders_of_entries(
    tx: &TenantTx,
    seen: &Visibility,
    connection: Uuid,
    entries: &[CashEvent],
) -> AppResult<BTreeMap<String, OrderOfPayment>> {
    let ids = entries.iter().map(|entry| (connection, entry.ledger_key().to_owned())).collect();
    // The clue may stand on an entry that is in no payout, or in another one.
    let records = payments(tx, &ids).await?;
    let orders = orders_of_payments(tx, &records).await?;
    let known = seen_among(tx, seen, orders.iter().flat_map(OrderOfPayment::ids)).await?;
    let orders = orders.into_iter().map(|order| order.among(&known));
    Ok(records.into_iter().map(|record| record.key).zip(orders).collect())
}

/// What the provider calls the attempt that a payment succeeded in: channels often note that.
async fn attempts_of(tx: &TenantTx, records: &[PaymentRecord]) -> AppResult<BTreeMap<PaymentId, String>> {
    let ids = records.iter().map(|record| (record.connection, record.key.clone())).collect();
    let mut attempts = BTreeMap::new();
    for (connection, keys) in by_connection(&ids) {
        for keys in keys.chunks(KEYS_PER_LOOKUP) {
            let found = transactions(tx)
                .filter(document::Column::ConnectionId.eq(connection))
                .filter(document::Column::Key.is_in(keys.iter().copied()))
                .all(tx)
                .await?;
            for attempt in found {
                if let Some(id) = attempt.number {
                    attempts.insert((connection, attempt.key), id);
                }
            }
        }
    }
    Ok(attempts)
}

fn by_connection(ids: &BTreeSet<PaymentId>) -> BTreeMap<Uuid, Vec<&str>> {
    let mut keys: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
    for (connection, key) in ids {
        keys.entry(*connection).or_default().push(key);
    }
    keys
}

fn chunked<T>(keys: impl IntoIterator<Item = T>) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = Vec::new();
    for key in keys {
        match chunks.last_mut().filter(|chunk| chunk.len() < KEYS_PER_LOOKUP) {
            Some(chunk) => chunk.push(key),
            None => chunks.push(vec![key]),
        }
    }
    chunks
}

/// The documents of payouts by connection and key.
pub async fn payouts_by_key(
    tx: &TenantTx,
    keys: &BTreeSet<PaymentId>,
) -> AppResult<BTreeMap<PaymentId, Uuid>> {
    let mut found = BTreeMap::new();
    for (connection, keys) in by_connection(keys) {
        for keys in keys.chunks(KEYS_PER_LOOKUP) {
            let heads = tx
                .find::<document::Entity>()
                .filter(document::Column::Entity.eq(entity_name(Entity::Payout)))
                .filter(document::Column::ConnectionId.eq(connection))
                .filter(document::Column::Key.is_in(keys.iter().copied()))
                .all(tx)
                .await?;
            found.extend(heads.into_iter().map(|head| ((connection, head.key), head.id)));
        }
    }
    Ok(found)
}
