//! Balance transactions and payouts.

use serde_json::{Number, Value, json};

use super::{View, code};
use crate::world::{Entry, EntryKind, Source};

impl View<'_> {
    pub fn entry(&self, index: usize, expand_source: bool, expand_charge: bool) -> Value {
        let entry = &self.account.entries[index];
        let currency = code(self.account.profile.currency);
        let (kind, reporting_category) = entry.kind.names();
        let description = match entry.kind {
            EntryKind::Dispute => "Chargeback withdrawal",
            EntryKind::DisputeReversal => "Chargeback reversal",
            _ => "Order of a private person",
        };
        json!({
            "id": entry.id,
            "object": "balance_transaction",
            "amount": entry.minor,
            "available_on": entry.available_on,
            "created": entry.created,
            "currency": currency,
            "description": description,
            "exchange_rate": entry.rate_micro.and_then(rate),
            "fee": entry.fee_minor,
            "fee_details": fee_details(entry, &currency),
            "net": entry.net_minor(),
            "reporting_category": reporting_category,
            "source": self.source(entry, expand_source, expand_charge),
            "status": if entry.available_on <= self.now { "available" } else { "pending" },
            "type": kind,
        })
    }

    fn source(&self, entry: &Entry, expand: bool, expand_charge: bool) -> Value {
        let account = self.account;
        match (entry.source, expand) {
            (Source::Nothing, _) => Value::Null,
            (Source::Charge(index), false) => account.charges[index].id.as_str().into(),
            (Source::Refund(index), false) => account.refunds[index].id.as_str().into(),
            (Source::Dispute(index), false) => account.disputes[index].id.as_str().into(),
            (Source::Payout(index), false) => account.payouts[index].id.as_str().into(),
            (Source::Charge(index), true) => self.charge(index),
            (Source::Refund(index), true) => self.refund(index, expand_charge),
            (Source::Dispute(index), true) => self.dispute(index, expand_charge),
            (Source::Payout(index), true) => self.payout(index),
        }
    }

    pub fn payout(&self, index: usize) -> Value {
        let payout = &self.account.payouts[index];
        let own = payout.entries.last().map(|index| self.account.entries[*index].id.as_str());
        let failed = payout.failed_at.is_some_and(|at| at <= self.now);
        let status = if failed {
            "failed"
        } else if payout.arrives <= self.now {
            "paid"
        } else {
            "in_transit"
        };
        json!({
            "id": payout.id,
            "object": "payout",
            "amount": payout.minor,
            "arrival_date": payout.arrives,
            "automatic": true,
            "balance_transaction": own,
            "created": payout.created,
            "currency": code(self.account.profile.currency),
            "description": "STRIPE PAYOUT",
            "destination": "ba_private",
            "failure_code": failed.then_some("account_closed"),
            "livemode": false,
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "completed",
            "source_type": "card",
            "statement_descriptor": null,
            "status": status,
            "type": "bank_account",
        })
    }
}

fn fee_details(entry: &Entry, currency: &str) -> Vec<Value> {
    let detail = |kind: &str, amount: i64, description: &str| json!({ "amount": amount, "application": null, "currency": currency, "description": description, "type": kind });
    let own = entry.fee_minor - entry.fee_tax_minor;
    let mut details = Vec::new();
    if own != 0 {
        details.push(detail("stripe_fee", own, "Stripe processing fees"));
    }
    if entry.fee_tax_minor != 0 {
        details.push(detail("tax", entry.fee_tax_minor, "GST"));
    }
    details
}

/// Six digits at most, so the shortest spelling is the exact one.
fn rate(micro: i64) -> Option<Number> {
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000).parse::<f64>().ok().and_then(Number::from_f64)
}
