//! Hand-computed cases: what one order posts.

use portolan_core::{Decimal, StoreCalendar};

use super::{
    all_shown, charged, currency, events, line, moment, order, refund, refund_line, refund_totalled,
    tax_line, totalled, version, versions,
};
use crate::document::{Moment, Order, OrderLine, Refund, RefundLine};
use crate::ledger::{OrderFacts, standing_events};

/// Placed on 1 May; an updated version.
pub fn updated(order: Order, text: &str) -> Order {
    Order { updated_at: moment(text), ..order }
}

#[test]
fn a_partial_refund_takes_back_included_tax_in_proportion() {
    // 120.00 with 20 % inside; 24.00 off, 20 % inside as well: 80.00 net of discount, 16.00 tax.
    let sold = totalled(Order {
        tax_included: true,
        lines: vec![OrderLine { discount_minor: 2_400, tax_minor: 1_600, ..line("a", 2, 12_000) }],
        shipping_minor: 600,
        shipping_taxes: vec![tax_line(100, "seller")],
        ..order("order-1")
    });
    assert_eq!(sold.total_minor, 10_200);
    // One of two comes back: 48.00, of which 8.00 tax.
    let returned = refund_totalled(
        Refund { lines: vec![refund_line("a", 1, 4_800, 800)], ..refund("refund-1", Some("order-1")) },
        true,
    );
    let posted = events(&versions([sold]), &versions([returned]));
    assert_eq!(
        all_shown(&posted),
        [
            "sale 2026-05-01 - shipping 500 shipping_tax 100",
            "sale 2026-05-01 a units 2000 gross 10000 discount 2000 tax 1600",
            "return 2026-05-10 a units -1000 gross -5000 discount -1000 tax -800",
        ]
    );
    assert_eq!(charged(&posted, currency("EUR")), 10_200 - 4_800);
    assert_eq!(posted[2].order_date, posted[0].event_date);
}

#[test]
fn included_tax_leaves_odd_cents_nowhere() {
    // Three lines whose net amounts round: 19 % inside 9.99, 0.01 and 33.33.
    let lines = [("a", 999, 160), ("b", 1, 0), ("c", 3_333, 532)];
    let lines = lines.map(|(key, gross, tax)| OrderLine { tax_minor: tax, ..line(key, 1, gross) });
    let sold = totalled(Order { tax_included: true, lines: lines.to_vec(), ..order("order-1") });
    assert_eq!(
        all_shown(&events(&versions([sold]), &[])),
        [
            "sale 2026-05-01 a units 1000 gross 839 tax 160",
            "sale 2026-05-01 b units 1000 gross 1",
            "sale 2026-05-01 c units 1000 gross 2801 tax 532",
        ]
    );
}

#[test]
fn edits_are_posted_when_the_document_was_updated() {
    let first = totalled(Order { lines: vec![line("a", 2, 2_000), line("b", 1, 500)], ..order("order-1") });
    let second = totalled(updated(
        Order { lines: vec![line("a", 1, 1_000), line("c", 3, 900)], ..first.clone() },
        "2026-05-03T10:00:00Z",
    ));
    let posted = events(&versions([second, first]), &[]);
    assert_eq!(
        all_shown(&posted),
        [
            "sale 2026-05-01 a units 2000 gross 2000",
            "sale 2026-05-01 b units 1000 gross 500",
            "edit_add 2026-05-03 c units 3000 gross 900",
            "edit_remove 2026-05-03 a units -1000 gross -1000",
            "edit_remove 2026-05-03 b units -1000 gross -500",
        ]
    );
    // A line that is gone keeps its product.
    assert_eq!(posted[4].product_key.as_deref(), Some("product-b"));
}

