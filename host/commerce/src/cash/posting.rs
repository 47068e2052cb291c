//! Which cash events should stand.

use portolan_core::{Instant, StoreCalendar};

use super::{BalanceCategory, CashEvent, DisputeState};
use crate::document::{BalanceEntry, Dispute};
use crate::ledger::{PostingError, Version, instant, newest};

/// Everything known under one ledger key: a payment, or an entry that belongs to none.
///
/// The order of the slices doesn't matter. Documents whose newest version names another payment are left
/// out; so an entry that moves from one payment to another is posted anew under both keys.
#[derive(Debug, Clone, Copy)]
pub struct PaymentFacts<'a> {
    /// All versions of all entries that have this key in any version.
    pub entries: &'a [Version<BalanceEntry>],
    /// All versions of all disputes that name this payment in any version.
    pub disputes: &'a [Version<Dispute>],
}

/// Under which key an entry is posted: its payment's, or its own where it belongs to none.
pub fn ledger_key(entry: &BalanceEntry) -> &str {
    entry.payment.as_ref().unwrap_or(&entry.key)
}

/// The ledger keys under which any version of these entries posts: all of them change with it.
pub fn ledger_keys<'a>(entries: impl IntoIterator<Item = &'a Version<BalanceEntry>>) -> Vec<String> {
    let mut keys: Vec<String> =
        entries.into_iter().map(|version| ledger_key(&version.document).to_owned()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// The events that should stand under one ledger key, in the order in which they happened.
///
/// The same facts in any order give the same events.
/// Errors: an amount without a negated copy; nothing is posted under the key then.
pub fn standing_events_under(
    key: &str,
    facts: &PaymentFacts<'_>,
    calendar: &StoreCalendar,
) -> Result<Vec<CashEvent>, PostingError> {
    let entries = standing_entries(key, facts, calendar);
    let disputes = disputes(key, facts, calendar);
    let paid_at = paid_at(&entries, calendar);
    let mut events = Vec::with_capacity(entries.len());
    for entry in entries {
        let event_at = instant(entry.at, calendar);
        let payment_at = paid_at.filter(|_| entry.payment.is_some()).unwrap_or(event_at);
        let category = BalanceCategory::posted(&entry.category);
        let fit = |amount: i64| fit(entry, amount);
        events.push(CashEvent {
            category,
            provider_kind: entry.provider_kind.clone(),
            entry_key: entry.key.clone(),
            payment_key: entry.payment.clone(),
            order_key: entry.order.clone(),
            reference: entry.reference.clone(),
            payout_key: entry.payout.clone(),
            source_key: entry.source.clone(),
            method: entry.method.clone(),
            dispute_state: match category {
                BalanceCategory::Dispute => state_of_dispute(entry, &disputes),
                _ => None,
            },
            currency: entry.currency,
            amount_minor: fit(entry.amount_minor)?,
            fee_minor: fit(entry.fee_minor)?,
            fee_tax_minor: fit(entry.fee_tax_minor)?,
            net_minor: fit(entry.net_minor)?,
            charged_currency: entry.charged.map(|charged| charged.currency),
            charged_minor: entry.charged.map(|charged| fit(charged.amount_minor)).transpose()?,
            fx_rate: entry.fx_rate,
            event_at,
            event_date: calendar.business_date(event_at),
            payment_at,
            payment_date: calendar.business_date(payment_at),
            available_on: entry.available_on,
        });
    }
    events.sort_by(|left, right| (left.event_at, &left.entry_key).cmp(&(right.event_at, &right.entry_key)));
    Ok(events)
}

/// The newest version of each entry that stands under this key.
pub(super) fn standing_entries<'a>(
    key: &str,
    facts: &PaymentFacts<'a>,
    calendar: &StoreCalendar,
) -> Vec<&'a BalanceEntry> {
    newest(facts.entries, |entry| (entry.key.as_str(), entry.updated_at), calendar)
        .into_values()
        .filter(|entry| !entry.deleted && ledger_key(entry) == key)
        .collect()
}

/// The newest version of each dispute of this payment.
pub(super) fn disputes<'a>(
    payment: &str,
    facts: &PaymentFacts<'a>,
    calendar: &StoreCalendar,
) -> Vec<&'a Dispute> {
    newest(facts.disputes, |dispute| (dispute.key.as_str(), dispute.updated_at), calendar)
        .into_values()
        .filter(|dispute| dispute.payment.as_deref() == Some(payment))
        .collect()
}

/// When the payment was made: with its first sale.
fn paid_at(entries: &[&BalanceEntry], calendar: &StoreCalendar) -> Option<Instant> {
    let of_payment = entries.iter().filter(|entry| entry.payment.is_some());
    let sales = of_payment.filter(|entry| BalanceCategory::posted(&entry.category) == BalanceCategory::Sale);
    sales.map(|entry| instant(entry.at, calendar)).min()
}

/// How the dispute stands that took this money: the one that the entry names, or the payment's only one.
fn state_of_dispute(entry: &BalanceEntry, disputes: &[&Dispute]) -> Option<DisputeState> {
    let named = disputes.iter().find(|dispute| entry.source.as_ref() == Some(&dispute.key));
    let only = match disputes {
        [only] => Some(only),
        _ => None,
    };
    named.or(only).and_then(|dispute| DisputeState::named(&dispute.state))
}

/// The smallest number has no negated copy.
fn fit(entry: &BalanceEntry, amount: i64) -> Result<i64, PostingError> {
    if amount == i64::MIN {
        return Err(PostingError::AmountTooLarge { document_key: entry.key.clone() });
    }
    Ok(amount)
}
