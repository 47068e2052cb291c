//! The page of one payout: from gross to what the bank gets.

use std::sync::Arc;

use axum::extract::State;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{CategoryRow, PayoutPage};
use portolan_admin_ui::parts::{Fact, Notice, Section, Tone};
use portolan_commerce::cash::{CashEvent, is_payout_itself};
use portolan_core::{ConnectionId, Instant};
use uuid::Uuid;

use super::links::orders_of_entries;
use super::queries::{self, PayoutRecord};
use super::views;
use crate::App;
use crate::channels::find_connection;
use crate::web::actor::{FinanceRead, PageActor};
use crate::web::error::PageResult;
use crate::web::extract::Path;
use crate::web::html;
use crate::web::viewer::Viewer;

/// Entries on one page; the API has all of them.
const SHOWN_ENTRIES: usize = 500;

pub async fn show_payout(
    PageActor(actor): PageActor<FinanceRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let record = queries::find_payout(&tx, actor.seen(), id).await?;
    let connection = find_connection(&tx, ConnectionId(record.head.connection_id)).await?;
    let entries = queries::entries_of_payout(&tx, &record).await?;
    let shown: Vec<CashEvent> = entries
        .iter()
        .filter(|entry| !is_payout_itself(entry, &record.head.key))
        .take(SHOWN_ENTRIES)
        .cloned()
        .collect();
    let orders = orders_of_entries(&tx, actor.seen(), record.head.connection_id, &shown).await?;
    drop(tx);
    let (payout, currency) = (&record.payout, record.payout.currency);
    let initiated = viewer.when(Instant(record.head.occurred_at.unwrap_or(record.head.updated_at)));
    let own: Vec<_> = entries.iter().filter(|entry| !is_payout_itself(entry, &record.head.key)).collect();
    let sum = |amount: fn(&CashEvent) -> i64| {
        let of_currency = own.iter().filter(|entry| entry.currency == currency);
        of_currency.map(|entry| i128::from(amount(entry))).sum::<i128>()
    };
    let total = CategoryRow {
        category: "Total".to_owned(),
        count: format::count(record.entry_count),
        amount: format::money(sum(|entry| entry.amount_minor), currency),
        fee: format::money(-sum(|entry| entry.fee_minor), currency),
        net: format::money(record.entries_net_minor, currency),
    };
    let mut facts = vec![Fact::new("Key", record.head.key.as_str())];
    if let Some(date) = payout.arrives_on {
        facts.push(Fact::new("Arrives", format::date(date)));
    }
    if let Some(reference) = &payout.bank_reference {
        facts.push(Fact::new("Bank reference", reference.as_str()));
    }
    html(&PayoutPage {
        shell: viewer.shell(
            format!("Payout of {}", format::money_with_code(payout.amount_minor, currency)),
            Section::Finance,
        ),
        scope: format!("{} · initiated {} · {currency}", connection.label, initiated.full),
        badges: vec![views::state_badge(&payout.state), views::check_badge(&record)],
        notice: explanation(&record),
        facts,
        currency: currency.to_string(),
        categories: views::category_rows(&entries, &record.head.key, currency),
        total,
        entries: shown
            .iter()
            .map(|entry| views::entry_row(&viewer, entry, orders.get(entry.ledger_key())))
            .collect(),
        entries_note: entries_note(own.len()),
    })
}

/// What a person does about a payout that its entries do not explain.
fn explanation(record: &PayoutRecord) -> Option<Notice> {
    if record.holds() {
        return None;
    }
    let notice = |tone, title: &str, text: String| Some(Notice::new(tone, title, text));
    if record.foreign_count > 0 {
        let entries = record.foreign_count;
        return notice(
            Tone::Warn,
            "Unlike currencies",
            format!(
                "{entries} of its entries are in another currency than the payout; they are added to nothing."
            ),
        );
    }
    if record.entry_count == 0 {
        return notice(
            Tone::Neutral,
            "Nothing to add up yet",
            "The provider tells which entries a payout pays out once it has been made: sync the connection again later."
                .to_owned(),
        );
    }
    let difference = format::money_with_code(record.difference_minor(), record.payout.currency);
    notice(
        Tone::Bad,
        "The entries do not add up to the payout",
        format!(
            "{difference} are unexplained. Sync the connection again; if it stays, ask the provider for the entries of this payout."
        ),
    )
}

fn entries_note(entries: usize) -> Option<String> {
    (entries > SHOWN_ENTRIES).then(|| {
        format!(
            "The first {} of {} entries are shown; the API has all of them.",
            format::count(SHOWN_ENTRIES as i64),
            format::count(entries as i64)
        )
    })
}
