mod agreements;
mod cancelling;
mod golden;
mod kinds;
mod properties;
mod stories;
mod worlds;

use portolan_core::{Currency, Decimal, EventId, Instant, StoreCalendar};

use super::{OrderFacts, PostedEvent, SaleEvent, Version, difference, standing_events};
use crate::document::{Moment, Order, OrderLine, Refund, RefundLine, TaxLine};

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn at(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap()
}

fn moment(text: &str) -> Moment {
    Moment::At(at(text))
}

fn utc() -> StoreCalendar {
    StoreCalendar::utc()
}

/// An order of nothing, placed and updated on 1 May 2026 at noon.
fn order(key: &str) -> Order {
    Order {
        src: 0,
        also: Vec::new(),
        key: key.into(),
        updated_at: moment("2026-05-01T12:00:00Z"),
        deleted: false,
        test: false,
        number: None,
        placed_at: moment("2026-05-01T12:00:00Z"),
        cancelled_at: None,
        cancel_reason: None,
        channel: Some("web".into()),
        store: None,
        location: None,
        staff: None,
        state: "open".into(),
        payment_state: "paid".into(),
        fulfilment_state: "none".into(),
        customer: Some("customer-1".into()),
        country: Some("AT".into()),
        region: None,
        currency: currency("EUR"),
        presentment_currency: None,
        gross_minor: 0,
        discount_minor: 0,
        shipping_minor: 0,
        tax_minor: 0,
        tip_minor: 0,
        duty_minor: 0,
        total_minor: 0,
        tax_included: false,
        lines: Vec::new(),
        shipping_taxes: Vec::new(),
        agreements: Vec::new(),
        attributes: Vec::new(),
    }
}

/// A line of `units` for `gross_minor` in all.
fn line(key: &str, units: i64, gross_minor: i64) -> OrderLine {
    OrderLine {
        key: key.into(),
        product: Some(format!("product-{key}")),
        variant: None,
        sku: None,
        title: key.into(),
        quantity: Decimal::whole(units),
        unit_price: None,
        gross_minor,
        discount_minor: 0,
        tax_minor: 0,
        cost_minor: None,
        gift_card: false,
        allocations: Vec::new(),
        taxes: Vec::new(),
    }
}

fn tax_line(amount_minor: i64, collector: &str) -> TaxLine {
    TaxLine {
        kind: "vat".into(),
        jurisdiction: "AT".into(),
        rate: None,
        amount_minor,
        collector: collector.into(),
    }
}

/// A refund of nothing, given on 10 May 2026 at noon.
fn refund(key: &str, order: Option<&str>) -> Refund {
    Refund {
        src: 0,
        also: Vec::new(),
        key: key.into(),
        updated_at: moment("2026-05-10T12:00:00Z"),
        deleted: false,
        order: order.map(str::to_owned),
        order_placed_at: None,
        at: moment("2026-05-10T12:00:00Z"),
        state: "succeeded".into(),
        customer: None,
        country: None,
        store: None,
        currency: currency("EUR"),
        total_minor: 0,
        tax_minor: 0,
        shipping_minor: 0,
        shipping_tax_minor: 0,
        duty_minor: 0,
        tip_minor: 0,
        adjustment_minor: 0,
        reason: None,
        lines: Vec::new(),
    }
}

fn refund_line(line: &str, units: i64, amount_minor: i64, tax_minor: i64) -> RefundLine {
    RefundLine {
        line: line.into(),
        product: None,
        quantity: Decimal::whole(units),
        amount_minor,
        tax_minor,
        restock: "return".into(),
    }
}

/// Gives an order the header that its lines and charges add up to.
fn totalled(mut order: Order) -> Order {
    let sum = |of: fn(&OrderLine) -> i64| order.lines.iter().map(of).sum::<i64>();
    let shipping_tax: i64 = order.shipping_taxes.iter().map(|tax| tax.amount_minor).sum();
    order.gross_minor = sum(|line| line.gross_minor);
    order.discount_minor = sum(|line| line.discount_minor);
    order.tax_minor = sum(|line| line.tax_minor) + shipping_tax;
    order.total_minor = total_of_parts(&order);
    order
}

