//! Hand-computed cases: what a cancelled order posts.

use super::golden::updated;
use super::{
    all_shown, events, line, moment, order, refund, refund_line, refund_totalled, totalled, versions,
};
use crate::document::{Order, OrderLine, Refund};

#[test]
fn a_cancellation_takes_back_what_refunds_have_left() {
    let sold = totalled(Order {
        lines: vec![OrderLine { tax_minor: 400, cost_minor: Some(700), ..line("a", 2, 2_000) }],
        shipping_minor: 500,
        tip_minor: 100,
        cancelled_at: Some(moment("2026-05-12T09:00:00Z")),
        cancel_reason: Some("customer".into()),
        ..order("order-1")
    });
    let before = refund_totalled(
        Refund { lines: vec![refund_line("a", 1, 1_000, 200)], ..refund("refund-1", Some("order-1")) },
        false,
    );
    // The rest is given back two days after the cancellation: nothing is left for it to move.
    let after = Refund {
        at: moment("2026-05-14T09:00:00Z"),
        total_minor: 1_800,
        ..refund("refund-2", Some("order-1"))
    };
    let posted = events(&versions([sold.clone()]), &versions([before.clone(), after.clone()]));
    assert_eq!(
        all_shown(&posted),
        [
            "sale 2026-05-01 - shipping 500",
            "sale 2026-05-01 a units 2000 gross 2000 tax 400 cost 700",
            "tip 2026-05-01 - tip 100",
            "cancel 2026-05-10 a units -1000 gross -1000 tax -200 cost -350",
            "cancel 2026-05-12 - shipping -500",
            "cancel 2026-05-12 a units -1000 gross -1000 tax -200 cost -350",
            "tip 2026-05-12 - tip -100",
        ]
    );
    assert_eq!(posted[4].reason.as_deref(), Some("customer"));

    // Three euros more than that is money given away.
    let generous = Refund { total_minor: 2_100, ..after };
    let posted = events(&versions([sold]), &versions([before, generous]));
    assert_eq!(all_shown(&posted)[7..], ["refund_discrepancy 2026-05-14 - gross -300"]);
}

#[test]
fn what_a_channel_empties_after_cancelling_moves_nothing_more() {
    let first = totalled(Order { lines: vec![line("a", 1, 1_000)], ..order("order-1") });
    let emptied = Order {
        cancelled_at: Some(moment("2026-05-02T08:00:00Z")),
        ..totalled(updated(Order { lines: Vec::new(), ..first.clone() }, "2026-05-02T08:00:05Z"))
    };
    assert_eq!(
        all_shown(&events(&versions([first, emptied]), &[])),
        ["sale 2026-05-01 a units 1000 gross 1000", "cancel 2026-05-02 a units -1000 gross -1000"]
    );
}

#[test]
fn refunds_after_a_cancellation_use_up_what_it_took_back() {
    let sold = Order {
        cancelled_at: Some(moment("2026-05-02T00:00:00Z")),
        ..totalled(Order { lines: vec![line("a", 1, 1_000)], ..order("order-1") })
    };
    let given = |key: &str, total_minor| Refund { total_minor, ..refund(key, Some("order-1")) };
    let posted = events(&versions([sold]), &versions([given("first", 700), given("second", 500)]));
    assert_eq!(all_shown(&posted)[2..], ["refund_discrepancy 2026-05-10 - gross -200"]);
}

#[test]
fn a_cancellation_gives_nothing_back_that_was_refunded_too_much() {
    let sold = Order {
        cancelled_at: Some(moment("2026-05-12T00:00:00Z")),
        ..totalled(Order { lines: vec![line("a", 1, 1_000), line("b", 1, 300)], ..order("order-1") })
    };
    let returned = refund_totalled(
        Refund { lines: vec![refund_line("a", 2, 1_200, 0)], ..refund("refund-1", Some("order-1")) },
        false,
    );
    assert_eq!(
        all_shown(&events(&versions([sold]), &versions([returned])))[2..],
        ["cancel 2026-05-10 a units -2000 gross -1200", "cancel 2026-05-12 b units -1000 gross -300"]
    );
}

#[test]
fn what_happens_at_the_moment_of_cancelling_comes_before_it() {
    let first = totalled(Order { lines: vec![line("a", 3, 3_000)], ..order("order-1") });
    let cancelled_at = "2026-05-10T12:00:00Z";
    let second = totalled(updated(Order { lines: vec![line("a", 2, 2_000)], ..first.clone() }, cancelled_at));
    let second = Order { cancelled_at: Some(moment(cancelled_at)), ..second };
    let returned = refund_totalled(
        Refund { lines: vec![refund_line("a", 1, 1_000, 0)], ..refund("refund-1", Some("order-1")) },
        false,
    );
    assert_eq!(
        all_shown(&events(&versions([first, second]), &versions([returned]))),
        [
            "sale 2026-05-01 a units 3000 gross 3000",
            "edit_remove 2026-05-10 a units -1000 gross -1000",
            "cancel 2026-05-10 a units -1000 gross -1000",
            "cancel 2026-05-10 a units -1000 gross -1000",
        ]
    );
}
