//! What is appended when documents come one after the other.

use portolan_core::Decimal;

use super::{
    Ledger, all_shown, charged, currency, events, line, moment, order, refund, refund_line, refund_totalled,
    totalled, utc, versions,
};
use crate::document::{Order, OrderLine, Refund};
use crate::ledger::{
    Finding, OrderFacts, PostingError, SaleEvent, findings, ledger_keys, standing, standing_events,
    standing_events_under,
};

fn one_mug() -> Order {
    totalled(Order { lines: vec![line("mug", 1, 1_000)], ..order("order-1") })
}

fn mug_returned() -> Refund {
    let lines = vec![refund_line("mug", 1, 900, 0)];
    refund_totalled(Refund { lines, ..refund("refund-1", Some("order-1")) }, false)
}

fn appended(ledger: &Ledger, from: usize) -> Vec<String> {
    let events: Vec<SaleEvent> = ledger.all().skip(from).cloned().collect();
    all_shown(&events)
}

#[test]
fn a_refund_before_its_order_counts_and_is_replaced_when_the_order_comes() {
    let refunds = versions([mug_returned()]);
    let mut ledger = Ledger::default();
    ledger.post(events(&[], &refunds));
    assert_eq!(appended(&ledger, 0), ["return 2026-05-10 mug units -1000 gross -900"]);
    let early = ledger.posted[0].event.clone();
    assert_eq!((early.order_key.as_str(), early.has_order, early.product_key), ("order-1", true, None));

    let discounted = OrderLine { discount_minor: 100, ..line("mug", 1, 1_000) };
    let sold = totalled(Order { lines: vec![discounted], ..order("order-1") });
    ledger.post(events(&versions([sold]), &refunds));
    assert_eq!(
        appended(&ledger, 1),
        [
            "return 2026-05-10 mug units 1000 gross 900",
            "sale 2026-05-01 mug units 1000 gross 1000 discount 100",
            "return 2026-05-10 mug units -1000 gross -1000 discount -100",
        ]
    );
    assert_eq!(ledger.posted[1].reverses, Some(ledger.posted[0].id));
    let replaced = &ledger.posted[3].event;
    assert_eq!(replaced.product_key.as_deref(), Some("product-mug"));
    assert_eq!(replaced.order_date.to_string(), "2026-05-01");
    assert_eq!(charged(ledger.all(), currency("EUR")), 0);
}

#[test]
fn a_corrected_attribute_replaces_events_on_their_own_dates() {
    let first = one_mug();
    let corrected =
        Order { country: Some("DE".into()), updated_at: moment("2026-05-20T08:00:00Z"), ..first.clone() };
    let refunds = versions([mug_returned()]);
    let mut ledger = Ledger::default();
    ledger.post(events(&versions([first.clone()]), &refunds));
    ledger.post(events(&versions([first, corrected]), &refunds));
    assert_eq!(
        appended(&ledger, 2),
        [
            "sale 2026-05-01 mug units -1000 gross -1000",
            "return 2026-05-10 mug units 1000 gross 900",
            "sale 2026-05-01 mug units 1000 gross 1000",
            "return 2026-05-10 mug units -1000 gross -900",
        ]
    );
    let countries = ledger.posted[2..].iter().map(|posted| posted.event.country.clone().unwrap());
    assert_eq!(countries.collect::<Vec<_>>(), ["AT", "AT", "DE", "DE"]);
    assert_eq!(standing(&ledger.posted).len(), 2);
}

#[test]
fn an_untouched_version_appends_nothing() {
    let first = one_mug();
    let touched =
        Order { updated_at: moment("2026-05-02T00:00:00Z"), state: "closed".into(), ..first.clone() };
    let mut ledger = Ledger::default();
    ledger.post(events(&versions([first.clone()]), &[]));
    assert_eq!(ledger.post(events(&versions([first, touched]), &[])), 0);
}

#[test]
fn a_deleted_order_stands_for_nothing_and_comes_back_when_restored() {
    let first = one_mug();
    // A tombstone says nothing but that.
    let deleted = Order { deleted: true, updated_at: moment("2026-05-02T00:00:00Z"), ..order("order-1") };
    let restored = Order { updated_at: moment("2026-05-03T00:00:00Z"), ..first.clone() };
    let refunds = versions([mug_returned()]);
    assert!(events(&versions([first.clone(), deleted.clone()]), &refunds).is_empty());
    let again = events(&versions([first.clone(), deleted, restored]), &refunds);
    assert_eq!(all_shown(&again), all_shown(&events(&versions([first]), &refunds)));
}

