//! Whether what stands in the ledger is what the documents tell.
//!
//! Two questions: do the events add up to the order's total less its refunds, as a person would
//! check it; and are they exactly those that the documents determine.

use portolan_admin_ui::format;
use portolan_admin_ui::parts::{Badge, Tone};
use portolan_commerce::document::{Order, Refund};
use portolan_commerce::ledger::{OrderFacts, PostedEvent, difference, standing_events_under};
use portolan_core::Currency;
use portolan_core::calendar::StoreCalendar;

use super::queries::OrderRecord;
use crate::channels::context::store_calendar;

/// How ledger and documents stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// No event stands, none should.
    NothingPosted,
    /// The events add up to the order's total less its refunds.
    AddsUp { total_minor: i128 },
    /// The events are those that the documents determine; the document's own total is another one.
    Follows { total_minor: i128, document_minor: i128 },
    /// The events are in several currencies and cannot be added.
    SeveralCurrencies,
    /// Events are missing or too many: the next sync posts the difference.
    Behind,
}

impl Agreement {
    pub fn of(record: &OrderRecord) -> Self {
        let posted: Vec<PostedEvent> = record.events.iter().map(|(event, _)| event.clone()).collect();
        let refunds: Vec<&Refund> = record.refunds.iter().map(|(_, refund)| refund).collect();
        let follows = match store_calendar(&record.connection) {
            Ok(calendar) => follows(record, &posted, &calendar),
            Err(_) => false,
        };
        decide(&record.order, &refunds, &posted, follows)
    }

    pub fn badge(self, currency: Currency) -> Badge {
        let money = |amount_minor: i128| format::money_with_code(amount_minor, currency);
        match self {
            Self::NothingPosted => Badge::new("nothing posted", Tone::Neutral),
            Self::AddsUp { total_minor } => {
                Badge::new(format!("adds up to the document: {}", money(total_minor)), Tone::Good)
            }
            Self::Follows { total_minor, document_minor } => Badge::new(
                format!(
                    "follows the channel's history: {}; total less refunds is {}",
                    money(total_minor),
                    money(document_minor)
                ),
                Tone::Neutral,
            ),
            Self::SeveralCurrencies => Badge::new("in several currencies, not added", Tone::Warn),
            Self::Behind => Badge::new("differs from the document; the next sync posts it", Tone::Warn),
        }
    }

    /// The stored name, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingPosted => "nothing_posted",
            Self::AddsUp { .. } => "adds_up",
            Self::Follows { .. } => "follows_history",
            Self::SeveralCurrencies => "several_currencies",
            Self::Behind => "behind",
        }
    }
}

/// Whether posting the documents again would change nothing.
fn follows(record: &OrderRecord, posted: &[PostedEvent], calendar: &StoreCalendar) -> bool {
    let facts = OrderFacts { orders: &record.versions, refunds: &record.refund_versions };
    standing_events_under(&record.head.key, &facts, calendar)
        .is_ok_and(|should_stand| difference(should_stand, posted).is_empty())
}

pub(super) fn decide(order: &Order, refunds: &[&Refund], posted: &[PostedEvent], follows: bool) -> Agreement {
    if posted.is_empty() {
        return if follows { Agreement::NothingPosted } else { Agreement::Behind };
    }
    let Some(total_minor) = charged_total(posted, order.currency) else {
        return if follows { Agreement::SeveralCurrencies } else { Agreement::Behind };
    };
    let document_minor = document_total(order, refunds);
    match document_minor {
        Some(document_minor) if document_minor == total_minor => Agreement::AddsUp { total_minor },
        _ if !follows => Agreement::Behind,
        Some(document_minor) => Agreement::Follows { total_minor, document_minor },
        None => Agreement::SeveralCurrencies,
    }
}

/// What the buyer is charged by all events; `None` if they are not all in one currency.
pub fn charged_total(posted: &[PostedEvent], currency: Currency) -> Option<i128> {
    let one_currency = posted.iter().all(|posted| posted.event.currency == currency);
    one_currency.then(|| posted.iter().map(|posted| posted.event.charged_minor()).sum())
}

/// The order's total less what was given back; nothing of an order that is deleted.
fn document_total(order: &Order, refunds: &[&Refund]) -> Option<i128> {
    if order.deleted {
        return Some(0);
    }
    let mut total = i128::from(order.total_minor);
    for refund in refunds.iter().filter(|refund| !refund.deleted) {
        if refund.currency != order.currency {
            return None;
        }
        total -= i128::from(refund.total_minor);
    }
    Some(total)
}
