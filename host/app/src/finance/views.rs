//! Payouts as their pages show them.

use std::collections::BTreeMap;

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{CategoryRow, EntryRow, PayoutRow};
use portolan_admin_ui::parts::{Badge, Link, Tone};
use portolan_commerce::cash::{BalanceCategory, CashEvent, is_payout_itself};
use portolan_core::{Currency, Instant};

use super::links::OrderOfPayment;
use super::queries::PayoutRecord;
use crate::web::viewer::Viewer;

/// How a state of a payout is meant; providers name many.
pub fn state_badge(state: &str) -> Badge {
    let tone = match state {
        "paid" | "completed" | "settled" | "deposited" => Tone::Good,
        "pending" | "in_transit" | "scheduled" | "processing" => Tone::Active,
        "failed" | "canceled" | "cancelled" | "returned" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Badge::new(if state.is_empty() { "unknown".to_owned() } else { state.replace(['_', '-'], " ") }, tone)
}

/// Whether the entries explain the payout.
pub fn check_badge(record: &PayoutRecord) -> Badge {
    if record.holds() {
        return Badge::new("adds up", Tone::Good);
    }
    if record.foreign_count > 0 {
        return Badge::new("unlike currencies", Tone::Warn);
    }
    if record.entry_count == 0 {
        return Badge::new("no entries yet", Tone::Neutral);
    }
    let difference = format::money_with_code(record.difference_minor(), record.payout.currency);
    Badge::new(format!("{difference} unexplained"), Tone::Bad)
}

pub fn payout_row(viewer: &Viewer, record: &PayoutRecord, connection: &str) -> PayoutRow {
    let payout = &record.payout;
    PayoutRow {
        href: format!("/finance/payouts/{}", record.head.id),
        key: record.head.key.clone(),
        connection: connection.to_owned(),
        initiated: viewer.when(Instant(record.head.occurred_at.unwrap_or(record.head.updated_at))),
        arrives: payout.arrives_on.map_or_else(|| format::MISSING.to_owned(), format::date),
        state: state_badge(&payout.state),
        entries: format::count(record.entry_count),
        check: check_badge(record),
        amount: format::money(payout.amount_minor, payout.currency),
        currency: payout.currency.to_string(),
    }
}

/// From gross to payout: what each category of entries brought or took, largest first.
pub fn category_rows(entries: &[CashEvent], payout_key: &str, currency: Currency) -> Vec<CategoryRow> {
    #[derive(Default)]
    struct Sum {
        count: i64,
        amount: i128,
        fee: i128,
        net: i128,
    }
    let mut sums: BTreeMap<BalanceCategory, Sum> = BTreeMap::new();
    let is_part = |entry: &&CashEvent| entry.currency == currency && !is_payout_itself(entry, payout_key);
    for entry in entries.iter().filter(is_part) {
        let sum = sums.entry(entry.category).or_default();
        sum.count += 1;
        sum.amount += i128::from(entry.amount_minor);
        sum.fee += i128::from(entry.fee_minor);
        sum.net += i128::from(entry.net_minor);
    }
    let mut sums: Vec<(BalanceCategory, Sum)> = sums.into_iter().collect();
    sums.sort_by_key(|(category, sum)| (-sum.net.abs(), *category));
    let row = |(category, sum): (BalanceCategory, Sum)| CategoryRow {
        category: words(category),
        count: format::count(sum.count),
        amount: format::money(sum.amount, currency),
        fee: format::money(-sum.fee, currency),
        net: format::money(sum.net, currency),
    };
    sums.into_iter().map(row).collect()
}

pub fn entry_row(viewer: &Viewer, entry: &CashEvent, order: Option<&OrderOfPayment>) -> EntryRow {
    let charged = entry.charged_currency.zip(entry.charged_minor);
    EntryRow {
        order: match order {
            Some(OrderOfPayment::Linked { order, .. }) => {
                let number = order.number.as_deref().unwrap_or(&order.key);
                Some(Link::new(number, format!("/orders/{}", order.id)))
            }
            _ => None,
        },
        order_note: match order {
            Some(OrderOfPayment::Ambiguous { orders }) => format!("fits {} orders", orders.len()),
            _ => String::new(),
        },
        key: entry.entry_key.clone(),
        category: words(entry.category),
        provider_kind: entry.provider_kind.clone(),
        at: viewer.when(entry.event_at),
        reference: entry.reference.clone().or_else(|| entry.payment_key.clone()).unwrap_or_default(),
        charged: charged
            .map(|(currency, minor)| format::money_with_code(minor, currency))
            .unwrap_or_default(),
        amount: format::money(entry.amount_minor, entry.currency),
        fee: format::money(-i128::from(entry.fee_minor), entry.currency),
        net: format::money(entry.net_minor, entry.currency),
        currency: entry.currency.to_string(),
    }
}

/// A category as people read it.
pub fn words(category: BalanceCategory) -> String {
    category.as_str().replace('_', " ")
}
