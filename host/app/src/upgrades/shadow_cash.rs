//! What would stand in the ledger of a provider's balance for what two builds say of the same pages: posted in
//! memory by the same pure rules as the balance itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portolan_commerce::cash::{
    CashEvent, CashTotals, PaymentFacts, ledger_keys, standing_events_under, totals,
};
use portolan_commerce::document::{BalanceEntry, Dispute};
use portolan_commerce::ledger::Version;
use portolan_core::{Currency, StoreCalendar};

use super::report::CashReport;
use super::shadow::keep;

/// Everything that one build says of a provider's balance.
#[derive(Default)]
pub struct BalanceSide {
    entries: HashMap<String, Vec<Version<BalanceEntry>>>,
    disputes: HashMap<String, Vec<Version<Dispute>>>,
}

/// Sums by currency, and within it by category; all of a currency together stand under no category.
pub type CashSums = BTreeMap<(String, Option<String>), Sum>;

#[derive(Default, Clone, Copy)]
pub struct Sum {
    entries: u64,
    totals: CashTotals,
}

impl BalanceSide {
    pub fn take_entry(&mut self, version: Version<BalanceEntry>) {
        keep(self.entries.entry(version.document.key.clone()).or_default(), version);
    }

    pub fn take_dispute(&mut self, version: Version<Dispute>) {
        keep(self.disputes.entry(version.document.key.clone()).or_default(), version);
    }

    /// What would stand under every key, and how many keys could not stand.
    pub fn standing(&self, calendar: &StoreCalendar) -> (CashSums, u64) {
        let mut entries_under: BTreeMap<String, Vec<Version<BalanceEntry>>> = BTreeMap::new();
        for versions in self.entries.values() {
            for key in ledger_keys(versions) {
                entries_under.entry(key).or_default().extend(versions.iter().cloned());
            }
        }
        let mut disputes_of: HashMap<&str, Vec<Version<Dispute>>> = HashMap::new();
        for versions in self.disputes.values() {
            let payments: BTreeSet<&str> =
                versions.iter().filter_map(|version| version.document.payment.as_deref()).collect();
            for payment in payments {
                disputes_of.entry(payment).or_default().extend(versions.iter().cloned());
            }
        }
        let (mut sums, mut unpostable) = (CashSums::new(), 0);
        for (key, entries) in &entries_under {
            let disputes = disputes_of.get(key.as_str()).map_or(&[][..], Vec::as_slice);
            match standing_events_under(key, &PaymentFacts { entries, disputes }, calendar) {
                Ok(events) => events.iter().for_each(|event| add(&mut sums, event)),
                Err(_) => unpostable += 1,
            }
        }
        (sums, unpostable)
    }
}

fn add(sums: &mut CashSums, event: &CashEvent) {
    let added: BTreeMap<Currency, CashTotals> = totals([event]);
    for (currency, of_event) in added {
        for category in [None, Some(event.category.to_string())] {
            let sum = sums.entry((currency.to_string(), category)).or_default();
            sum.entries += 1;
            sum.totals.amount_minor += of_event.amount_minor;
            sum.totals.fee_minor += of_event.fee_minor;
            sum.totals.net_minor += of_event.net_minor;
        }
    }
}

/// The two sides beside each other.
///
/// Errors: sums that do not fit into 64 bits of minor units.
pub fn cash_report(before: &CashSums, after: &CashSums) -> Result<Vec<CashReport>, String> {
    let fits = |amount_minor: i128| {
        i64::try_from(amount_minor).map_err(|_| "A sum of money does not fit into 64 bits.".to_owned())
    };
    let groups: BTreeSet<&(String, Option<String>)> = before.keys().chain(after.keys()).collect();
    groups
        .into_iter()
        .map(|group| {
            let of = |sums: &CashSums| sums.get(group).copied().unwrap_or_default();
            let (before, after) = (of(before), of(after));
            Ok(CashReport {
                currency: group.0.clone(),
                category: group.1.clone(),
                entries_before: before.entries,
                entries_after: after.entries,
                gross_minor_before: fits(before.totals.amount_minor)?,
                gross_minor_after: fits(after.totals.amount_minor)?,
                fee_minor_before: fits(before.totals.fee_minor)?,
                fee_minor_after: fits(after.totals.fee_minor)?,
                net_minor_before: fits(before.totals.net_minor)?,
                net_minor_after: fits(after.totals.net_minor)?,
            })
        })
        .collect()
}
