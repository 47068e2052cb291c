//! Does a payout pay out what its entries add up to?

use portolan_core::Currency;

use super::{BalanceCategory, CashEvent, Finding, totals};
use crate::document::Payout;

/// A payout beside the entries that name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutCheck {
    pub currency: Currency,
    /// What the provider says it paid out.
    pub stated_minor: i64,
    /// What its entries add up to.
    pub sum_minor: i128,
    /// Stated − sum: zero where everything is there.
    pub difference_minor: i128,
    /// How many entries were added.
    pub entry_count: usize,
    /// What could not be added.
    pub findings: Vec<Finding>,
}

impl PayoutCheck {
    /// Whether the payout is explained to the last minor unit.
    pub fn holds(&self) -> bool {
        self.difference_minor == 0 && self.findings.is_empty()
    }
}

/// A payout's amount is the sum of `net` of its entries, those that are the payout itself aside.
///
/// `entries` are standing events, those of other payouts among them or not. An entry in another currency
/// than the payout is a finding, and never added.
pub fn payout_check<'a>(payout: &Payout, entries: impl IntoIterator<Item = &'a CashEvent>) -> PayoutCheck {
    let of_payout = entries.into_iter().filter(|entry| {
        entry.payout_key.as_ref() == Some(&payout.key) && !is_payout_itself(entry, &payout.key)
    });
    let (added, foreign): (Vec<&CashEvent>, Vec<&CashEvent>) =
        of_payout.partition(|entry| entry.currency == payout.currency);
    let sums = totals(added.iter().copied());
    let sum_minor = sums.get(&payout.currency).map_or(0, |sum| sum.net_minor);
    PayoutCheck {
        currency: payout.currency,
        stated_minor: payout.amount_minor,
        sum_minor,
        difference_minor: i128::from(payout.amount_minor) - sum_minor,
        entry_count: added.len(),
        findings: foreign
            .into_iter()
            .map(|entry| Finding::EntryInOtherCurrency {
                payout_key: payout.key.clone(),
                entry_key: entry.entry_key.clone(),
                payout: payout.currency,
                entry: entry.currency,
            })
            .collect(),
    }
}

/// What the payout took from the balance, and what came back of it. What came back of *another* payout, because a bank
/// refused it, is money in the balance again, and part of the payout that names it.
pub fn is_payout_itself(entry: &CashEvent, payout_key: &str) -> bool {
    let of_another = entry.category == BalanceCategory::PayoutReversal
        && entry.source_key.as_ref().is_some_and(|source| source != payout_key);
    entry.category.is_payout() && !of_another
}
