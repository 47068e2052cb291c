//! What moves money.

use portolan_commerce::document::{BalanceEntry, Checkout, Dispute, Document, Payout, Transaction};

use super::{Check, Converted};
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
        kind: check.word("kind", item.kind)?,
        at: check.moment("at", item.at)?,
        available_on: check.dates("available-on", item.available_on)?,
        order: check.keys("order", item.order)?,
        payout: check.keys("payout", item.payout)?,
        source: check.keys("source", item.source)?,
        method: check.words("method", item.method)?,
        currency: check.currency("currency", &item.currency)?,
        amount_minor: item.amount,
        fee_minor: item.fee,
        net_minor: item.net,
        fx_rate: check.decimals("fx-rate", item.fx_rate)?,
    };
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