/// What an order's own header adds up to.
fn total_of_parts(order: &Order) -> i64 {
    let tax = if order.tax_included { 0 } else { order.tax_minor };
    order.gross_minor - order.discount_minor + order.shipping_minor + tax + order.tip_minor + order.duty_minor
}

/// Gives a refund the totals that its parts add up to.
fn refund_totalled(mut refund: Refund, tax_included: bool) -> Refund {
    let line_tax: i64 = refund.lines.iter().map(|line| line.tax_minor).sum();
    refund.tax_minor = line_tax + refund.shipping_tax_minor;
    let tax = if tax_included { 0 } else { refund.tax_minor };
    refund.total_minor = refund.lines.iter().map(|line| line.amount_minor).sum::<i64>()
        + tax
        + refund.shipping_minor
        + refund.duty_minor
        + refund.tip_minor
        + refund.adjustment_minor;
    refund
}

/// A version whose hash follows from its content.
fn version<T: std::fmt::Debug>(document: T) -> Version<T> {
    let mut hash = [0_u8; 32];
    for (index, byte) in format!("{document:?}").bytes().enumerate() {
        let place = &mut hash[index % 32];
        *place = place.rotate_left(3) ^ byte;
    }
    Version { document, received_at: at("2026-06-01T00:00:00Z"), hash }
}

fn versions<T: std::fmt::Debug>(documents: impl IntoIterator<Item = T>) -> Vec<Version<T>> {
    documents.into_iter().map(version).collect()
}

fn events(orders: &[Version<Order>], refunds: &[Version<Refund>]) -> Vec<SaleEvent> {
    standing_events(&OrderFacts { orders, refunds }, &utc()).unwrap()
}

/// A ledger of one key in memory.
#[derive(Default)]
struct Ledger {
    posted: Vec<PostedEvent>,
}

impl Ledger {
    fn post(&mut self, should: Vec<SaleEvent>) -> usize {
        let postings = difference(should, &self.posted);
        let count = postings.len();
        for posting in postings {
            let id = EventId(uuid_of(self.posted.len()));
            self.posted.push(posting.posted(id));
        }
        count
    }

    fn all(&self) -> impl Iterator<Item = &SaleEvent> {
        self.posted.iter().map(|posted| &posted.event)
    }
}

fn uuid_of(number: usize) -> uuid::Uuid {
    uuid::Uuid::from_u128(number as u128)
}

/// What the buyer was charged in all, in one currency.
fn charged<'a>(events: impl IntoIterator<Item = &'a SaleEvent>, currency: Currency) -> i128 {
    events.into_iter().filter(|event| event.currency == currency).map(SaleEvent::charged_minor).sum()
}

/// Every amount of an event, by name.
fn amounts(event: &SaleEvent) -> [(&'static str, i64); 12] {
    [
        ("units", event.quantity_milli),
        ("gross", event.gross_minor),
        ("discount", event.discount_minor),
        ("tax", event.tax_minor),
        ("marketplace_tax", event.marketplace_tax_minor),
        ("shipping", event.shipping_minor),
        ("shipping_tax", event.shipping_tax_minor),
        ("duty", event.duty_minor),
        ("tip", event.tip_minor),
        ("fee", event.fee_minor),
        ("gift_card", event.gift_card_minor),
        ("cost", event.cost_minor),
    ]
}

/// `sale 2026-05-01 a units 2000 gross 2000`: an event with its amounts other than zero.
fn shown(event: &SaleEvent) -> String {
    let line = event.line_key.as_deref().unwrap_or("-");
    let told = amounts(event).into_iter().filter(|(_, amount)| *amount != 0);
    let told: Vec<String> = told.map(|(name, amount)| format!("{name} {amount}")).collect();
    format!("{} {} {line} {}", event.kind, event.event_date, told.join(" "))
}

fn all_shown(events: &[SaleEvent]) -> Vec<String> {
    events.iter().map(shown).collect()
}
