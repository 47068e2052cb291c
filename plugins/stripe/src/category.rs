//! What a balance transaction is, in the words that all providers share: one table.
//!
//! Stripe names a movement twice: `type` says what made it, `reporting_category` what an accountant calls it. Fees
//! of Stripe's are told apart by type (all are reported as "fee"), adjustments by category (a dispute is of type
//! "adjustment"). <https://stripe.com/docs/reports/balance-transaction-types>,
//! <https://stripe.com/docs/reports/reporting-categories>

/// The canonical category; "other" where Stripe says something that nobody knew when this was written.
pub fn category(kind: &str, reporting_category: &str, amount: i64) -> &'static str {
    by_fee_type(kind, amount)
        .or_else(|| by_reporting_category(reporting_category, amount))
        .or_else(|| by_type(kind, amount))
        .unwrap_or("other")
}

fn by_fee_type(kind: &str, amount: i64) -> Option<&'static str> {
    Some(match kind {
        // What Stripe takes for an exchange is its fee; "fx" is the money itself, exchanged from one balance to another.
        "stripe_fee" | "stripe_fx_fee" => fee(amount),
        "tax_fee" => "tax-on-fee",
        _ => return None,
    })
}

/// What an accountant calls it.
pub fn by_reporting_category(name: &str, amount: i64) -> Option<&'static str> {
    Some(match name {
        // A bank debit that bounced and the part of an authorisation that was not captured take back what "charge"
        // has put down: no buyer was given a refund.
        "charge" | "charge_failure" | "partial_capture_reversal" => "sale",
        // A refund that the buyer's bank sent back is its own undoing.
        "refund" | "refund_failure" => "refund",
        "dispute" => "dispute",
        "dispute_reversal" => "dispute-reversal",
        "fee" | "network_cost" => fee(amount),
        "tax" => "tax-on-fee",
        "risk_reserved_funds"
        | "connect_reserved_funds"
        | "issuing_authorization_hold"
        | "issuing_authorization_release"
        | "payout_minimum_balance_hold"
        | "payout_minimum_balance_release" => reserve(amount),
        "other_adjustment" => "adjustment",
        // Between balances of the merchant's own: connected accounts, top-ups from the bank. An application fee is the
        // platform's share of a charge that, with destination charges, it has booked already: as a sale it would
        // count twice.
        "transfer"
        | "transfer_reversal"
        | "topup"
        | "topup_reversal"
        | "platform_earning"
        | "platform_earning_refund"
        | "connect_collection_transfer" => "transfer",
        "payout" => "payout",
        "payout_reversal" => "payout-reversal",
        // Money lent against future sales, and what is kept of them to pay it back.
        "advance"
        | "advance_funding"
        | "anticipation_repayment"
        | "financing_paydown"
        | "financing_paydown_reversal"
        | "financing_payout"
        | "financing_payout_reversal"
        | "obligation" => "loan",
        // Spent by card, given to a cause, or a buyer's own money that waits for an invoice.
        "issuing_transaction" | "issuing_dispute" | "contribution" | "unreconciled_customer_funds" => "other",
        _ => return None,
    })
}

/// What made it: for answers of API versions that have no reporting category.
pub fn by_type(kind: &str, amount: i64) -> Option<&'static str> {
    Some(match kind {
        "charge" | "payment" | "payment_failure_refund" | "payment_reversal" => "sale",
        "refund" | "payment_refund" | "refund_failure" => "refund",
        "stripe_fee" | "stripe_fx_fee" => fee(amount),
        "tax_fee" => "tax-on-fee",
        "reserve_transaction"
        | "reserved_funds"
        | "issuing_authorization_hold"
        | "issuing_authorization_release" => reserve(amount),
        "adjustment" => "adjustment",
        "transfer"
        | "transfer_cancel"
        | "transfer_failure"
        | "transfer_refund"
        | "topup"
        | "topup_reversal"
        | "application_fee"
        | "application_fee_refund"
        | "connect_collection_transfer" => "transfer",
        "payout" => "payout",
        "payout_cancel" | "payout_failure" => "payout-reversal",
        "advance"
        | "advance_funding"
        | "anticipation_repayment"
        | "obligation_inbound"
        | "obligation_outbound"
        | "obligation_payout"
        | "obligation_payout_failure"
        | "obligation_reversal_inbound"
        | "obligation_reversal_outbound" => "loan",
        "issuing_transaction" | "issuing_dispute" | "contribution" => "other",
        _ => return None,
    })
}

fn fee(amount: i64) -> &'static str {
    if amount > 0 { "fee-refund" } else { "fee" }
}

fn reserve(amount: i64) -> &'static str {
    if amount > 0 { "reserve-release" } else { "reserve-hold" }
}
