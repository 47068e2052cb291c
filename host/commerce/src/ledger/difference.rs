//! What has to be posted so that exactly the right events stand: the same for every ledger.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use portolan_core::EventId;

use super::SaleEvent;

/// The content of an event of some ledger: everything but its identity and the moment of recording.
pub trait LedgerEvent: Clone + Eq + Hash {
    /// The event that takes this one back: every amount negated, all else equal.
    #[must_use]
    fn negated(&self) -> Self;
}

/// An event as it stands in its ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedEvent<E = SaleEvent> {
    pub id: EventId,
    /// Set on a negated copy: the event it takes back.
    pub reverses: Option<EventId>,
    pub event: E,
}

/// One row to append to a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posting<E = SaleEvent> {
    /// Something that happened and wasn't in the ledger yet.
    Event(E),
    /// The negated copy of an event that should not stand (any more).
    Reversal { of: EventId, event: E },
}

impl<E> Posting<E> {
    pub const fn event(&self) -> &E {
        match self {
            Self::Event(event) | Self::Reversal { event, .. } => event,
        }
    }

    /// As it stands in the ledger once it is appended under this id.
    pub fn posted(self, id: EventId) -> PostedEvent<E> {
        match self {
            Self::Event(event) => PostedEvent { id, reverses: None, event },
            Self::Reversal { of, event } => PostedEvent { id, reverses: Some(of), event },
        }
    }
}

/// What to append so that exactly `should` stands: negated copies of what stands and should not, then
/// what should stand and doesn't. Equal events are told apart by their number alone.
///
/// `posted` is everything in the ledger under the key, negated copies included.
pub fn difference<E: LedgerEvent>(should: Vec<E>, posted: &[PostedEvent<E>]) -> Vec<Posting<E>> {
    let stands = standing(posted);
    if stands.is_empty() {
        return should.into_iter().map(Posting::Event).collect();
    }
    let mut missing: HashMap<&E, usize> = HashMap::with_capacity(should.len());
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
pub fn standing<E>(posted: &[PostedEvent<E>]) -> Vec<&PostedEvent<E>> {
    let taken_back: HashSet<EventId> = posted.iter().filter_map(|event| event.reverses).collect();
    let mut standing: Vec<&PostedEvent<E>> =
        posted.iter().filter(|event| event.reverses.is_none() && !taken_back.contains(&event.id)).collect();
    standing.sort_by_key(|event| event.id);
    standing
}
