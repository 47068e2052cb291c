//! An order as its page shows it.

use std::collections::{BTreeMap, BTreeSet};

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{EventRow, LineageRow, OrderLineRow, RefundRow, VersionRow};
use portolan_admin_ui::parts::{Badge, Fact, PostAction, Tone};
use portolan_commerce::document::{Order, OrderLine, Refund};
use portolan_commerce::ledger::{PostedEvent, SaleEvent};
use portolan_core::{Currency, Decimal, Instant};
use portolan_db::entity::{document, document_version, sale_event};

use super::lineage::Lineage;
use super::queries::OrderRecord;
use crate::subjects::Identity;
use crate::web::viewer::Viewer;

/// How a state of an order is meant; channels name many.
pub fn state_badge(state: &str) -> Badge {
    let tone = match state {
        "open" => Tone::Active,
        "closed" | "completed" | "complete" | "fulfilled" | "delivered" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Badge::new(words(state), tone)
}

pub fn payment_badge(state: &str) -> Badge {
    let tone = match state {
        "paid" | "captured" => Tone::Good,
        "pending" | "authorized" => Tone::Active,
        "partially_paid" | "partially_refunded" | "refunded" | "expired" => Tone::Warn,
        "voided" | "failed" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Badge::new(words(state), tone)
}

fn words(state: &str) -> String {
    if state.is_empty() { "unknown".to_owned() } else { state.replace(['_', '-'], " ") }
}

/// The badges beside an order's number.
pub fn badges(head: &document::Model, order: &Order) -> Vec<Badge> {
    let mut badges = vec![state_badge(&order.state), payment_badge(&order.payment_state)];
    if head.test {
        badges.push(Badge::new("test", Tone::Warn));
    }
    if head.deleted {
        badges.push(Badge::new("deleted at the channel", Tone::Bad));
    }
    badges
}

/// The channel's number, else its key.
pub fn order_name(head: &document::Model) -> String {
    head.number.clone().unwrap_or_else(|| head.key.clone())
}

pub fn facts(order: &Order) -> Vec<Fact> {
    let optional = |label: &str, value: Option<&String>| value.map(|value| Fact::new(label, value.as_str()));
    let mut facts = vec![Fact::new("Key", order.key.as_str())];
    facts.extend(optional("Sales channel", order.channel.as_ref()));
    facts.extend(optional("Store", order.store.as_ref()));
    facts.extend(optional("Customer", order.customer.as_ref()));
    facts.extend(optional("Country", order.country.as_ref()));
    if !order.fulfilment_state.is_empty() {
        facts.push(Fact::new("Fulfilment", words(&order.fulfilment_state)));
    }
    facts.extend(optional("Cancelled because", order.cancel_reason.as_ref()));
    facts
}

/// Who the customer is at the channel.
pub fn channel_customer(viewer: &Viewer, identity: Identity) -> Fact {
    let text = match identity {
        Identity::Known { channel_customer_id } => channel_customer_id,
        Identity::Erased { at } => format!("erased on {}", viewer.date_and_time(at)),
    };
    Fact::new("Customer in the channel", text)
}

pub fn line_row(line: &OrderLine, currency: Currency, tax_included: bool) -> OrderLineRow {
    let money = |amount_minor: i64| format::money(amount_minor, currency);
    // The ledger counts without included tax, and so does this column.
    let included_tax = if tax_included { line.tax_minor } else { 0 };
    let net = i128::from(line.gross_minor) - i128::from(line.discount_minor) - i128::from(included_tax);
    OrderLineRow {
        title: line.title.clone(),
        sku: line.sku.clone().unwrap_or_default(),
        quantity: quantity(line.quantity),
        unit_price: line
            .unit_price
            .map_or_else(|| format::MISSING.to_owned(), |price| unit_price(price, currency)),
        gross: money(line.gross_minor),
        discount: money(line.discount_minor),
        tax: money(line.tax_minor),
        net: format::money(net, currency),
    }
}

fn quantity(quantity: Decimal) -> String {
    quantity.to_milli().map_or_else(|| quantity.to_string(), format::quantity_milli)
}

/// Unit prices may be finer than the minor unit.
fn unit_price(price: Decimal, currency: Currency) -> String {
    price.to_minor(currency).map_or_else(|| price.to_string(), |minor| format::money(minor, currency))
}

/// The document's own sums, as originally sold.
pub fn totals(order: &Order) -> Vec<Fact> {
    let money =
        |label: &str, amount_minor: i64| Fact::new(label, format::money(amount_minor, order.currency));
    let mut totals = vec![
        money("Gross", order.gross_minor),
        money("Discounts", order.discount_minor),
        money("Shipping", order.shipping_minor),
    ];
    let tax = money("Tax", order.tax_minor);
    totals.push(if order.tax_included { tax.with_note("included in the prices") } else { tax });
    totals.extend((order.tip_minor != 0).then(|| money("Tip", order.tip_minor)));
    totals.extend((order.duty_minor != 0).then(|| money("Duty", order.duty_minor)));
    let total = format::money_with_code(order.total_minor, order.currency);
    totals.push(Fact::new("Total", total));
    totals
}

/// Every ledger event, in the order of posting.
pub fn event_rows(viewer: &Viewer, record: &OrderRecord) -> Vec<EventRow> {
    let titles: BTreeMap<&str, &str> =
        record.order.lines.iter().map(|line| (line.key.as_str(), line.title.as_str())).collect();
    let rows = record.events.iter().map(|(posted, recorded_at)| {
        let event = &posted.event;
        let amounts = Amounts::of(event);
        let mut what = what(event, &titles);
        if event.currency != record.order.currency {
            what.push_str(&format!(" (in {})", event.currency));
        }
        EventRow {
            reversal: posted.reverses.is_some(),
            business_date: event.event_date.to_string(),
            happened: viewer.when(event.event_at),
            recorded: viewer.when(*recorded_at),
            ..amounts.row(event.kind.as_str().replace('_', " "), what, event.currency, false, viewer)
        }
    });
    rows.collect()
}

/// The sum of the events in the same columns; `None` if there is none, or several currencies.
pub fn event_total(viewer: &Viewer, record: &OrderRecord) -> Option<EventRow> {
    let currency = record.order.currency;
    let posted: Vec<&PostedEvent> = record.events.iter().map(|(posted, _)| posted).collect();
    if posted.is_empty() || posted.iter().any(|posted| posted.event.currency != currency) {
        return None;
    }
    let mut sum = Amounts::default();
    posted.iter().for_each(|posted| sum.add(&posted.event));
    Some(sum.row("total".to_owned(), String::new(), currency, true, viewer))
}

fn what(event: &SaleEvent, titles: &BTreeMap<&str, &str>) -> String {
    let line = event.line_key.as_deref().map(|key| titles.get(key).copied().unwrap_or(key));
    let shipping_alone = event.shipping_minor != 0 && event.gross_minor == 0;
    let subject = match line.or(event.product_key.as_deref()) {
        Some(subject) => subject.to_owned(),
        None if shipping_alone => "Shipping".to_owned(),
        None => "The order".to_owned(),
    };
    match &event.reason {
        Some(reason) if !reason.is_empty() => format!("{subject} · {}", words(reason)),
        _ => subject,
    }
}

/// The columns of the ledger table: gross − discount + tax + shipping + other is what is charged.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amounts {
    units_milli: i128,
    pub gross: i128,
    pub discount: i128,
    /// Tax on goods and shipping, whoever remits it.
    pub tax: i128,
    pub shipping: i128,
    /// Tip, duty, fee and gift card.
    pub other: i128,
}

impl Amounts {
    pub fn of(event: &SaleEvent) -> Self {
        let mut amounts = Self::default();
        amounts.add(event);
        amounts
    }

    pub fn add(&mut self, event: &SaleEvent) {
        let sum = |parts: &[i64]| parts.iter().map(|part| i128::from(*part)).sum::<i128>();
        self.units_milli += i128::from(event.quantity_milli);
        self.gross += i128::from(event.gross_minor);
        self.discount += i128::from(event.discount_minor);
        self.tax += sum(&[event.tax_minor, event.shipping_tax_minor, event.marketplace_tax_minor]);
        self.shipping += i128::from(event.shipping_minor);
        self.other += sum(&[event.tip_minor, event.duty_minor, event.fee_minor, event.gift_card_minor]);
    }

    fn row(self, kind: String, what: String, currency: Currency, zeros: bool, viewer: &Viewer) -> EventRow {
        let shown = |amount: i128| {
            if amount == 0 && !zeros { format::MISSING.to_owned() } else { format::money(amount, currency) }
        };
        let units = match self.units_milli {
            0 if !zeros => format::MISSING.to_owned(),
            units => format::quantity_milli(units),
        };
        EventRow {
            kind,
            reversal: false,
            business_date: String::new(),
            happened: viewer.when(viewer.now()),
            recorded: viewer.when(viewer.now()),
            what,
            units,
            gross: shown(self.gross),
            discount: shown(self.discount),
            tax: shown(self.tax),
            shipping: shown(self.shipping),
            other: shown(self.other),
            net: shown(self.gross - self.discount),
        }
    }
}

pub fn refund_row(viewer: &Viewer, head: &document::Model, refund: &Refund, order: &Order) -> RefundRow {
    let titles: BTreeMap<&str, &str> =
        order.lines.iter().map(|line| (line.key.as_str(), line.title.as_str())).collect();
    let lines: Vec<String> = refund
        .lines
        .iter()
        .map(|line| {
            let title = titles.get(line.line.as_str()).copied().unwrap_or(&line.line);
            format!("{} × {title}", quantity(line.quantity))
        })
        .collect();
    let mut reason = refund.reason.as_deref().map(words).unwrap_or_default();
    // The page writes the order's currency behind every amount.
    let amount = if refund.currency == order.currency {
        format::money(refund.total_minor, refund.currency)
    } else {
        let own = format::money_with_code(refund.total_minor, refund.currency);
        reason = format!("{own}, another currency than the order's. {reason}");
        format::MISSING.to_owned()
    };
    RefundRow {
        key: refund.key.clone(),
        at: viewer.when(Instant(head.occurred_at.unwrap_or(head.updated_at))),
        reason: if head.deleted { format!("deleted at the channel. {reason}") } else { reason },
        lines: lines.join(", "),
        amount,
    }
}

/// Newest first.
pub fn version_rows(
    viewer: &Viewer,
    rows: &[document_version::Model],
    current: uuid::Uuid,
) -> Vec<VersionRow> {
    rows.iter()
        .map(|row| VersionRow {
            updated_at: viewer.when(Instant(row.updated_at)),
            received_at: viewer.when(Instant(row.received_at)),
            hash: row.hash.chars().take(12).collect(),
            note: match row.source_chunk_id {
                Some(_) if row.id == current => "current".to_owned(),
                Some(_) => String::new(),
                None => "superseded: no stored page says it any more".to_owned(),
            },
        })
        .collect()
}

/// Where the events come from, a row for each time that some were posted.
pub fn lineage_rows(
    viewer: &Viewer,
    record: &OrderRecord,
    lineage: &Lineage,
    may_read_again: bool,
) -> Vec<LineageRow> {
    let mut offered = BTreeSet::new();
    let rows = lineage.postings.iter().map(|posting| {
        let source = posting.source.as_ref();
        let said =
            source.iter().flat_map(|source| source.versions.iter().map(|index| (source.chunk, *index)));
        let records = said.map(|(chunk, index)| {
            let version = &lineage.versions[index];
            if version.chunk == chunk {
                format!("{}, record {}", version.name(), version.record + 1)
            } else {
                version.name()
            }
        });
        let read_again =
            source.filter(|source| may_read_again && offered.insert(source.chunk)).map(|source| {
                let connection = record.head.connection_id;
                PostAction::new(
                    "Read again",
                    format!("/connections/{connection}/replays?chunk={}", source.chunk),
                )
            });
        LineageRow {
            recorded: viewer.when(posting.recorded_at),
            events: events_text(&posting.events),
            records: records.collect(),
            page: source.map_or_else(
                || {
                    let words = if posting.noted {
                        "missing from all that the channel shows"
                    } else {
                        "posted before this was kept"
                    };
                    words.to_owned()
                },
                |source| format!("{}, received {}", source.stream, viewer.date_and_time(source.received_at)),
            ),
            page_hash: source.map(|source| source.sha256.chars().take(12).collect()).unwrap_or_default(),
            plugin: source.and_then(|source| source.plugin.as_ref()).map_or_else(
                || format::MISSING.to_owned(),
                |build| format!("{} {}", build.id, build.version),
            ),
            build_hash: source
                .and_then(|source| source.plugin.as_ref())
                .map(|build| build.sha256.chars().take(12).collect())
                .unwrap_or_default(),
            read_again,
        }
    });
    rows.collect()
}

/// "sale, 2 returns, 3 taken back".
fn events_text(events: &[sale_event::Model]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        let kind =
            if event.reverses.is_some() { "taken back".to_owned() } else { event.kind.replace('_', " ") };
        *counts.entry(kind).or_default() += 1;
    }
    let told =
        counts.into_iter().map(|(kind, count)| if count == 1 { kind } else { format!("{count} × {kind}") });
    told.collect::<Vec<_>>().join(", ")
}