#[test]
fn a_corrected_price_or_charge_moves_no_units() {
    let first = totalled(Order { lines: vec![line("a", 2, 2_000)], shipping_minor: 500, ..order("order-1") });
    let cheaper = OrderLine { discount_minor: 300, ..line("a", 2, 1_900) };
    let second = totalled(updated(
        Order { lines: vec![cheaper], shipping_minor: 400, tip_minor: 50, ..first.clone() },
        "2026-05-02T10:00:00Z",
    ));
    assert_eq!(
        all_shown(&events(&versions([first, second]), &[])),
        [
            "sale 2026-05-01 - shipping 500",
            "sale 2026-05-01 a units 2000 gross 2000",
            "price_adjust 2026-05-02 - shipping -100",
            "price_adjust 2026-05-02 a gross -100 discount 300",
            "tip 2026-05-02 - tip 50",
        ]
    );
}

#[test]
fn a_refund_beyond_a_line_takes_back_its_discount_once() {
    let almost_free = OrderLine { discount_minor: 999, ..line("a", 1, 1_000) };
    let sold = totalled(Order { lines: vec![almost_free], ..order("order-1") });
    let returned = refund_totalled(
        Refund { lines: vec![refund_line("a", 1, 500, 0)], ..refund("refund-1", Some("order-1")) },
        false,
    );
    assert_eq!(
        all_shown(&events(&versions([sold]), &versions([returned])))[1..],
        ["return 2026-05-10 a units -1000 gross -1499 discount -999"]
    );
}

#[test]
fn a_line_without_units_comes_and_goes_as_an_edit() {
    let first = totalled(Order { lines: vec![line("a", 1, 1_000)], ..order("order-1") });
    let wrapped = Order { lines: vec![line("a", 1, 1_000), line("wrapping", 0, 200)], ..first.clone() };
    let second = totalled(updated(wrapped, "2026-05-02T00:00:00Z"));
    let third = updated(first.clone(), "2026-05-03T00:00:00Z");
    assert_eq!(
        all_shown(&events(&versions([first, second, third]), &[]))[1..],
        ["edit_add 2026-05-02 wrapping gross 200", "edit_remove 2026-05-03 wrapping gross -200"]
    );
}

#[test]
fn tax_on_shipping_may_stand_inside_or_beside_the_tax_of_the_header() {
    let lines = vec![OrderLine { tax_minor: 200, ..line("a", 1, 1_000) }];
    let sold = Order {
        gross_minor: 1_000,
        shipping_minor: 500,
        shipping_taxes: vec![tax_line(100, "seller")],
        total_minor: 1_800,
        lines,
        ..order("order-1")
    };
    for tax_minor in [200, 300] {
        let sold = Order { tax_minor, ..sold.clone() };
        assert_eq!(
            all_shown(&events(&versions([sold]), &[])),
            [
                "sale 2026-05-01 - shipping 500 shipping_tax 100",
                "sale 2026-05-01 a units 1000 gross 1000 tax 200",
            ]
        );
    }
}

#[test]
fn a_gift_card_is_owed_and_not_earned() {
    let card = OrderLine { gift_card: true, ..line("card", 1, 5_000) };
    let sold = totalled(Order { lines: vec![card, line("a", 1, 1_000)], ..order("order-1") });
    // 3.00 off the order: goods alone carry it.
    let sold = Order { discount_minor: 300, total_minor: 5_700, ..sold };
    let returned = refund_totalled(
        Refund { lines: vec![refund_line("card", 1, 5_000, 0)], ..refund("refund-1", Some("order-1")) },
        false,
    );
    assert_eq!(
        all_shown(&events(&versions([sold]), &versions([returned]))),
        [
            "sale 2026-05-01 a units 1000 gross 1000 discount 300",
            "gift_card_issue 2026-05-01 card units 1000 gift_card 5000",
            "gift_card_issue 2026-05-10 card units -1000 gift_card -5000",
        ]
    );
}

#[test]
fn currencies_without_and_with_three_decimals_stay_whole() {
    for (code, lines, discount, expected) in [
        ("JPY", [1_000, 1_000, 1_000], 100, [34, 33, 33]),
        ("KWD", [1_234, 5_678, 3_088], 1_001, [124, 568, 309]),
    ] {
        let sold = totalled(Order {
            currency: currency(code),
            lines: vec![line("a", 1, lines[0]), line("b", 1, lines[1]), line("c", 1, lines[2])],
            ..order("order-1")
        });
        let sold = Order { discount_minor: discount, total_minor: sold.total_minor - discount, ..sold };
        let posted = events(&versions([sold]), &[]);
        assert_eq!(posted.iter().map(|event| event.discount_minor).collect::<Vec<_>>(), expected, "{code}");
        assert!(posted.iter().all(|event| event.currency == currency(code)));
        assert_eq!(charged(&posted, currency(code)), i128::from(lines.iter().sum::<i64>() - discount));
    }
}

