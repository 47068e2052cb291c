//! The orders that payments may be about, looked up by everything that the payments say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portolan_commerce::cash::{OrderClues, PaymentClues, PaymentLink, match_payment, spellings};
use portolan_commerce::document::Entity;
use portolan_db::TenantTx;
use portolan_db::entity::document;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    KEYS_PER_LOOKUP, LinkedBy, OrderOfPayment, PaymentId, PaymentRecord, by_connection, chunked, transactions,
};
use crate::ingest::entity_name;
use crate::web::error::AppResult;

/// The clues of one payment. Keys of orders are unique within a connection, so places stand for them.
pub struct Clues {
    places: Vec<String>,
    ids: Vec<String>,
    references: Vec<String>,
}

impl Clues {
    pub fn of(record: &PaymentRecord, attempts: &BTreeMap<PaymentId, String>) -> Self {
        let told: PaymentClues<'_> = record.entries.iter().collect();
        let mut ids: Vec<String> = told.provider_ids.into_iter().map(str::to_owned).collect();
        ids.extend(attempts.get(&(record.connection, record.key.clone())).cloned());
        Self {
            places: told.order_keys.into_iter().map(|key| place(record.connection, key)).collect(),
            ids,
            references: told.references.into_iter().map(str::to_owned).collect(),
        }
    }

    fn borrowed(&self) -> PaymentClues<'_> {
        PaymentClues {
            order_keys: self.places.iter().map(String::as_str).collect(),
            provider_ids: self.ids.iter().map(String::as_str).collect(),
            references: self.references.iter().map(String::as_str).collect(),
        }
    }
}

/// An order that fits a clue of some payment.
struct KnownOrder {
    head: document::Model,
    place: String,
    /// The provider's, as far as they are among the clues.
    ids: Vec<String>,
}

async fn find_orders(tx: &TenantTx, clues: &[Clues]) -> AppResult<Vec<KnownOrder>> {
    let mut heads: BTreeMap<Uuid, document::Model> = BTreeMap::new();
    let mut noted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut wanted: BTreeSet<PaymentId> = BTreeSet::new();
    let ids: BTreeSet<&str> = clues.iter().flat_map(|clues| &clues.ids).map(String::as_str).collect();
    for ids in chunked(ids) {
        let found = transactions(tx).filter(document::Column::Number.is_in(ids)).all(tx).await?;
        for transaction in found {
            let (Some(id), Some(order)) = (transaction.number, transaction.parent_key) else { continue };
            noted.entry(place(transaction.connection_id, &order)).or_default().push(id);
            wanted.insert((transaction.connection_id, order));
        }
    }
    for named in clues.iter().flat_map(|clues| &clues.places) {
        if let Some((connection, key)) = named.split_once('/') {
            wanted.insert((connection.parse().unwrap_or_default(), key.to_owned()));
        }
    }
    for (connection, keys) in by_connection(&wanted) {
        for keys in keys.chunks(KEYS_PER_LOOKUP) {
            let found = orders(tx)
                .filter(document::Column::ConnectionId.eq(connection))
                .filter(document::Column::Key.is_in(keys.iter().copied()));
            heads.extend(found.all(tx).await?.into_iter().map(|head| (head.id, head)));
        }
    }
    let numbers: BTreeSet<String> =
        clues.iter().flat_map(|clues| &clues.references).flat_map(|reference| spellings(reference)).collect();
    for numbers in chunked(numbers) {
        let found = orders(tx).filter(document::Column::Number.is_in(numbers)).all(tx).await?;
        heads.extend(found.into_iter().map(|head| (head.id, head)));
    }
    let known = heads.into_values().map(|head| {
        let place = place(head.connection_id, &head.key);
        KnownOrder { ids: noted.remove(&place).unwrap_or_default(), place, head }
    });
    Ok(known.collect())
}

/// Known orders by everything that a payment may say of one: so each payment is held against a handful, and what
/// it is linked to does not depend on the payments beside it.
pub struct KnownOrders {
    orders: Vec<KnownOrder>,
    by_clue: HashMap<String, Vec<usize>>,
}

impl KnownOrders {
    pub async fn load(tx: &TenantTx, clues: &[Clues]) -> AppResult<Self> {
        let orders = find_orders(tx, clues).await?;
        let mut by_clue: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, order) in orders.iter().enumerate() {
            let clues = order.ids.iter().chain([&order.place]).chain(&order.head.number);
            clues.for_each(|clue| by_clue.entry(clue.clone()).or_default().push(index));
        }
        Ok(Self { orders, by_clue })
    }

    pub fn order_of(&self, clues: &Clues) -> OrderOfPayment {
        let spelled: Vec<String> =
            clues.references.iter().flat_map(|reference| spellings(reference)).collect();
        let said = clues.places.iter().chain(&clues.ids).chain(&spelled);
        let fitting: BTreeSet<usize> =
            said.filter_map(|clue| self.by_clue.get(clue)).flatten().copied().collect();
        let fitting: Vec<&KnownOrder> = fitting.into_iter().map(|index| &self.orders[index]).collect();
        let ids: Vec<Vec<&str>> =
            fitting.iter().map(|order| order.ids.iter().map(String::as_str).collect()).collect();
        let orders = fitting.iter().zip(&ids).map(|(order, ids)| OrderClues {
            order_key: &order.place,
            number: order.head.number.as_deref(),
            provider_references: ids,
        });
        let orders: Vec<OrderClues<'_>> = orders.collect();
        let head =
            |place: &str| fitting.iter().find(|order| order.place == place).map(|order| order.head.clone());
        let linked = |place: &str, by| match head(place) {
            Some(order) => OrderOfPayment::Linked { order: Box::new(order), by },
            None => OrderOfPayment::Unknown,
        };
        match match_payment(&clues.borrowed(), &orders) {
            PaymentLink::ByOrder { order_key } => linked(order_key, LinkedBy::Order),
            PaymentLink::ByProviderId { order_key } => linked(order_key, LinkedBy::ProviderId),
            PaymentLink::ByReference { order_key } => linked(order_key, LinkedBy::Reference),
            PaymentLink::Ambiguous { order_keys } => {
                OrderOfPayment::Ambiguous { orders: order_keys.into_iter().filter_map(head).collect() }
            }
            PaymentLink::Unknown => OrderOfPayment::Unknown,
        }
    }
}

fn orders(tx: &TenantTx) -> sea_orm::Select<document::Entity> {
    tx.find::<document::Entity>().filter(document::Column::Entity.eq(entity_name(Entity::Order)))
}

fn place(connection: Uuid, key: &str) -> String {
    format!("{connection}/{key}")
}
