//! Charges and refunds as transactions, disputes, payouts, and payment intents as checkouts.

use portolan_sdk::BadRecord;
use portolan_sdk::commerce::{self, Checkout, Transaction};

use crate::amount::Unit;
use crate::entries::{date, moment};
use crate::shape::{Charge, Dispute, Expandable, Intent, Payment, Payout, Refund, reference};

const GATEWAY: &str = "stripe";

/// One charge is a sale, an authorisation, or, where less was captured than authorised, both an authorisation and
/// its capture: Stripe keeps them in one object. What was captured whole in a second step can't be told from what
/// was paid at once, and is a sale.
pub fn map_charge(src: u32, charge: &Charge<'_>, keys: &[&str]) -> Result<Vec<Transaction>, BadRecord> {
    let unit = Unit::new(&charge.currency, "currency")?;
    let at = moment(charge.created, "created")?;
    let succeeded = &*charge.status == "succeeded";
    let captured = charge.amount_captured.filter(|_| charge.captured).unwrap_or(0);
    let in_part = succeeded && captured > 0 && captured < charge.amount;
    let authorized = Transaction {
        src,
        key: charge.id.as_str().to_owned(),
        updated_at: at,
        order: reference(charge.metadata.as_ref(), keys),
        parent: None,
        kind: if in_part || (succeeded && !charge.captured) { "authorization" } else { "sale" }.to_owned(),
        state: charge.status.as_str().to_owned(),
        at,
        gateway: GATEWAY.to_owned(),
        provider_reference: Some(charge.payment_intent.as_ref().unwrap_or(&charge.id).as_str().to_owned()),
        currency: unit.currency.clone(),
        amount: unit.minor(charge.amount, "amount")?,
        test: !charge.livemode,
    };
    if !in_part {
        return Ok(vec![authorized]);
    }
    let capture = Transaction {
        key: format!("{}/capture", charge.id),
        parent: Some(authorized.key.clone()),
        kind: "capture".to_owned(),
        amount: unit.minor(captured, "amount_captured")?,
        ..authorized.clone()
    };
    Ok(vec![authorized, capture])
}

pub fn map_refund(src: u32, refund: &Refund<'_>, keys: &[&str]) -> Result<Transaction, BadRecord> {
    let unit = Unit::new(&refund.currency, "currency")?;
    let at = moment(refund.created, "created")?;
    Ok(Transaction {
        src,
        key: refund.id.as_str().to_owned(),
        updated_at: at,
        order: reference(refund.metadata.as_ref(), keys).or_else(|| noted(refund.charge.as_ref(), keys)),
        parent: refund.charge.as_ref().map(|charge| charge.id().to_owned()),
        kind: "refund".to_owned(),
        state: refund.status.as_deref().unwrap_or("succeeded").to_owned(),
        at,
        gateway: GATEWAY.to_owned(),
        provider_reference: Some(refund.payment_intent.as_ref().unwrap_or(&refund.id).as_str().to_owned()),
        amount: unit.minor(refund.amount, "amount")?,
        currency: unit.currency,
        // A refund does not say it; its charge does.
        test: refund.charge.as_ref().and_then(Expandable::object).and_then(|charge| charge.livemode)
            == Some(false),
    })
}

pub fn map_dispute(src: u32, dispute: &Dispute<'_>, keys: &[&str]) -> Result<commerce::Dispute, BadRecord> {
    let unit = Unit::new(&dispute.currency, "currency")?;
    let card = dispute.payment_method_details.as_ref().and_then(|details| details.card.as_ref());
    let case_type = card.and_then(|card| card.case_type.as_deref());
    let code =
        card.and_then(|card| card.network_reason_code.as_ref()).or(dispute.network_reason_code.as_ref());
    let opened_at = moment(dispute.created, "created")?;
    let due_by = dispute.evidence_details.as_ref().and_then(|details| details.due_by);
    Ok(commerce::Dispute {
        src,
        key: dispute.id.as_str().to_owned(),
        updated_at: opened_at,
        payment: dispute.charge.as_ref().map(|charge| charge.id().to_owned()),
        order: reference(dispute.metadata.as_ref(), keys).or_else(|| noted(dispute.charge.as_ref(), keys)),
        phase: phase(&dispute.status, case_type).to_owned(),
        state: state(&dispute.status).to_owned(),
        reason: reason(&dispute.reason).to_owned(),
        network_code: code.filter(|code| !code.is_empty()).map(|code| code.as_str().to_owned()),
        opened_at,
        due_by: due_by.map(|at| moment(at, "evidence_details.due_by")).transpose()?,
        amount: unit.minor(dispute.amount, "amount")?,
        currency: unit.currency,
    })
}