#[test]
fn a_corrected_currency_replaces_what_was_posted_in_the_wrong_one() {
    let wrong = one_mug();
    let right = Order {
        currency: currency("USD"),
        updated_at: moment("2026-05-02T00:00:00Z"),
        ..totalled(Order { lines: vec![line("mug", 1, 1_200)], ..order("order-1") })
    };
    let mut ledger = Ledger::default();
    ledger.post(events(&versions([wrong.clone()]), &[]));
    ledger.post(events(&versions([wrong, right]), &[]));
    assert_eq!(charged(ledger.all(), currency("EUR")), 0);
    assert_eq!(charged(ledger.all(), currency("USD")), 1_200);
    assert_eq!(appended(&ledger, 2), ["sale 2026-05-01 mug units 1000 gross 1200"]);
}

#[test]
fn a_return_numbered_like_an_order_stands_beside_it() {
    let lines = vec![refund_line("1", 1, 300, 0)];
    let returned = refund_totalled(Refund { lines, ..refund("order-1", None) }, false);
    let posted = events(&versions([one_mug()]), &versions([returned]));
    assert_eq!(
        all_shown(&posted),
        ["sale 2026-05-01 mug units 1000 gross 1000", "return 2026-05-10 1 units -1000 gross -300"]
    );
    assert_eq!((posted[0].has_order, posted[1].has_order), (true, false));
}

#[test]
fn test_orders_carry_their_mark() {
    let tested = Order { test: true, ..one_mug() };
    assert!(events(&versions([tested]), &versions([mug_returned()])).iter().all(|event| event.test));
}

#[test]
fn a_refund_that_fails_later_is_taken_back() {
    let given = mug_returned();
    let failed =
        Refund { state: "FAILED".into(), updated_at: moment("2026-05-11T00:00:00Z"), ..given.clone() };
    let orders = versions([one_mug()]);
    let mut ledger = Ledger::default();
    ledger.post(events(&orders, &versions([given.clone()])));
    ledger.post(events(&orders, &versions([given, failed])));
    assert_eq!(appended(&ledger, 2), ["return 2026-05-10 mug units 1000 gross 900"]);
    assert_eq!(charged(ledger.all(), currency("EUR")), 1_000);
}

#[test]
fn a_refund_that_moves_to_another_order_leaves_the_first() {
    let before = mug_returned();
    let moved = Refund {
        order: Some("order-2".into()),
        updated_at: moment("2026-05-11T00:00:00Z"),
        ..before.clone()
    };
    let refunds = versions([before, moved]);
    assert_eq!(ledger_keys(&refunds), ["order-1", "order-2"]);
    let orders = versions([one_mug()]);
    let facts = OrderFacts { orders: &orders, refunds: &refunds };
    let first = standing_events_under("order-1", &facts, &utc()).unwrap();
    assert_eq!(all_shown(&first), ["sale 2026-05-01 mug units 1000 gross 1000"]);
    // Neither order has been seen: the refund still stands under one key alone.
    let facts = OrderFacts { orders: &[], refunds: &refunds };
    assert!(standing_events_under("order-1", &facts, &utc()).unwrap().is_empty());
    assert_eq!(standing_events_under("order-2", &facts, &utc()).unwrap().len(), 1);
}

#[test]
fn quantities_finer_than_thousandths_are_refused_by_name() {
    let fine = OrderLine { quantity: Decimal::new(12_345, 4), ..line("cheese", 1, 100) };
    let orders = versions([totalled(Order { lines: vec![fine], ..order("order-1") })]);
    let error = standing_events(&OrderFacts { orders: &orders, refunds: &[] }, &utc()).unwrap_err();
    assert!(matches!(&error, PostingError::QuantityTooFine { line, .. } if line == "cheese"));
    assert!(error.to_string().contains("1.2345"), "{error}");
}

#[test]
fn amounts_beyond_64_bits_are_refused() {
    let huge = line("a", 1, i64::MAX);
    let sold = Order { lines: vec![huge.clone(), huge], gross_minor: 0, ..order("order-1") };
    let orders = versions([sold]);
    let error = standing_events(&OrderFacts { orders: &orders, refunds: &[] }, &utc()).unwrap_err();
    assert_eq!(error, PostingError::AmountTooLarge { document_key: "order-1".into() });
}

#[test]
fn odd_documents_are_reported() {
    let odd = Order {
        lines: vec![line("mug", 1, 1_000)],
        gross_minor: 1_100,
        total_minor: 1_150,
        ..order("order-1")
    };
    let orders = versions([odd]);
    let twice = Refund { lines: vec![refund_line("mug", 2, 1_000, 0)], ..mug_returned() };
    let refunds = versions([twice]);
    let found = findings(&OrderFacts { orders: &orders, refunds: &refunds }, &utc()).unwrap();
    let order_key = || "order-1".to_owned();
    assert_eq!(
        found,
        [
            Finding::GrossBeyondLines { order_key: order_key(), difference_minor: 100 },
            Finding::TotalBeyondParts { order_key: order_key(), difference_minor: 50 },
            Finding::RefundedBeyondSold {
                order_key: order_key(),
                line_key: "mug".into(),
                sold_milli: 1_000,
                refunded_milli: 2_000,
            },
        ]
    );
}
