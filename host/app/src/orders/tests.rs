use std::collections::BTreeMap;

use portolan_commerce::document::Order;
use portolan_commerce::ledger::{EventKind, PostedEvent, SaleEvent};
use portolan_core::{EventId, Instant, LocalDate};
use uuid::Uuid;

use super::agreement::{Agreement, decide};
use super::list::{Dates, OrdersQuery, scope_text};
use super::views::Amounts;

fn order(total_minor: i64, currency: &str) -> Order {
    serde_json::from_value(serde_json::json!({
        "src": 0, "also": [], "key": "1", "updated_at": {"at": 0}, "deleted": false, "test": false,
        "number": null, "placed_at": {"at": 0}, "cancelled_at": null, "cancel_reason": null,
        "channel": null, "store": null, "location": null, "staff": null,
        "state": "open", "payment_state": "paid", "fulfilment_state": "", "customer": null,
        "country": null, "region": null, "currency": currency, "presentment_currency": null,
        "gross_minor": total_minor, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0,
        "tip_minor": 0, "duty_minor": 0, "total_minor": total_minor, "tax_included": false,
        "lines": [], "shipping_taxes": [], "agreements": [], "attributes": [],
    }))
    .expect("an order")
}

fn posted(gross_minor: i64, currency: &str) -> PostedEvent {
    let event = SaleEvent {
        kind: EventKind::Sale,
        reason: None,
        order_key: "1".to_owned(),
        has_order: true,
        line_key: None,
        product_key: None,
        variant_key: None,
        customer_key: None,
        store_key: None,
        location_key: None,
        staff_key: None,
        channel: None,
        country: None,
        region: None,
        test: false,
        quantity_milli: 1_000,
        gross_minor,
        discount_minor: 0,
        tax_minor: 0,
        marketplace_tax_minor: 0,
        shipping_minor: 0,
        shipping_tax_minor: 0,
        duty_minor: 0,
        tip_minor: 0,
        fee_minor: 0,
        gift_card_minor: 0,
        cost_minor: 0,
        currency: currency.parse().expect("a currency"),
        presentment_currency: None,
        presentment_minor: None,
        event_at: Instant(0),
        event_date: LocalDate(0),
        order_at: Instant(0),
        order_date: LocalDate(0),
    };
    PostedEvent { id: EventId(Uuid::nil()), reverses: None, event }
}

#[test]
fn events_that_sum_to_the_total_add_up() {
    let events = [posted(700, "EUR"), posted(300, "EUR")];
    assert_eq!(decide(&order(1_000, "EUR"), &[], &events, true), Agreement::AddsUp { total_minor: 1_000 });
}

#[test]
fn another_sum_is_told_even_where_the_history_says_so() {
    let events = [posted(700, "EUR")];
    let told = decide(&order(1_000, "EUR"), &[], &events, true);
    assert_eq!(told, Agreement::Follows { total_minor: 700, document_minor: 1_000 });
    assert_eq!(decide(&order(1_000, "EUR"), &[], &events, false), Agreement::Behind);
}

#[test]
fn unlike_currencies_are_never_added() {
    let events = [posted(700, "EUR"), posted(300, "USD")];
    assert_eq!(decide(&order(1_000, "EUR"), &[], &events, true), Agreement::SeveralCurrencies);
}

#[test]
fn an_order_without_events_says_so() {
    assert_eq!(decide(&order(0, "EUR"), &[], &[], true), Agreement::NothingPosted);
    assert_eq!(decide(&order(5, "EUR"), &[], &[], false), Agreement::Behind);
}

#[test]
fn the_columns_of_an_event_add_up_to_what_is_charged() {
    let mut event = posted(1_000, "EUR").event;
    event.discount_minor = 100;
    event.tax_minor = 171;
    event.shipping_tax_minor = 10;
    event.marketplace_tax_minor = 3;
    event.shipping_minor = 50;
    event.tip_minor = 7;
    event.duty_minor = 5;
    event.fee_minor = 2;
    event.gift_card_minor = 1;
    let columns = Amounts::of(&event);
    let sum = columns.gross - columns.discount + columns.tax + columns.shipping + columns.other;
    assert_eq!(sum, event.charged_minor());
}

#[test]
fn a_next_page_keeps_the_filters() {
    let query = OrdersQuery { q: "#10 42&x".to_owned(), state: "open".to_owned(), ..OrdersQuery::default() };
    assert_eq!(query.address(Some("abc")), "/orders?state=open&q=%2310+42%26x&cursor=abc");
    assert_eq!(OrdersQuery::default().address(None), "/orders");
}

#[test]
fn a_bad_date_is_an_error_beside_its_field() {
    let query =
        OrdersQuery { from: "tomorrow".to_owned(), until: "2026-11-30".to_owned(), ..OrdersQuery::default() };
    let dates = Dates::read(&query);
    assert!(dates.from_error.is_some() && dates.from.is_none());
    assert!(dates.until_error.is_none() && dates.until.is_some());
    let swapped = OrdersQuery {
        from: "2026-11-30".to_owned(),
        until: "2026-11-01".to_owned(),
        ..OrdersQuery::default()
    };
    assert!(Dates::read(&swapped).until_error.is_some());
}

#[test]
fn the_scope_says_what_is_listed() {
    let query = OrdersQuery {
        from: "2026-11-01".to_owned(),
        until: "2026-11-30".to_owned(),
        ..OrdersQuery::default()
    };
    let text = scope_text(&query, &Dates::read(&query), &BTreeMap::new(), "Europe/Berlin");
    assert_eq!(text, "all connections · 1–30 Nov 2026 · newest first · Europe/Berlin");
}
