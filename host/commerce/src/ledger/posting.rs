//! Which events should stand.

use portolan_core::StoreCalendar;

use super::facts::{OrderFacts, PostingError, order_versions, standing_refunds};
use super::movement::Frame;
use super::refunds::{SoldLines, includes_tax, refund_movements};
use super::{SaleEvent, facts};
use super::{agreements, history};
use crate::document::Refund;

/// The events that should stand for these documents, in the order in which they happened.
///
/// The same facts in any order give the same events. Every event has the order's key, or the refund's
/// where it names no order. Where refunds may have moved between orders, see [`standing_events_under`].
///
/// Errors: a document that no events can be made from; nothing of its order is posted then.
pub fn standing_events(
    facts: &OrderFacts<'_>,
    calendar: &StoreCalendar,
) -> Result<Vec<SaleEvent>, PostingError> {
    let versions = order_versions(facts, calendar);
    let mut events = match versions.last() {
        None => without_order(&standing_refunds(facts, None, calendar), calendar)?,
        Some(newest) if newest.deleted => Vec::new(),
        Some(newest) => {
            let movements = if newest.agreements.is_empty() {
                let refunds = standing_refunds(facts, Some(&newest.key), calendar);
                history::movements(&versions, newest, &refunds, calendar)?
            } else {
                agreements::movements(newest, calendar)?
            };
            Frame::of_order(&versions, newest, calendar).events(movements, calendar)?
        }
    };
    if let Some(newest) = versions.last() {
        // A channel may number orders and returns alike: such a return is no refund of the order.
        let mut returns = standing_refunds(facts, None, calendar);
        returns.retain(|refund| refund.order.is_none() && refund.key == newest.key);
        events.extend(without_order(&returns, calendar)?);
    }
    events.sort_by(|left, right| {
        (left.event_at, left.kind, &left.line_key).cmp(&(right.event_at, right.kind, &right.line_key))
    });
    Ok(events)
}

/// The events that should stand under one ledger key. A refund that names another order by now stands
/// there, not here, even when its older versions are among the facts.
pub fn standing_events_under(
    order_key: &str,
    facts: &OrderFacts<'_>,
    calendar: &StoreCalendar,
) -> Result<Vec<SaleEvent>, PostingError> {
    let mut events = standing_events(facts, calendar)?;
    events.retain(|event| event.order_key == order_key);
    Ok(events)
}

/// Returns without an order, and refunds whose order has not been seen yet. When it is, the same
/// refunds stand with what the order knows, and the difference replaces these.
fn without_order(refunds: &[&Refund], calendar: &StoreCalendar) -> Result<Vec<SaleEvent>, PostingError> {
    let mut events = Vec::new();
    for &refund in refunds {
        let nothing_sold = Default::default();
        let mut lines = SoldLines::new(&nothing_sold, includes_tax(refund));
        let at = facts::instant(refund.at, calendar);
        let movements = refund_movements(refund, at, &mut lines)?;
        events.extend(Frame::of_refund(refund, calendar).events(movements, calendar)?);
    }
    Ok(events)
}
