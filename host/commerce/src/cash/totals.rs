//! Sums of cash events: per currency, and too wide to overflow.

use std::collections::BTreeMap;

use portolan_core::Currency;

use super::CashEvent;

/// What some events of one currency add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CashTotals {
    pub amount_minor: i128,
    pub fee_minor: i128,
    pub fee_tax_minor: i128,
    pub net_minor: i128,
}

/// The sums of these events; unlike currencies stay apart.
pub fn totals<'a>(events: impl IntoIterator<Item = &'a CashEvent>) -> BTreeMap<Currency, CashTotals> {
    let mut totals: BTreeMap<Currency, CashTotals> = BTreeMap::new();
    for event in events {
        let total = totals.entry(event.currency).or_default();
        total.amount_minor += i128::from(event.amount_minor);
        total.fee_minor += i128::from(event.fee_minor);
        total.fee_tax_minor += i128::from(event.fee_tax_minor);
        total.net_minor += i128::from(event.net_minor);
    }
    totals
}
