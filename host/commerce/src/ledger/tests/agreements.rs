//! Orders whose channel tells its own history.

use portolan_core::Decimal;
use proptest::prelude::*;

use super::{
    Ledger, all_shown, charged, currency, events, line, moment, order, refund, refund_line, refund_totalled,
    tax_line, totalled, versions,
};
use crate::document::{Agreement, Order, OrderLine, Refund, Sale};

fn agreement(key: &str, at: &str, reason: &str, sales: Vec<Sale>) -> Agreement {
    Agreement {
        key: key.into(),
        happened_at: moment(at),
        reason: reason.into(),
        location: None,
        staff: None,
        sales,
    }
}

/// A signed movement: (action, line kind, line, units, gross, discount, tax).
fn sale(told: (&str, &str, Option<&str>, i64, i64, i64, i64)) -> Sale {
    let (action, line_kind, line, units, gross_minor, discount_minor, tax_minor) = told;
    Sale {
        line: line.map(str::to_owned),
        action: action.into(),
        line_kind: line_kind.into(),
        quantity: (units != 0).then_some(Decimal::whole(units)),
        gross_minor,
        discount_minor,
        discount_tax_minor: None,
        tax_minor,
        presentment_minor: None,
    }
}

fn history(agreements: Vec<Agreement>) -> Order {
    Order {
        lines: vec![
            OrderLine {
                tax_minor: 400,
                taxes: vec![tax_line(100, "marketplace"), tax_line(300, "seller")],
                cost_minor: Some(900),
                ..line("a", 2, 2_400)
            },
            line("b", 1, 500),
        ],
        tax_included: true,
        agreements,
        ..order("order-1")
    }
}

#[test]
fn every_agreement_becomes_events_of_its_own_moment() {
    let told = history(vec![
        // Recorded a day after the order was placed: an import. It sold when it was placed.
        agreement(
            "1",
            "2026-05-02T12:00:00Z",
            "ORDER",
            vec![
                sale(("ORDER", "PRODUCT", Some("a"), 2, 2_400, 0, 400)),
                sale(("ORDER", "SHIPPING", None, 0, 600, 0, 100)),
                sale(("ORDER", "GIFT_CARD", Some("card"), 1, 5_000, 0, 0)),
                sale(("ORDER", "TIP", None, 0, 150, 0, 0)),
                sale(("ORDER", "DUTY", None, 0, 70, 0, 0)),
                sale(("ORDER", "ADDITIONAL_FEE", None, 0, 30, 0, 0)),
            ],
        ),
        agreement(
            "2",
            "2026-05-03T12:00:00Z",
            "ORDER_EDIT",
            vec![
                sale(("ORDER", "PRODUCT", Some("b"), 1, 500, 0, 0)),
                sale(("UPDATE", "PRODUCT", Some("a"), -1, -1_200, 0, -200)),
                sale(("UPDATE", "PRODUCT", Some("b"), 0, 0, 100, 0)),
            ],
        ),
        agreement(
            "3",
            "2026-05-05T12:00:00Z",
            "REFUND",
            vec![
                sale(("RETURN", "PRODUCT", Some("a"), -1, -1_200, 0, -200)),
                sale(("RETURN", "PRODUCT", Some("b"), 0, -50, 0, 0)),
                sale(("RETURN", "SHIPPING", None, 0, -600, 0, -100)),
                sale(("RETURN", "ADJUSTMENT", None, 0, 120, 0, 0)),
            ],
        ),
    ]);
    // Agreements tell it all: the refund's own document posts nothing.
    let refunded = refund_totalled(
        Refund { lines: vec![refund_line("a", 1, 1_200, 200)], ..refund("refund-1", Some("order-1")) },
        true,
    );
    let posted = events(&versions([told]), &versions([refunded]));
    assert_eq!(
        all_shown(&posted),
        [
            "sale 2026-05-01 - shipping 500 shipping_tax 100",
            "sale 2026-05-01 a units 2000 gross 2000 tax 300 marketplace_tax 100 cost 900",
            "tip 2026-05-01 - tip 150",
            "duty 2026-05-01 - duty 70",
            "fee 2026-05-01 - fee 30",
            "gift_card_issue 2026-05-01 card units 1000 gift_card 5000",
            "edit_add 2026-05-03 b units 1000 gross 500",
            "edit_remove 2026-05-03 a units -1000 gross -1000 tax -150 marketplace_tax -50 cost -450",
            "price_adjust 2026-05-03 b discount 100",
            "return 2026-05-05 a units -1000 gross -1000 tax -150 marketplace_tax -50 cost -450",
            "refund_line 2026-05-05 b gross -50",
            "refund_shipping 2026-05-05 - shipping -500 shipping_tax -100",
            "refund_discrepancy 2026-05-05 - gross 120",
        ]
    );
    assert_eq!(posted[6].product_key.as_deref(), Some("product-b"));
    assert_eq!(posted[9].reason.as_deref(), Some("REFUND"));
}