/// A bank's question is no chargeback yet; Stripe calls its states warnings. Newer versions say it outright.
fn phase(status: &str, case_type: Option<&str>) -> &'static str {
    match case_type {
        Some("inquiry") => "inquiry",
        Some("compliance" | "resolution") => "arbitration",
        _ if status.starts_with("warning_") => "inquiry",
        _ => "chargeback",
    }
}

/// The states that all providers share.
fn state(status: &str) -> &'static str {
    match status {
        "needs_response" => "needs-response",
        "under_review" => "under-review",
        "won" => "won",
        "lost" => "lost",
        "warning_needs_response" => "warning-needs-response",
        "warning_under_review" => "warning-under-review",
        "warning_closed" => "warning-closed",
        // The bank withdrew it before any money moved.
        "prevented" => "closed",
        // The merchant gave the money back before the bank took it.
        "charge_refunded" => "accepted",
        _ => "unknown",
    }
}

/// The nine reasons that all providers share.
fn reason(reason: &str) -> &'static str {
    match reason {
        "fraudulent" | "debit_not_authorized" => "fraud",
        "product_not_received" => "not-received",
        "product_unacceptable" => "not-as-described",
        "duplicate" => "duplicate",
        "credit_not_processed" => "credit-not-processed",
        "subscription_canceled" => "cancelled-subscription",
        "unrecognized" => "unrecognised",
        "incorrect_amount" => "amount-differs",
        _ => "other",
    }
}

pub fn map_payout(src: u32, payout: &Payout<'_>) -> Result<commerce::Payout, BadRecord> {
    let unit = Unit::new(&payout.currency, "currency")?;
    let initiated_at = moment(payout.created, "created")?;
    let trace = payout.trace_id.as_ref().and_then(|trace| trace.value.as_deref());
    Ok(commerce::Payout {
        src,
        key: payout.id.as_str().to_owned(),
        updated_at: initiated_at,
        deleted: false,
        state: payout.status.as_str().to_owned(),
        initiated_at,
        arrives_on: payout.arrival_date.map(|at| date(at, "arrival_date")).transpose()?,
        amount: unit.minor(payout.amount, "amount")?,
        currency: unit.currency,
        bank_reference: trace.filter(|trace| !trace.is_empty()).map(str::to_owned),
    })
}

/// A payment intent is what a checkout is at Stripe: it may be paid, and most that are not never will be.
pub fn map_intent(src: u32, intent: &Intent<'_>, keys: &[&str]) -> Result<Checkout, BadRecord> {
    let unit = Unit::new(&intent.currency, "currency")?;
    let created_at = moment(intent.created, "created")?;
    // The moment of success is that of the charge that succeeded; an id alone does not tell it.
    let charge = intent.latest_charge.as_ref().filter(|_| &*intent.status == "succeeded");
    let paid_at =
        charge.map(|charge| charge.object().and_then(|charge| charge.created).unwrap_or(intent.created));
    Ok(Checkout {
        src,
        key: intent.id.as_str().to_owned(),
        updated_at: created_at,
        stage: intent.status.as_str().to_owned(),
        created_at,
        completed_at: paid_at.map(|at| moment(at, "latest_charge.created")).transpose()?,
        order: reference(intent.metadata.as_ref(), keys),
        customer: intent.customer.as_ref().map(|customer| customer.as_str().to_owned()),
        url: None,
        total: unit.minor(intent.amount, "amount")?,
        currency: unit.currency,
    })
}

fn noted(charge: Option<&Expandable<'_, Payment<'_>>>, keys: &[&str]) -> Option<String> {
    let charge = charge.and_then(Expandable::object)?;
    reference(charge.metadata.as_ref(), keys)
}

#[cfg(test)]
mod tests {
    use super::{phase, reason, state};

    #[test]
    fn disputes_are_told_in_shared_words() {
        let states = ["won", "warning_closed", "charge_refunded", "?"].map(state);
        assert_eq!(states, ["won", "warning-closed", "accepted", "unknown"]);
        let reasons = ["fraudulent", "general", "product_unacceptable"].map(reason);
        assert_eq!(reasons, ["fraud", "other", "not-as-described"]);
        assert_eq!(phase("warning_under_review", None), "inquiry");
        assert_eq!(phase("needs_response", Some("chargeback")), "chargeback");
        assert_eq!(phase("lost", Some("inquiry")), "inquiry");
    }
}
