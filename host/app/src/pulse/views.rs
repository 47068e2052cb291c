//! Answers as figures, rows and words.

use std::collections::BTreeMap;

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{FreshnessRow, TopProductRow, TopProducts};
use portolan_admin_ui::parts::{Badge, Delta, Link, Notice, Tone};
use portolan_analytics::{Cell, MASKED, Row, Table, metric};
use portolan_core::{Currency, Instant};
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::stream;
use portolan_db::entity::sync::{self, SyncState};

use super::queries::{Answers, currency_of};
use crate::web::viewer::Viewer;

pub(super) fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Count(count) => format::count(*count),
        Cell::Quantity(quantity) => match quantity.to_milli() {
            Some(milli) => format::quantity_milli(milli),
            None => quantity.to_string(),
        },
        Cell::Money(money) => format::money(money.amount_minor, money.currency),
        Cell::Ratio(ratio) => format!("{ratio:.2}"),
        Cell::Masked => MASKED.to_owned(),
        Cell::Null | Cell::Period(_) | Cell::Key { .. } => format::MISSING.to_owned(),
    }
}

/// The number as an integer of its own smallest part, for exact changes.
pub(super) fn smallest_parts(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Count(count) => Some(i128::from(*count)),
        Cell::Money(money) => Some(i128::from(money.amount_minor)),
        Cell::Quantity(quantity) => quantity.to_milli().map(i128::from),
        _ => None,
    }
}

pub(super) fn delta(table: &Table, row: &Row, id: &str, compared_with: Option<&str>) -> Option<Delta> {
    let now = smallest_parts(table.cell(row, id)?)?;
    let then = smallest_parts(&table.compared(row, id)?.value)?;
    let higher_is_better = metric(id).map(|metric| !metric.less_is_better);
    format::delta(now, then, higher_is_better, &format!("vs {}", compared_with?))
}

/// The products that brought most, currency by currency. `labels`: connections by id.
pub fn top_products(
    answers: &Answers,
    labels: &BTreeMap<String, String>,
    compared_with: Option<&str>,
) -> TopProducts {
    let Some(table) = &answers.products else { return TopProducts::default() };
    let totals: BTreeMap<Currency, i64> = table
        .totals
        .iter()
        .filter_map(|row| {
            let money = table.cell(row, "net_sales")?.as_money()?;
            Some((money.currency, money.amount_minor))
        })
        .collect();
    let rows: Vec<TopProductRow> =
        table.rows.iter().filter_map(|row| product_row(table, row, &totals, labels, compared_with)).collect();
    let note = match totals.len() {
        _ if rows.is_empty() => String::new(),
        0 | 1 => format!("{} by net sales; share of all net sales", rows.len()),
        _ => "The largest of each currency by net sales; shares are of the same currency".to_owned(),
    };
    TopProducts { rows, note }
}

fn product_row(
    table: &Table,
    row: &Row,
    totals: &BTreeMap<Currency, i64>,
    labels: &BTreeMap<String, String>,
    compared_with: Option<&str>,
) -> Option<TopProductRow> {
    let Cell::Key { key, label } = table.cell(row, "product")? else { return None };
    let money = table.cell(row, "net_sales")?.as_money()?;
    let units = table.cell(row, "units_net")?;
    // What sold in the compared days alone is no product of these days.
    if money.amount_minor == 0 && smallest_parts(units) == Some(0) {
        return None;
    }
    let connection = key.as_deref().and_then(|key| key.split_once('/')).map(|(connection, _)| connection);
    let total = totals.get(&money.currency).copied().unwrap_or_default();
    Some(TopProductRow {
        title: if key.is_some() { label.clone() } else { "Without a product".to_owned() },
        source: connection.and_then(|id| labels.get(id)).cloned().unwrap_or_default(),
        units: cell_text(units),
        net_sales: format::money(money.amount_minor, money.currency),
        currency: money.currency.to_string(),
        share: if total > 0 {
            format::percent(money.amount_minor, total)
        } else {
            format::MISSING.to_owned()
        },
        delta: delta(table, row, "net_sales", compared_with),
    })
}

