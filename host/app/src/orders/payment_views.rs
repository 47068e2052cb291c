//! The money of an order as its page shows it.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{OrderPayments, PaymentEntryRow, PaymentTotalRow};
use portolan_admin_ui::parts::{Link, Notice, Tone};
use portolan_commerce::cash::CashEvent;
use portolan_db::entity::document;

use super::payments::OrderMoney;
use crate::finance::links::{LinkedBy, PaymentRecord};
use crate::finance::words;
use crate::web::viewer::Viewer;

/// How many of the orders that a payment fits are named.
const NAMED: usize = 3;

pub fn order_payments(viewer: &Viewer, money: &OrderMoney) -> OrderPayments {
    let entries = money.payments.linked.iter().flat_map(|(payment, by)| {
        payment.entries.iter().map(|entry| entry_row(viewer, money, payment, *by, entry))
    });
    let totals = money.totals().into_iter().map(|(currency, sum)| PaymentTotalRow {
        amount: format::money(sum.amount_minor, currency),
        fee: format::money(-sum.fee_minor, currency),
        net: format::money(sum.net_minor, currency),
        currency: currency.to_string(),
    });
    OrderPayments {
        entries: entries.collect(),
        totals: totals.collect(),
        notice: ambiguity(money),
        note: note(money),
    }
}

fn entry_row(
    viewer: &Viewer,
    money: &OrderMoney,
    payment: &PaymentRecord,
    by: LinkedBy,
    entry: &CashEvent,
) -> PaymentEntryRow {
    let payout = entry.payout_key.as_deref().map(|key| match money.payout(payment, key) {
        Some(id) => Link::new(key, format!("/finance/payouts/{id}")),
        // Told by an entry before the payout itself has come.
        None => Link::new(key, "/finance"),
    });
    PaymentEntryRow {
        category: words(entry.category),
        provider_kind: entry.provider_kind.clone(),
        at: viewer.when(entry.event_at),
        payment: payment.key.clone(),
        source: money.label(payment.connection).to_owned(),
        linked_by: match by {
            LinkedBy::Order => "the provider names the order",
            LinkedBy::ProviderId => "by the provider's id",
            LinkedBy::Reference => "by the order's number",
        }
        .to_owned(),
        payout,
        amount: format::money(entry.amount_minor, entry.currency),
        fee: format::money(-i128::from(entry.fee_minor), entry.currency),
        net: format::money(entry.net_minor, entry.currency),
        currency: entry.currency.to_string(),
    }
}

/// A payment that could be another order's is not shown as this one's.
fn ambiguity(money: &OrderMoney) -> Option<Notice> {
    let told: Vec<String> = money
        .payments
        .ambiguous
        .iter()
        .map(|(payment, others)| {
            let more = match others.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let others: Vec<String> = others.iter().take(NAMED).map(|order| named(money, order)).collect();
            format!("{} also fits {}{more}", payment.key, others.join(", "))
        })
        .collect();
    let (first, rest) = told.split_first()?;
    let more = match rest.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let text = format!(
        "{first}{more}. It is counted for none of them: only an id of the provider's on the order could tell."
    );
    Some(Notice::new(Tone::Warn, "A payment fits several orders", text))
}

/// "#1001 of Harbour Shop".
fn named(money: &OrderMoney, order: &document::Model) -> String {
    let number = order.number.as_deref().unwrap_or(&order.key);
    format!("{number} of {}", money.label(order.connection_id))
}

fn note(money: &OrderMoney) -> String {
    if money.payments.more_exist {
        return "More payments name this order than are looked at here: the totals are not all of it."
            .to_owned();
    }
    let nothing = money.payments.linked.is_empty();
    match (nothing, money.payments.ambiguous.is_empty()) {
        (true, true) => {
            "No payment of a connected provider names this order, by an id of its own or by the order's number."
        }
        (true, false) => "",
        (false, _) => "As the providers' balances tell it; fees and what was taken away are negative.",
    }
    .to_owned()
}
