//! Which events should stand, and what has to be posted so that they do.

use std::collections::{HashMap, HashSet};

use portolan_core::{EventId, StoreCalendar};

use super::facts::{OrderFacts, PostingError, order_versions, standing_refunds};
use super::movement::Frame;
use super::refunds::{SoldLines, includes_tax, refund_movements};
use super::{PostedEvent, SaleEvent, facts};
use super::{agreements, history};
use crate::document::Refund;

/// One row to append to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posting {
    /// Something that happened and wasn't in the ledger yet.
    Event(SaleEvent),
    /// The negated copy of an event that should not stand (any more).
    Reversal { of: EventId, event: SaleEvent },
}

impl Posting {
    pub const fn event(&self) -> &SaleEvent {
        match self {
            Self::Event(event) | Self::Reversal { event, .. } => event,
        }
    }
}

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

/// What to append so that exactly `should` stands: negated copies of what stands and should not, then
/// what should stand and doesn't. Equal events are told apart by their number alone.
///
/// `posted` is everything in the ledger under the key, negated copies included.
pub fn difference(should: Vec<SaleEvent>, posted: &[PostedEvent]) -> Vec<Posting> {
    let stands = standing(posted);
    if stands.is_empty() {
        return should.into_iter().map(Posting::Event).collect();
    }
    let mut missing: HashMap<&SaleEvent, usize> = HashMap::with_capacity(should.len());
    for event in &should {
        *missing.entry(event).or_default() += 1;
    }
    let mut postings = Vec::new();
    for stands in stands {
        match missing.get_mut(&stands.event) {
            Some(count) if *count > 0 => *count -= 1,
            _ => postings.push(Posting::Reversal { of: stands.id, event: stands.event.negated() }),
        }
    }
    // Of equal events the last ones are new.
    let mut is_new = vec![false; should.len()];
    for (event, is_new) in should.iter().zip(&mut is_new).rev() {
        if let Some(count) = missing.get_mut(event).filter(|count| **count > 0) {
            *count -= 1;
            *is_new = true;
        }
    }
    let new = should.into_iter().zip(is_new).filter(|(_, is_new)| *is_new);
    postings.extend(new.map(|(event, _)| Posting::Event(event)));
    postings
}

/// The posted events that no negated copy takes back, oldest first.
pub fn standing(posted: &[PostedEvent]) -> Vec<&PostedEvent> {
    let taken_back: HashSet<EventId> = posted.iter().filter_map(|event| event.reverses).collect();
    let mut standing: Vec<&PostedEvent> =
        posted.iter().filter(|event| event.reverses.is_none() && !taken_back.contains(&event.id)).collect();
    standing.sort_by_key(|event| event.id);
    standing
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