#[test]
fn a_half_hour_zone_dates_orders_by_its_own_midnight() {
    let calendar = StoreCalendar::new("Asia/Kolkata", 0).unwrap();
    let dated = |placed_at: Moment| {
        let sold = totalled(Order { placed_at, lines: vec![line("a", 1, 100)], ..order("order-1") });
        let orders = versions([sold]);
        let posted = standing_events(&OrderFacts { orders: &orders, refunds: &[] }, &calendar).unwrap();
        (posted[0].event_at.to_rfc3339(), posted[0].event_date.to_string(), posted[0].order_date.to_string())
    };
    let told = |at: &str, date: &str| (at.to_owned(), date.to_owned(), date.to_owned());
    assert_eq!(dated(moment("2026-05-01T18:29:59Z")), told("2026-05-01T18:29:59Z", "2026-05-01"));
    assert_eq!(dated(moment("2026-05-01T18:30:00Z")), told("2026-05-01T18:30:00Z", "2026-05-02"));
    // Ten past midnight on a clock that names no zone.
    let local = Moment::Local(super::at("2026-05-02T00:10:00Z").0);
    assert_eq!(dated(local), told("2026-05-01T18:40:00Z", "2026-05-02"));
}

#[test]
fn a_return_without_its_order_stands_under_its_own_key() {
    let told = RefundLine { product: Some("85123A".into()), ..refund_line("1", 12, 3_060, 0) };
    let returned = refund_totalled(
        Refund {
            customer: Some("17548".into()),
            country: Some("United Kingdom".into()),
            lines: vec![told],
            ..refund("C536391", None)
        },
        false,
    );
    let posted = events(&[], &versions([returned]));
    assert_eq!(all_shown(&posted), ["return 2026-05-10 1 units -12000 gross -3060"]);
    let event = &posted[0];
    assert_eq!((event.order_key.as_str(), event.has_order), ("C536391", false));
    assert_eq!(event.product_key.as_deref(), Some("85123A"));
    assert_eq!(event.customer_key.as_deref(), Some("17548"));
    assert_eq!(event.country.as_deref(), Some("United Kingdom"));
    assert_eq!(event.order_date, event.event_date);
}

#[test]
fn tax_inside_a_return_without_its_order_is_told_by_its_total() {
    let lines = vec![refund_line("a", 1, 1_200, 200)];
    for (tax_included, expected) in [
        (true, "return 2026-05-10 a units -1000 gross -1000 tax -200"),
        (false, "return 2026-05-10 a units -1000 gross -1200 tax -200"),
    ] {
        let returned =
            refund_totalled(Refund { lines: lines.clone(), ..refund("refund-1", None) }, tax_included);
        assert_eq!(all_shown(&events(&[], &versions([returned]))), [expected]);
    }
}

#[test]
fn money_kept_or_added_beyond_the_lines_is_a_discrepancy() {
    let sold = totalled(Order { lines: vec![line("a", 1, 2_000)], shipping_minor: 500, ..order("order-1") });
    // The line and its shipping come back less a fee of 3.00.
    let less = refund_totalled(
        Refund {
            lines: vec![refund_line("a", 1, 2_000, 0)],
            shipping_minor: 500,
            adjustment_minor: -300,
            reason: Some("damaged box".into()),
            ..refund("refund-1", Some("order-1"))
        },
        false,
    );
    let posted = events(&versions([sold.clone()]), &versions([less]));
    assert_eq!(
        all_shown(&posted)[2..],
        [
            "return 2026-05-10 a units -1000 gross -2000",
            "refund_shipping 2026-05-10 - shipping -500",
            "refund_discrepancy 2026-05-10 - gross 300",
        ]
    );
    assert_eq!(posted[4].reason.as_deref(), Some("damaged box"));
    // A goodwill payment without any line.
    let goodwill = Refund { total_minor: 250, ..refund("refund-2", Some("order-1")) };
    let posted = events(&versions([sold]), &versions([goodwill]));
    assert_eq!(all_shown(&posted)[2..], ["refund_discrepancy 2026-05-10 - gross -250"]);
}