/// Whether anything happened in the range.
pub fn nothing_happened(answers: &Answers) -> bool {
    let still = |cell: Option<&Cell>| cell.and_then(smallest_parts).is_none_or(|number| number == 0);
    let money = &answers.money;
    let no_money = money
        .rows
        .iter()
        .all(|row| ["net_sales", "returns", "demand_sales"].iter().all(|id| still(money.cell(row, id))));
    let counts = &answers.counts;
    no_money && counts.rows.iter().all(|row| still(counts.cell(row, "orders")))
}

/// The currencies of an answer, in their order.
pub fn currencies(money: &Table) -> Vec<Currency> {
    money.rows.iter().filter_map(|row| currency_of(money, row)).collect()
}

pub fn currency_notice(currencies: &[Currency], converts: bool) -> Option<Notice> {
    let (first, others) = currencies.split_first()?;
    if others.is_empty() {
        return None;
    }
    let names: Vec<String> = others.iter().map(ToString::to_string).collect();
    let title = format!("{first} and {} are kept apart", names.join(", "));
    if !converts {
        let text = "Amounts are shown as they were sold, and none is added to another.";
        return Some(Notice::new(Tone::Neutral, title, text));
    }
    let text =
        "No exchange rate between them is known, so each is shown on its own and none is added to another.";
    let action = Some(Link::new("Exchange rates", "/rates"));
    Some(Notice { action, ..Notice::new(Tone::Warn, title, text) })
}

/// How fresh one connection is: its slowest stream counts.
pub fn freshness_row(
    viewer: &Viewer,
    connection: &connection::Model,
    streams: &[stream::Model],
    newest: Option<&sync::Model>,
) -> FreshnessRow {
    let fed = streams
        .iter()
        .filter(|stream| stream.enabled && (stream.cron.is_some() || stream.last_success_at.is_some()));
    let last_success_at = fed.map(|stream| stream.last_success_at).min().flatten();
    let (state, note) = freshness_state(connection.state, newest);
    FreshnessRow {
        label: connection.label.clone(),
        href: format!("/connections/{}", connection.id),
        state,
        when: last_success_at.map(|at| viewer.when(Instant(at))),
        note,
    }
}

fn freshness_state(state: ConnectionState, newest: Option<&sync::Model>) -> (Badge, Option<String>) {
    match state {
        ConnectionState::NeedsAuth => {
            return (
                Badge::new("needs a new secret", Tone::Bad),
                Some("nothing is fetched until then".to_owned()),
            );
        }
        ConnectionState::Paused => return (Badge::new("paused", Tone::Warn), None),
        ConnectionState::Active => {}
    }
    let Some(sync) = newest else { return (Badge::new("not synced yet", Tone::Neutral), None) };
    match sync.state {
        SyncState::Queued => (Badge::new("sync waits", Tone::Active), None),
        SyncState::Running if sync.error_code.is_some() => {
            (Badge::new("sync tries again", Tone::Warn), sync.error_detail.clone())
        }
        SyncState::Running => (Badge::new("syncing", Tone::Active), None),
        SyncState::Paused => (Badge::new("sync paused", Tone::Warn), None),
        SyncState::Succeeded => (Badge::new("up to date", Tone::Good), None),
        SyncState::Failed => (Badge::new("last sync failed", Tone::Bad), sync.error_detail.clone()),
        SyncState::Cancelled => (Badge::new("last sync cancelled", Tone::Warn), None),
    }
}

/// How complete the shown figures are: "complete as of 2 h ago", or which source has not come yet.
pub(super) fn freshness_text<'a>(rows: impl Iterator<Item = &'a FreshnessRow>) -> Option<String> {
    let rows: Vec<&FreshnessRow> = rows.collect();
    let missing: Vec<&str> =
        rows.iter().filter(|row| row.when.is_none()).map(|row| row.label.as_str()).collect();
    match missing.as_slice() {
        [] => {
            let stalest = rows.iter().filter_map(|row| row.when.as_ref()).min_by_key(|when| &when.iso)?;
            Some(format!("complete as of {}", stalest.text))
        }
        [only] => Some(format!("without {only}, which is not complete yet")),
        [first, others @ ..] => {
            Some(format!("without {first} and {} more that are not complete yet", others.len()))
        }
    }
}
