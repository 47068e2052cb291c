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

/// What a payment says about its order: all its entries together, each clue once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentClues<'a> {
    pub order_keys: Vec<&'a str>,
    /// The payment's own key first.
    pub provider_ids: Vec<&'a str>,
    pub references: Vec<&'a str>,
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
    /// Several orders fit clues of one kind: a person has to decide.
    Ambiguous {
        order_keys: Vec<&'a str>,
    },
    /// No order is known that fits.
    Unknown,
}

impl<'a> FromIterator<&'a CashEvent> for PaymentClues<'a> {
    fn from_iter<I: IntoIterator<Item = &'a CashEvent>>(entries: I) -> Self {
        let mut clues = Self::default();
        let mut sources = Vec::new();
        for entry in entries {
            note(&mut clues.order_keys, entry.order_key.as_deref());
            note(&mut clues.provider_ids, entry.payment_key.as_deref());
            note(&mut sources, entry.source_key.as_deref());
            note(&mut clues.references, entry.reference.as_deref());
        }
        for source in sources {
            note(&mut clues.provider_ids, Some(source));
        }
        clues
    }
}

fn note<'a>(clues: &mut Vec<&'a str>, clue: Option<&'a str>) {
    clues.extend(clue.filter(|clue| !clues.contains(clue)));
}

/// The order that a payment paid for.
pub fn match_payment<'a>(payment: &PaymentClues<'a>, orders: &[OrderClues<'a>]) -> PaymentLink<'a> {
    if !payment.order_keys.is_empty() {
        let named = orders.iter().filter(|order| payment.order_keys.contains(&order.order_key));
        return match only(named.copied(), |order_key| PaymentLink::ByOrder { order_key }) {
            // It names another one as well, which has not come.
            Some(PaymentLink::ByOrder { .. }) if payment.order_keys.len() > 1 => PaymentLink::Unknown,
            link => link.unwrap_or(PaymentLink::Unknown),
        };
    }
    let ids = &payment.provider_ids;
    let by_id = orders.iter().filter(|order| order.provider_references.iter().any(|id| ids.contains(id)));
    if let Some(link) = only(by_id.copied(), |order_key| PaymentLink::ByProviderId { order_key }) {
        return link;
    }
    let written: BTreeSet<String> = payment.references.iter().map(|reference| number(reference)).collect();
    let by_number = orders.iter().filter(|order| {
        let own = order.number.map(number).unwrap_or_default();
        !own.is_empty() && written.contains(&own)
    });
    only(by_number.copied(), |order_key| PaymentLink::ByReference { order_key })
        .unwrap_or(PaymentLink::Unknown)
}

/// The link to the only order there is; nothing where there is none.
fn only<'a>(
    orders: impl Iterator<Item = OrderClues<'a>>,
    link: impl Fn(&'a str) -> PaymentLink<'a>,
) -> Option<PaymentLink<'a>> {
    let keys: BTreeSet<&'a str> = orders.map(|order| order.order_key).collect();
    let order_keys: Vec<&'a str> = keys.into_iter().collect();
    match order_keys.as_slice() {
        [] => None,
        [order_key] => Some(link(order_key)),
        _ => Some(PaymentLink::Ambiguous { order_keys }),
    }
}

/// How the number of an order may be written on a payment, for whoever looks among many: [`match_payment`] decides.
pub fn spellings(text: &str) -> Vec<String> {
    let (plain, trimmed) = (number(text), text.trim());
    let bare = trimmed.strip_prefix('#').unwrap_or(trimmed).trim();
    if plain.is_empty() {
        return Vec::new();
    }
    let mut spellings = vec![text.to_owned()];
    for bare in [bare, &plain, &plain.to_ascii_uppercase()] {
        spellings.extend([bare.to_owned(), format!("#{bare}")]);
    }
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// People write an order's number with and without the sign before it, in either case.
fn number(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('#').unwrap_or(text).trim().to_ascii_lowercase()
}
