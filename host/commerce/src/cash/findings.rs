//! What is odd about a payment's documents. It is posted as it is told, and reported here.

use std::fmt;

use portolan_core::{Currency, StoreCalendar};

use super::posting::{disputes, standing_entries};
use super::{BalanceCategory, DisputeState, PaymentFacts};

/// Something that people should look at. Nothing was left out of the ledger because of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finding {
    /// The connector uses a word for a category that the ledger does not know: the entry counts as "other".
    UnknownCategory { entry_key: String, word: String },
    /// The dispute's state is a word that the ledger does not know: it counts as neither won nor lost.
    UnknownDisputeState { dispute_key: String, word: String },
    /// The entry is in another currency than its payout: it cannot be added to it.
    EntryInOtherCurrency { payout_key: String, entry_key: String, payout: Currency, entry: Currency },
}

/// What is odd about the payment, or the lone entry, under this ledger key.
pub fn findings(key: &str, facts: &PaymentFacts<'_>, calendar: &StoreCalendar) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in standing_entries(key, facts, calendar) {
        if BalanceCategory::named(&entry.category).is_none() {
            findings.push(Finding::UnknownCategory {
                entry_key: entry.key.clone(),
                word: entry.category.clone(),
            });
        }
    }
    for dispute in disputes(key, facts, calendar) {
        if DisputeState::named(&dispute.state).is_none() {
            findings.push(Finding::UnknownDisputeState {
                dispute_key: dispute.key.clone(),
                word: dispute.state.clone(),
            });
        }
    }
    findings
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCategory { entry_key, word } => write!(
                formatter,
                "balance entry {entry_key:?} has the unknown category {word:?} and counts as other: update the connector"
            ),
            Self::UnknownDisputeState { dispute_key, word } => write!(
                formatter,
                "dispute {dispute_key:?} has the unknown state {word:?} and counts as neither won nor lost: \
                 update the connector"
            ),
            Self::EntryInOtherCurrency { payout_key, entry_key, payout, entry } => write!(
                formatter,
                "balance entry {entry_key:?} is in {entry}, its payout {payout_key:?} in {payout}: it was not added"
            ),
        }
    }
}