#[test]
fn what_a_cancelled_order_takes_back_is_its_cancellation() {
    let sold = agreement(
        "1",
        "2026-05-01T12:00:00Z",
        "order",
        vec![sale(("order", "product", Some("a"), 2, 2_400, 0, 400))],
    );
    let back = agreement(
        "2",
        "2026-05-02T12:00:00Z",
        "refund",
        vec![sale(("return", "product", Some("a"), -2, -2_400, 0, -400))],
    );
    let told = Order {
        // Channels write both within the same breath, in either order.
        cancelled_at: Some(moment("2026-05-02T12:00:01Z")),
        cancel_reason: Some("fraud".into()),
        ..history(vec![back, sold])
    };
    let posted = events(&versions([told]), &[]);
    assert_eq!(
        all_shown(&posted)[1..],
        ["cancel 2026-05-02 a units -2000 gross -2000 tax -300 marketplace_tax -100 cost -900"]
    );
    assert_eq!(posted[1].reason.as_deref(), Some("fraud"));
}

#[test]
fn a_history_that_comes_later_replaces_the_one_that_versions_told() {
    let derived = totalled(Order { lines: vec![line("a", 1, 1_000)], ..order("order-1") });
    let told = Order {
        updated_at: moment("2026-05-04T12:00:00Z"),
        agreements: vec![agreement(
            "1",
            "2026-05-01T12:00:00Z",
            "order",
            vec![sale(("order", "product", Some("a"), 1, 1_000, 0, 0))],
        )],
        ..derived.clone()
    };
    let mut ledger = Ledger::default();
    ledger.post(events(&versions([derived.clone()]), &[]));
    // It says the same: nothing has to change.
    assert_eq!(ledger.post(events(&versions([derived, told]), &[])), 0);
}

#[test]
fn a_channel_that_says_the_tax_inside_a_discount_is_taken_at_its_word() {
    // 118.00 for one with 99 % off, 18 % inside: 1.18 is charged, 0.18 of it tax. The discount of 116.82
    // holds 17.82. Of 0.50 charged 0.08 is tax: by that rounded rate alone the price would be 0.37 too low.
    let sold = |gross, discount, tax, told| Sale {
        discount_tax_minor: told,
        ..sale(("order", "product", Some("a"), 1, gross, discount, tax))
    };
    let posted = |sale| {
        let order = history(vec![agreement("1", "2026-05-01T12:00:00Z", "order", vec![sale])]);
        let posted = events(&versions([order]), &[]);
        (
            posted[0].gross_minor,
            posted[0].discount_minor,
            posted[0].tax_minor + posted[0].marketplace_tax_minor,
        )
    };
    assert_eq!(posted(sold(11_800, 11_682, 18, Some(1_782))), (10_000, 9_900, 18));
    assert_eq!(posted(sold(5_000, 4_950, 8, Some(755))), (4_237, 4_195, 8));
    // A gift: nothing is charged, yet the price had tax inside.
    assert_eq!(posted(sold(11_800, 11_800, 0, Some(1_800))), (10_000, 10_000, 0));
    // Who says nothing is split by the rate that was charged.
    assert_eq!(posted(sold(11_800, 11_682, 18, None)), (10_000, 9_900, 18));
}