#[test]
fn goods_that_stay_with_the_buyer_are_no_return() {
    let costly = OrderLine { cost_minor: Some(300), ..line("a", 1, 1_000) };
    let sold = totalled(Order { lines: vec![costly], ..order("order-1") });
    let kept = RefundLine { restock: "NO_RESTOCK".into(), ..refund_line("a", 1, 400, 0) };
    let value = refund_line("a", 0, 100, 0);
    let returned =
        refund_totalled(Refund { lines: vec![kept, value], ..refund("refund-1", Some("order-1")) }, false);
    assert_eq!(
        all_shown(&events(&versions([sold]), &versions([returned])))[1..],
        ["refund_line 2026-05-10 a units -1000 gross -400", "refund_line 2026-05-10 a gross -100"]
    );
}

#[test]
fn tax_that_a_marketplace_remits_is_kept_apart() {
    let taxed = OrderLine {
        tax_minor: 250,
        taxes: vec![tax_line(200, "marketplace"), tax_line(50, "seller")],
        ..line("a", 1, 2_000)
    };
    let sold = totalled(Order { lines: vec![taxed], ..order("order-1") });
    let returned = refund_totalled(
        Refund { lines: vec![refund_line("a", 1, 2_000, 250)], ..refund("refund-1", Some("order-1")) },
        false,
    );
    assert_eq!(
        all_shown(&events(&versions([sold]), &versions([returned]))),
        [
            "sale 2026-05-01 a units 1000 gross 2000 tax 50 marketplace_tax 200",
            "return 2026-05-10 a units -1000 gross -2000 tax -50 marketplace_tax -200",
        ]
    );
}

#[test]
fn what_a_header_holds_beyond_its_lines_is_spread_or_stands_alone() {
    let sold = Order {
        gross_minor: 3_100,
        discount_minor: 100,
        tax_minor: 7,
        total_minor: 3_050,
        lines: vec![line("a", 1, 1_000), line("b", 1, 2_000)],
        ..order("order-1")
    };
    assert_eq!(
        all_shown(&events(&versions([sold]), &[])),
        [
            "sale 2026-05-01 - gross 100 discount 3",
            "sale 2026-05-01 a units 1000 gross 1000 discount 32 tax 2",
            "sale 2026-05-01 b units 1000 gross 2000 discount 65 tax 5",
            "fee 2026-05-01 - fee 43",
        ]
    );
    // No lines at all: the header stands as it is.
    let bare =
        Order { gross_minor: 900, discount_minor: 50, tax_minor: 85, total_minor: 935, ..order("order-1") };
    assert_eq!(
        all_shown(&events(&versions([bare]), &[])),
        ["sale 2026-05-01 - gross 900 discount 50 tax 85"]
    );
}

#[test]
fn negative_units_and_amounts_are_carried_as_they_are() {
    // A stock adjustment and a bad debt, as retail data has them.
    let sold = totalled(Order {
        lines: vec![
            line("22423", -10, 0),
            OrderLine { quantity: Decimal::whole(1), ..line("B", 1, -1_106_206) },
        ],
        ..order("A563186")
    });
    assert_eq!(
        all_shown(&events(&versions([sold]), &[])),
        ["sale 2026-05-01 22423 units -10000", "sale 2026-05-01 B units 1000 gross -1106206"]
    );
}

#[test]
fn two_equal_rows_are_two_sales() {
    let sold = totalled(Order { lines: vec![line("a", 1, 100), line("a", 1, 100)], ..order("order-1") });
    let posted = events(&[version(sold)], &[]);
    assert_eq!(posted.len(), 2);
    assert_eq!(posted[0], posted[1]);
}
