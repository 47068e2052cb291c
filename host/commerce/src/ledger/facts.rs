//! What is known of an order: every version of its document and of its refunds.

use std::collections::BTreeMap;

use portolan_core::{Decimal, Instant, StoreCalendar};

use crate::document::{Moment, Order, Refund};

/// One version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<T> {
    pub document: T,
    /// When its raw data was received; travels with the raw data through every replay.
    pub received_at: Instant,
    /// Of the document's content.
    pub hash: [u8; 32],
}

/// Everything known under one ledger key: an order with its refunds, or a refund without its order.
///
/// The order of the slices doesn't matter. Refunds whose newest version names another order are left
/// out; so a refund that moves from one order to another is posted anew under both keys.
#[derive(Debug, Clone, Copy)]
pub struct OrderFacts<'a> {
    /// All versions of one order; empty while it has not been seen, or for a return without an order.
    pub orders: &'a [Version<Order>],
    /// All versions of all refunds that name this order in any version.
    pub refunds: &'a [Version<Refund>],
}

/// Why no events can be made from a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    #[error(
        "quantity {quantity} of line {line:?} in {document_key:?} has more than three decimals: \
         the ledger counts thousandths of a unit"
    )]
    QuantityTooFine { document_key: String, line: String, quantity: Decimal },
    #[error("amounts of {document_key:?} do not fit into 64 bits of minor units")]
    AmountTooLarge { document_key: String },
}

/// The ledger keys under which any version of these refunds posts: all of them change with it.
pub fn ledger_keys<'a>(refunds: impl IntoIterator<Item = &'a Version<Refund>>) -> Vec<String> {
    let mut keys: Vec<String> = refunds
        .into_iter()
        .map(|version| version.document.order.as_ref().unwrap_or(&version.document.key).clone())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// A moment of a document as an instant.
pub(crate) fn instant(moment: Moment, calendar: &StoreCalendar) -> Instant {
    match moment {
        Moment::At(at) => at,
        Moment::Local(local) => calendar.resolve_local(local),
    }
}

/// The versions of the order, oldest first: by (updated at, received at, hash).
pub(super) fn order_versions<'a>(facts: &OrderFacts<'a>, calendar: &StoreCalendar) -> Vec<&'a Order> {
    let mut versions: Vec<&Version<Order>> = facts.orders.iter().collect();
    versions.sort_by_key(|version| {
        (instant(version.document.updated_at, calendar), version.received_at, version.hash)
    });
    versions.into_iter().map(|version| &version.document).collect()
}

/// The newest version of each refund that stands under this key and gave money back, oldest first.
pub(super) fn standing_refunds<'a>(
    facts: &OrderFacts<'a>,
    order_key: Option<&str>,
    calendar: &StoreCalendar,
) -> Vec<&'a Refund> {
    let mut refunds: Vec<&Refund> =
        newest(facts.refunds, |refund| (refund.key.as_str(), refund.updated_at), calendar)
            .into_values()
            .filter(|refund| !refund.deleted && gave_money_back(&refund.state))
            .filter(|refund| order_key.is_none() || refund.order.as_deref() == order_key)
            .collect();
    refunds.sort_by_key(|refund| (instant(refund.at, calendar), refund.key.as_str()));
    refunds
}

/// The newest version of each document, by its key: the last by (updated at, received at, hash).
pub(crate) fn newest<'a, T>(
    versions: &'a [Version<T>],
    identity: impl Fn(&'a T) -> (&'a str, Moment),
    calendar: &StoreCalendar,
) -> BTreeMap<&'a str, &'a T> {
    let age = |version: &'a Version<T>| {
        (instant(identity(&version.document).1, calendar), version.received_at, version.hash)
    };
    let mut newest: BTreeMap<&str, &Version<T>> = BTreeMap::new();
    for version in versions {
        let known = newest.entry(identity(&version.document).0).or_insert(version);
        if age(version) > age(known) {
            *known = version;
        }
    }
    newest.into_iter().map(|(key, version)| (key, &version.document)).collect()
}

/// Channels name many states; those of a refund that has not happened (yet) are few.
fn gave_money_back(state: &str) -> bool {
    const NOT_HAPPENED: [&str; 11] = [
        "failed",
        "failure",
        "error",
        "cancelled",
        "canceled",
        "voided",
        "rejected",
        "declined",
        "pending",
        "requested",
        "requires_action",
    ];
    !NOT_HAPPENED.iter().any(|name| state.eq_ignore_ascii_case(name))
}

/// Thousandths of a unit.
pub(super) fn quantity_milli(
    document_key: &str,
    line: &str,
    quantity: Decimal,
) -> Result<i128, PostingError> {
    quantity.to_milli().map(i128::from).ok_or_else(|| PostingError::QuantityTooFine {
        document_key: document_key.to_owned(),
        line: line.to_owned(),
        quantity,
    })
}