#[test]
fn parts_taken_back_add_up_to_what_was_sold_however_the_channel_rounds() {
    let taken = |units: i64, gross, discount, discount_tax, tax| Sale {
        discount_tax_minor: Some(discount_tax),
        ..sale((
            if units < 0 { "return" } else { "order" },
            "product",
            Some("a"),
            units,
            gross,
            discount,
            tax,
        ))
    };
    let order = history(vec![
        agreement("1", "2026-05-01T12:00:00Z", "order", vec![taken(3, 1_000, 100, 15, 137)]),
        agreement("2", "2026-05-02T12:00:00Z", "refund", vec![taken(-1, -333, -33, -5, -46)]),
        agreement("3", "2026-05-03T12:00:00Z", "refund", vec![taken(-2, -667, -67, -10, -91)]),
    ]);
    let posted = events(&versions([order]), &[]);
    let sum = |amount: fn(&crate::ledger::SaleEvent) -> i64| posted.iter().map(amount).sum::<i64>();
    assert_eq!(posted[0].discount_minor, 85);
    assert_eq!((sum(|event| event.gross_minor), sum(|event| event.discount_minor)), (0, 0));
}

prop_compose! {
    fn any_sale()(
        action in prop::sample::select(vec!["order", "update", "return", "unknown"]),
        line_kind in prop::sample::select(vec![
            "product", "shipping", "tip", "duty", "gift-card", "fee", "additional-fee", "adjustment", "unknown",
        ]),
        line in prop::option::of(prop::sample::select(vec!["a", "b", "gone"])),
        units in -3_i64..=3,
        gross in -5_000_i64..5_000,
        discount_percent in 0_i64..=100,
        tax_percent in 0_i64..=25,
        says_discount_tax in any::<bool>(),
    ) -> Sale {
        let discount = gross * discount_percent / 100;
        let tax = (gross - discount) * tax_percent / 125;
        let discount_tax_minor = says_discount_tax.then_some(discount * tax_percent / 125);
        Sale { discount_tax_minor, ..sale((action, line_kind, line, units, gross, discount, tax)) }
    }
}

fn any_history() -> impl Strategy<Value = Order> {
    let reason = prop::sample::select(vec!["order", "order-edit", "refund", "return", "unknown"]);
    let agreements = prop::collection::vec((reason, prop::collection::vec(any_sale(), 0..5)), 1..5);
    (agreements, any::<bool>(), any::<bool>()).prop_map(|(agreements, tax_included, cancelled)| {
        let agreements = agreements.into_iter().enumerate().map(|(index, (reason, sales))| {
            agreement(&index.to_string(), &format!("2026-05-0{}T12:00:00Z", index + 1), reason, sales)
        });
        let order = Order { tax_included, ..history(agreements.collect()) };
        Order { cancelled_at: cancelled.then(|| moment("2026-05-03T00:00:00Z")), ..order }
    })
}

proptest! {
    #[test]
    fn agreements_add_up_to_what_they_say(order in any_history()) {
        let sales = order.agreements.iter().flat_map(|agreement| &agreement.sales);
        let expected: i64 = sales
            .map(|sale| {
                let tax = if order.tax_included { 0 } else { sale.tax_minor };
                sale.gross_minor - sale.discount_minor + tax
            })
            .sum();
        let posted = events(&versions([order]), &[]);
        prop_assert_eq!(charged(&posted, currency("EUR")), i128::from(expected));
        for event in posted {
            let class = event.kind.is_sale_or_edit() || event.kind.is_reversal();
            prop_assert!(class || (event.gross_minor, event.discount_minor) == (0, 0), "{:?}", event);
        }
    }

    #[test]
    fn the_order_of_agreements_does_not_matter(order in any_history()) {
        let mut reversed = order.clone();
        reversed.agreements.reverse();
        prop_assert_eq!(events(&versions([order]), &[]), events(&versions([reversed]), &[]));
    }
}
