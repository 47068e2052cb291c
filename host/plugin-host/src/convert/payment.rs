//! What moves money.

use portolan_commerce::document::{BalanceEntry, Checkout, Dispute, Document, Payout, Transaction};
use portolan_core::Money;

use super::{BadDocument, Check, Converted};
use crate::bindings::portolan::plugin::commerce as wit;

pub fn transaction(check: &mut Check, item: wit::Transaction) -> Converted {
    check.begin("transaction", &item.key);
    let src = item.src;
    let transaction = Transaction {
        src,
        key: check.key("key", item.key)?,
        updated_at: check.moment("updated-at", item.updated_at)?,
        order: check.keys("order", item.order)?,
        parent: check.keys("parent", item.parent)?,
        kind: check.word("kind", item.kind)?,
        state: check.word("state", item.state)?,
        at: check.moment("at", item.at)?,
        gateway: check.word("gateway", item.gateway)?,
        provider_reference: check.words("provider-reference", item.provider_reference)?,
        currency: check.currency("currency", &item.currency)?,
        amount_minor: item.amount,
        test: item.test,
    };
    Ok((Document::Transaction(transaction), vec![src]))
}

pub fn balance_entry(check: &mut Check, item: wit::BalanceEntry) -> Converted {
    check.begin("balance entry", &item.key);
    let src = item.src;
    let entry = BalanceEntry {
        src,
        key: check.key("key", item.key)?,
        updated_at: check.moment("updated-at", item.updated_at)?,
        deleted: item.deleted,
        category: check.word("category", item.category)?,
        provider_kind: check.word("provider-kind", item.provider_kind)?,
        at: check.moment("at", item.at)?,
        available_on: check.dates("available-on", item.available_on)?,
        payment: check.keys("payment", item.payment)?,
        order: check.keys("order", item.order)?,
        reference: check.words("reference", item.reference)?,
        payout: check.keys("payout", item.payout)?,
        source: check.keys("source", item.source)?,
        method: check.words("method", item.method)?,
        currency: check.currency("currency", &item.currency)?,
        amount_minor: item.amount,
        fee_minor: item.fee,
        fee_tax_minor: item.fee_tax,
        net_minor: item.net,
        charged: item.charged.map(|charged| money(check, "charged", &charged)).transpose()?,
        fx_rate: check.decimals("fx-rate", item.fx_rate)?,
    };
    if entry.amount_minor.checked_sub(entry.fee_minor) != Some(entry.net_minor) {
        return Err(check.invalid("net", "is not amount − fee: name the fee, or the amount before it"));
    }
    if entry.fx_rate.is_some_and(|rate| rate.unscaled <= 0) {
        return Err(check.invalid("fx-rate", "is not above zero: it is units of currency for one of charged"));
    }
    Ok((Document::BalanceEntry(entry), vec![src]))
}

pub fn payout(check: &mut Check, item: wit::Payout) -> Converted {
    check.begin("payout", &item.key);
    let src = item.src;
    let payout = Payout {
        src,
        key: check.key("key", item.key)?,
        updated_at: check.moment("updated-at", item.updated_at)?,
        deleted: item.deleted,
        state: check.word("state", item.state)?,
        initiated_at: check.moment("initiated-at", item.initiated_at)?,
        arrives_on: check.dates("arrives-on", item.arrives_on)?,
        currency: check.currency("currency", &item.currency)?,
        amount_minor: item.amount,
        bank_reference: check.words("bank-reference", item.bank_reference)?,
    };
    Ok((Document::Payout(payout), vec![src]))
}

pub fn dispute(check: &mut Check, item: wit::Dispute) -> Converted {
    check.begin("dispute", &item.key);
    let src = item.src;
    let dispute = Dispute {
        src,
        key: check.key("key", item.key)?,
        updated_at: check.moment("updated-at", item.updated_at)?,
        payment: check.keys("payment", item.payment)?,
        order: check.keys("order", item.order)?,
        phase: check.word("phase", item.phase)?,
        state: check.word("state", item.state)?,
        reason: check.text("reason", item.reason)?,
        network_code: check.words("network-code", item.network_code)?,
        opened_at: check.moment("opened-at", item.opened_at)?,
        due_by: check.moments("due-by", item.due_by)?,
        currency: check.currency("currency", &item.currency)?,
        amount_minor: item.amount,
    };
    Ok((Document::Dispute(dispute), vec![src]))
}

pub fn checkout(check: &mut Check, item: wit::Checkout) -> Converted {
    check.begin("checkout", &item.key);
    let src = item.src;
    let checkout = Checkout {
        src,
        key: check.key("key", item.key)?,
        updated_at: check.moment("updated-at", item.updated_at)?,
        stage: check.word("stage", item.stage)?,
        created_at: check.moment("created-at", item.created_at)?,
        completed_at: check.moments("completed-at", item.completed_at)?,
        order: check.keys("order", item.order)?,
        customer: check.keys("customer", item.customer)?,
        url: check.texts("url", item.url)?,
        currency: check.currency("currency", &item.currency)?,
        total_minor: item.total,
    };
    Ok((Document::Checkout(checkout), vec![src]))
}

fn money(check: &Check, field: &str, money: &wit::Money) -> Result<Money, BadDocument> {
    Ok(Money::new(money.amount, check.currency(field, &money.currency)?))
}
