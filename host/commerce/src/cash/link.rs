//! Which order a payment paid for: told by keys that both sides know, never guessed.
//!
//! In this order: the order that the provider itself names; the provider's own id, which the channel noted
//! on its transaction; what the merchant wrote on the payment, where it is the order's number. A clue that
//! fits two orders links neither, and no weaker clue is asked after it.

use std::collections::BTreeSet;

use super::CashEvent;

/// What an order says about its payments.
#[derive(Debug, Clone, Copy)]
pub struct OrderClues<'a> {
    pub order_key: &'a str,
    /// As people write it: `#1001`.
    pub number: Option<&'a str>,
    /// The provider's ids that the channel noted on the order's transactions.
    pub provider_references: &'a [&'a str],
}

/// What a payment says about its order.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaymentClues<'a> {
    pub order_key: Option<&'a str>,
    pub payment_key: Option<&'a str>,
    pub source_key: Option<&'a str>,
    pub reference: Option<&'a str>,
}

/// By what a payment is linked to its order, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentLink<'a> {
    /// The provider is the channel, and names the order.
    ByOrder {
        order_key: &'a str,
    },
    ByProviderId {
        order_key: &'a str,
    },
    ByReference {
        order_key: &'a str,
    },
    /// Several orders fit one clue: a person has to decide.
    Ambiguous {
        clue: &'a str,
        order_keys: Vec<&'a str>,
    },
    /// No order is known that fits.
    Unknown,
}

impl<'a> From<&'a CashEvent> for PaymentClues<'a> {
    fn from(event: &'a CashEvent) -> Self {
        Self {
            order_key: event.order_key.as_deref(),
            payment_key: event.payment_key.as_deref(),
            source_key: event.source_key.as_deref(),
            reference: event.reference.as_deref(),
        }
    }
}

/// The order that a payment paid for.
pub fn match_payment<'a>(payment: &PaymentClues<'a>, orders: &[OrderClues<'a>]) -> PaymentLink<'a> {
    if let Some(named) = payment.order_key {
        let known = orders.iter().find(|order| order.order_key == named);
        return known
            .map_or(PaymentLink::Unknown, |order| PaymentLink::ByOrder { order_key: order.order_key });
    }
    let ids: Vec<&str> = [payment.payment_key, payment.source_key].into_iter().flatten().collect();
    let by_id = orders.iter().filter(|order| order.provider_references.iter().any(|id| ids.contains(id)));
    let clue = ids.first().copied().unwrap_or_default();
    if let Some(link) = only(by_id.copied(), clue, |order_key| PaymentLink::ByProviderId { order_key }) {
        return link;
    }
    let Some(reference) = payment.reference.filter(|reference| !number(reference).is_empty()) else {
        return PaymentLink::Unknown;
    };
    let same = |order: &&OrderClues<'_>| order.number.is_some_and(|own| number(own) == number(reference));
    let by_number = orders.iter().filter(same);
    only(by_number.copied(), reference, |order_key| PaymentLink::ByReference { order_key })
        .unwrap_or(PaymentLink::Unknown)
}

/// The link to the only order there is; nothing where there is none.
fn only<'a>(
    orders: impl Iterator<Item = OrderClues<'a>>,
    clue: &'a str,
    link: impl Fn(&'a str) -> PaymentLink<'a>,
) -> Option<PaymentLink<'a>> {
    let keys: BTreeSet<&'a str> = orders.map(|order| order.order_key).collect();
    let order_keys: Vec<&'a str> = keys.into_iter().collect();
    match order_keys.as_slice() {
        [] => None,
        [order_key] => Some(link(order_key)),
        _ => Some(PaymentLink::Ambiguous { clue, order_keys }),
    }
}

/// People write an order's number with and without the sign before it, in either case.
fn number(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('#').unwrap_or(text).trim().to_ascii_lowercase()
}
