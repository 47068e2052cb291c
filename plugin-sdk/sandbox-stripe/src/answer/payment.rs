//! Charges, refunds, disputes, payment intents.

use serde_json::{Value, json};

use super::{View, code};
use crate::world::{Charge, Outcome};

const DAY_S: i64 = 86_400;

impl View<'_> {
    pub fn charge(&self, index: usize) -> Value {
        let charge = &self.account.charges[index];
        let captured = charge.captured_at.is_some_and(|at| at <= self.now);
        let given: i64 = self.refunds_of(charge).map(|refund| refund.minor).sum();
        let dispute = charge.dispute.map(|index| &self.account.disputes[index]);
        let entry = charge.entry.filter(|_| captured).map(|index| self.account.entries[index].id.as_str());
        let buyer = charge.customer.map(|index| self.account.customers[index].id.as_str());
        json!({
            "id": charge.id,
            "object": "charge",
            "amount": charge.amount.minor,
            "amount_captured": if captured { charge.amount.minor } else { 0 },
            "amount_refunded": given,
            "balance_transaction": entry,
            "billing_details": self.billing(charge),
            "captured": captured,
            "created": charge.created,
            "currency": code(charge.amount.currency),
            "customer": buyer,
            "description": format!("Order of Buyer {}", charge.order_number),
            "disputed": dispute.is_some_and(|dispute| dispute.created <= self.now && !dispute.inquiry),
            "failure_code": charge.failed.then_some("card_declined"),
            "livemode": false,
            "metadata": metadata(charge.order_number, charge.order_id),
            "paid": !charge.failed,
            "payment_intent": self.account.intents[charge.intent].id,
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": charge.brand, "country": "US", "exp_month": 8, "exp_year": 2031,
                    "fingerprint": format!("finger{}", charge.order_id), "funding": "credit",
                    "last4": "4242", "network": charge.brand,
                },
            },
            "receipt_email": format!("buyer-{}@shop.example", charge.order_number),
            "receipt_url": "https://pay.stripe.example/receipts/0",
            "refunded": given == charge.amount.minor,
            "status": if charge.failed { "failed" } else { "succeeded" },
        })
    }

    fn billing(&self, charge: &Charge) -> Value {
        json!({
            "address": {
                "city": "Private City", "country": "US", "line1": format!("{} Private Street", charge.order_number),
                "line2": null, "postal_code": "00000", "state": null,
            },
            "email": format!("buyer-{}@shop.example", charge.order_number),
            "name": format!("Buyer {}", charge.order_number),
            "phone": "+000000000",
        })
    }

    fn refunds_of<'v>(&'v self, charge: &'v Charge) -> impl Iterator<Item = &'v crate::world::Refund> {
        let refunds = charge.refunds.iter().map(move |index| &self.account.refunds[*index]);
        refunds.filter(move |refund| refund.created <= self.now)
    }

    /// An id, or what it names.
    fn charge_or_id(&self, index: usize, expand: bool) -> Value {
        if expand { self.charge(index) } else { self.account.charges[index].id.as_str().into() }
    }

    pub fn refund(&self, index: usize, expand_charge: bool) -> Value {
        let refund = &self.account.refunds[index];
        let charge = &self.account.charges[refund.charge];
        json!({
            "id": refund.id,
            "object": "refund",
            "amount": refund.minor,
            "balance_transaction": self.account.entries[refund.entry].id,
            "charge": self.charge_or_id(refund.charge, expand_charge),
            "created": refund.created,
            "currency": code(charge.amount.currency),
            "metadata": {},
            "payment_intent": self.account.intents[charge.intent].id,
            "reason": "requested_by_customer",
            "receipt_number": null,
            "status": if refund.succeeds_at <= self.now { "succeeded" } else { "pending" },
        })
    }

    pub fn dispute(&self, index: usize, expand_charge: bool) -> Value {
        let dispute = &self.account.disputes[index];
        let charge = &self.account.charges[dispute.charge];
        let closed = dispute.closed.filter(|(at, _)| *at <= self.now).map(|(_, outcome)| outcome);
        let answered = dispute.answered_at <= self.now;
        let status = match (closed, dispute.inquiry, answered) {
            (Some(Outcome::Won), ..) => "won",
            (Some(Outcome::Lost), ..) => "lost",
            (Some(Outcome::Closed), ..) => "warning_closed",
            (None, true, false) => "warning_needs_response",
            (None, true, true) => "warning_under_review",
            (None, false, false) => "needs_response",
            (None, false, true) => "under_review",
        };
        let entries =
            dispute.entries.iter().filter(|index| self.account.entries[**index].created <= self.now);
        json!({
            "id": dispute.id,
            "object": "dispute",
            "amount": dispute.minor,
            "balance_transactions": entries.map(|index| self.entry(*index, false, false)).collect::<Vec<_>>(),
            "charge": self.charge_or_id(dispute.charge, expand_charge),
            "created": dispute.created,
            "currency": code(charge.amount.currency),
            "evidence": {
                "customer_email_address": format!("buyer-{}@shop.example", charge.order_number),
                "customer_name": format!("Buyer {}", charge.order_number),
                "customer_purchase_ip": "192.0.2.7",
                "uncategorized_text": if answered { "The buyer wrote from a private address." } else { "" },
            },
            "evidence_details": {
                "due_by": dispute.due_by - dispute.due_by.rem_euclid(DAY_S) + DAY_S - 1,
                "has_evidence": answered,
                "past_due": !answered && dispute.due_by < self.now,
                "submission_count": u8::from(answered),
            },
            "is_charge_refundable": dispute.inquiry,
            "livemode": false,
            "metadata": {},
            "payment_intent": self.account.intents[charge.intent].id,
            "payment_method_details": { "type": "card", "card": { "brand": charge.brand, "network_reason_code": dispute.code } },
            "reason": dispute.reason,
            "status": status,
        })
    }

    pub fn intent(&self, index: usize, expand_charge: bool) -> Value {
        let intent = &self.account.intents[index];
        let charge = intent.charge.map(|index| (index, &self.account.charges[index]));
        let charge = charge.filter(|(_, charge)| charge.created <= self.now);
        let captured = charge.is_some_and(|(_, charge)| charge.captured_at.is_some_and(|at| at <= self.now));
        let status = match (charge, captured) {
            (None, _) => "requires_payment_method",
            (Some(_), false) => "requires_capture",
            (Some(_), true) => "succeeded",
        };
        json!({
            "id": intent.id,
            "object": "payment_intent",
            "amount": intent.amount.minor,
            "amount_received": if captured { intent.amount.minor } else { 0 },
            "capture_method": "automatic",
            "client_secret": format!("{}_secret_private", intent.id),
            "confirmation_method": "automatic",
            "created": intent.created,
            "currency": code(intent.amount.currency),
            "customer": intent.customer.map(|index| self.account.customers[index].id.as_str()),
            "latest_charge": charge.map(|(index, _)| self.charge_or_id(index, expand_charge)),
            "livemode": false,
            "metadata": { "order_number": format!("#{}", intent.order_number) },
            "payment_method_types": ["card"],
            "receipt_email": format!("buyer-{}@shop.example", intent.order_number),
            "status": status,
        })
    }
}

/// What the shop writes on its payments: the order as its buyer and as its system know it.
fn metadata(number: u32, id: u64) -> Value {
    json!({
        "order_number": format!("#{number}"),
        "order_id": id.to_string(),
        "customer_note": "A private note of the buyer",
    })
}
