//! The totals that the world expects of anyone who reads it: computed from the world itself.

use std::collections::BTreeMap;

use portolan_sandbox::time::local_month;
use serde::Serialize;

use super::{Account, EntryKind};

/// What one kind of movement came to, in minor units of the account's currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CategoryTruth {
    pub entries: u64,
    pub amount_minor: i64,
    pub fee_minor: i64,
    /// Of the fee.
    pub fee_tax_minor: i64,
    pub net_minor: i64,
}

/// What is true of one account up to a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    pub account: String,
    pub currency: String,
    /// Digits of the minor unit.
    pub exponent: u32,
    pub time_zone: String,
    /// By month of the account's own calendar, `2026-06`, and by category in the words that all providers share.
    pub months: BTreeMap<String, BTreeMap<String, CategoryTruth>>,
    pub charges: u64,
    pub refunds: u64,
    pub disputes: u64,
    pub disputes_won: u64,
    pub disputes_lost: u64,
    pub payouts: u64,
    /// Of all payouts, failed ones included.
    pub paid_out_minor: i64,
    pub entries: u64,
    /// What is left in the balance.
    pub balance_minor: i64,
}

impl Account {
    /// Adds the world up, as far as it has happened.
    pub fn truth(&self, now: i64) -> Truth {
        let mut months = BTreeMap::<String, BTreeMap<String, CategoryTruth>>::new();
        let entries = || self.entries.iter().filter(|entry| entry.created <= now);
        for entry in entries() {
            let month = months.entry(local_month(self.profile.zone, entry.created)).or_default();
            let category = month.entry(entry.kind.shared_name().to_owned()).or_default();
            category.entries += 1;
            category.amount_minor += entry.minor;
            category.fee_minor += entry.fee_minor;
            category.fee_tax_minor += entry.fee_tax_minor;
            category.net_minor += entry.net_minor();
        }
        let disputes = || self.disputes.iter().filter(|dispute| dispute.created <= now);
        let decided = |outcome| {
            disputes()
                .filter(|dispute| dispute.closed.is_some_and(|closed| closed.0 <= now && closed.1 == outcome))
                .count()
        };
        let paid_out = entries().filter(|entry| entry.kind == EntryKind::Payout).map(|entry| -entry.minor);
        Truth {
            account: self.profile.name.to_owned(),
            currency: self.profile.currency.to_owned(),
            exponent: self.profile.exponent,
            time_zone: self.profile.zone.name().to_owned(),
            months,
            charges: self.charges.iter().filter(|charge| charge.created <= now).count() as u64,
            refunds: self.refunds.iter().filter(|refund| refund.created <= now).count() as u64,
            disputes: disputes().count() as u64,
            disputes_won: decided(super::Outcome::Won) as u64,
            disputes_lost: decided(super::Outcome::Lost) as u64,
            payouts: self.payouts.iter().filter(|payout| payout.created <= now).count() as u64,
            paid_out_minor: paid_out.sum(),
            entries: entries().count() as u64,
            balance_minor: entries().map(super::Entry::net_minor).sum(),
        }
    }
}
