mod links;
mod properties;
mod stories;
mod words;

use portolan_core::{Currency, EventId, Instant, StoreCalendar};

use super::{CashEvent, PaymentFacts, standing_events_under};
use crate::document::{BalanceEntry, Dispute, Moment, Payout};
use crate::ledger::{PostedEvent, Version, difference};

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn moment(text: &str) -> Moment {
    Moment::At(Instant::parse_rfc3339(text).unwrap())
}

fn utc() -> StoreCalendar {
    StoreCalendar::utc()
}

/// An entry of payment `pay-1`, of 1 May 2026 at noon.
fn entry(key: &str, category: &str, amount_minor: i64, fee_minor: i64) -> BalanceEntry {
    BalanceEntry {
        src: 0,
        key: key.into(),
        updated_at: moment("2026-05-01T12:00:00Z"),
        deleted: false,
        category: category.into(),
        provider_kind: category.into(),
        at: moment("2026-05-01T12:00:00Z"),
        available_on: None,
        payment: Some("pay-1".into()),
        order: None,
        reference: None,
        payout: Some("po-1".into()),
        source: None,
        method: Some("card".into()),
        currency: currency("EUR"),
        amount_minor,
        fee_minor,
        fee_tax_minor: 0,
        net_minor: amount_minor - fee_minor,
        charged: None,
        fx_rate: None,
    }
}

fn payout(key: &str, amount_minor: i64) -> Payout {
    Payout {
        src: 0,
        key: key.into(),
        updated_at: moment("2026-05-05T12:00:00Z"),
        deleted: false,
        state: "paid".into(),
        initiated_at: moment("2026-05-04T12:00:00Z"),
        arrives_on: None,
        currency: currency("EUR"),
        amount_minor,
        bank_reference: None,
    }
}

fn dispute(key: &str, state: &str, updated_at: &str) -> Dispute {
    Dispute {
        src: 0,
        key: key.into(),
        updated_at: moment(updated_at),
        payment: Some("pay-1".into()),
        order: None,
        phase: "chargeback".into(),
        state: state.into(),
        reason: "fraud".into(),
        network_code: None,
        opened_at: moment("2026-05-20T12:00:00Z"),
        due_by: None,
        currency: currency("EUR"),
        amount_minor: 1_000,
    }
}

/// A version whose hash follows from its content.
fn version<T: std::fmt::Debug>(document: T) -> Version<T> {
    let mut hash = [0_u8; 32];
    for (index, byte) in format!("{document:?}").bytes().enumerate() {
        let place = &mut hash[index % 32];
        *place = place.rotate_left(3) ^ byte;
    }
    Version { document, received_at: Instant(0), hash }
}

fn versions<T: std::fmt::Debug>(documents: impl IntoIterator<Item = T>) -> Vec<Version<T>> {
    documents.into_iter().map(version).collect()
}

/// What should stand under a key.
fn events(key: &str, entries: &[Version<BalanceEntry>], disputes: &[Version<Dispute>]) -> Vec<CashEvent> {
    standing_events_under(key, &PaymentFacts { entries, disputes }, &utc()).unwrap()
}

/// A ledger of one key in memory.
#[derive(Default)]
struct Ledger {
    posted: Vec<PostedEvent<CashEvent>>,
}

impl Ledger {
    fn post(&mut self, should: Vec<CashEvent>) -> usize {
        let postings = difference(should, &self.posted);
        let count = postings.len();
        for posting in postings {
            let id = EventId(uuid::Uuid::from_u128(self.posted.len() as u128));
            self.posted.push(posting.posted(id));
        }
        count
    }

    fn all(&self) -> impl Iterator<Item = &CashEvent> {
        self.posted.iter().map(|posted| &posted.event)
    }
}

/// `sale 2026-05-01 of 2026-05-01 amount 1000 fee 45 net 955 EUR`.
fn shown(event: &CashEvent) -> String {
    let CashEvent {
        category, event_date, payment_date, amount_minor, fee_minor, net_minor, currency, ..
    } = event;
    format!(
        "{category} {event_date} of {payment_date} amount {amount_minor} fee {fee_minor} net {net_minor} {currency}"
    )
}

fn all_shown(events: &[CashEvent]) -> Vec<String> {
    events.iter().map(shown).collect()
}
