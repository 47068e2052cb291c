//! Arbitrary orders and what may happen to them.

use portolan_core::{Decimal, Instant};
use proptest::prelude::*;

use super::{currency, line, order, refund, refund_totalled, tax_line, total_of_parts, versions};
use crate::document::{Moment, Order, OrderLine, Refund, RefundLine};
use crate::ledger::Version;

const HOUR: i64 = 3_600_000_000;
/// 1 May 2026.
const START: i64 = 1_777_593_600_000_000;

/// An order with its versions and refunds, in no particular order.
#[derive(Debug, Clone)]
pub struct World {
    pub orders: Vec<Version<Order>>,
    pub refunds: Vec<Version<Refund>>,
}

fn hours(count: i64) -> Moment {
    Moment::At(Instant(START + count * HOUR))
}

prop_compose! {
    fn any_line(key: &'static str)(
        quantity_milli in prop_oneof![8 => 1_i64..6, 1 => -3_i64..=0].prop_map(|units| units * 1_000),
        odd_milli in prop_oneof![8 => Just(0_i64), 1 => 0_i64..1_000],
        gross in prop_oneof![8 => 0_i64..20_000, 1 => -2_000_i64..0],
        discount_percent in prop_oneof![2 => Just(0_i64), 2 => 0_i64..=100],
        tax_percent in prop_oneof![1 => Just(0_i64), 2 => 0_i64..=25],
        by_marketplace in prop::bool::weighted(0.2),
        cost in prop::option::of(0_i64..5_000),
        gift_card in prop::bool::weighted(0.1),
    ) -> OrderLine {
        let discount_minor = gross * discount_percent / 100;
        let tax_minor = (gross - discount_minor) * tax_percent / 125;
        let collector = if by_marketplace { "marketplace" } else { "seller" };
        OrderLine {
            quantity: Decimal::new(quantity_milli + odd_milli, 3),
            discount_minor,
            tax_minor,
            cost_minor: cost,
            gift_card,
            taxes: if tax_minor == 0 { Vec::new() } else { vec![tax_line(tax_minor, collector)] },
            ..line(key, 0, gross)
        }
    }
}

fn any_lines() -> impl Strategy<Value = Vec<OrderLine>> {
    (any_line("a"), any_line("b"), any_line("c"), any_line("a"), prop::collection::vec(any::<bool>(), 4))
        .prop_map(|(first, second, third, twin, kept)| {
            let lines = [first, second, third, twin].into_iter().zip(kept);
            lines.filter(|(_, kept)| *kept).map(|(line, _)| line).collect()
        })
}

prop_compose! {
    /// An order whose header may differ from its lines (`sloppy`).
    fn any_order_with(tax_included: bool, sloppy: bool)(
        lines in any_lines(),
        order_discount in prop_oneof![2 => Just(0_i64), 1 => 0_i64..500],
        order_tax in prop_oneof![3 => Just(0_i64), 1 => -3_i64..=3],
        shipping in prop_oneof![1 => Just(0_i64), 2 => 0_i64..2_000],
        shipping_tax_percent in 0_i64..=25,
        tip in prop_oneof![3 => Just(0_i64), 1 => 0_i64..500],
        duty in prop_oneof![3 => Just(0_i64), 1 => 0_i64..500],
        beyond_lines in prop_oneof![3 => Just(0_i64), 1 => -300_i64..300],
        beyond_parts in prop_oneof![3 => Just(0_i64), 1 => -300_i64..300],
        country in prop::sample::select(vec!["AT", "DE", "IN"]),
    ) -> Order {
        let sum = |of: fn(&OrderLine) -> i64| lines.iter().map(of).sum::<i64>();
        let (beyond_lines, beyond_parts, order_tax) =
            if sloppy { (beyond_lines, beyond_parts, order_tax) } else { (0, 0, 0) };
        let shipping_tax = shipping * shipping_tax_percent / 125;
        let mut order = Order {
            gross_minor: sum(|line| line.gross_minor) + beyond_lines,
            discount_minor: sum(|line| line.discount_minor) + if lines.is_empty() { 0 } else { order_discount },
            tax_minor: sum(|line| line.tax_minor) + shipping_tax + order_tax,
            shipping_minor: shipping,
            shipping_taxes: if shipping_tax == 0 { Vec::new() } else { vec![tax_line(shipping_tax, "seller")] },
            tip_minor: tip,
            duty_minor: duty,
            tax_included,
            country: Some(country.into()),
            lines,
            ..order("order-1")
        };
        order.total_minor = total_of_parts(&order) + beyond_parts;
        order
    }
}

pub fn any_order(sloppy: bool) -> impl Strategy<Value = Order> {
    any::<bool>().prop_flat_map(move |tax_included| any_order_with(tax_included, sloppy))
}

/// One to four versions; the last one may be cancelled.
pub fn any_versions(may_cancel: bool) -> impl Strategy<Value = Vec<Order>> {
    let orders = any::<bool>()
        .prop_flat_map(|tax_included| prop::collection::vec(any_order_with(tax_included, true), 1..=4));
    let cancellation = (any::<bool>(), 0_i64..400);
    (orders, prop::collection::vec(1_i64..100, 4), cancellation).prop_map(
        move |(mut orders, gaps, (cancelled, cancelled_after))| {
            let mut updated = 0;
            for (order, gap) in orders.iter_mut().zip(gaps) {
                order.updated_at = hours(updated);
                updated += gap;
            }
            let newest = orders.len() - 1;
            orders[newest].cancelled_at = (may_cancel && cancelled).then(|| hours(cancelled_after));
            orders
        },
    )
}

prop_compose! {
    fn any_refund_line()(
        key in prop::sample::select(vec!["a", "b", "c", "unknown"]),
        units in 0_i64..4,
        amount_minor in 0_i64..8_000,
        tax_percent in 0_i64..=25,
        restock in prop::sample::select(vec!["return", "no_restock", "cancel", ""]),
    ) -> RefundLine {
        RefundLine {
            line: key.into(),
            product: Some("product-told".into()),
            quantity: Decimal::whole(units),
            amount_minor,
            tax_minor: amount_minor * tax_percent / 125,
            restock: restock.into(),
        }
    }
}

prop_compose! {
    pub fn any_refund(key: &'static str, order_key: Option<&'static str>)(
        lines in prop::collection::vec(any_refund_line(), 0..3),
        given_after in 0_i64..500,
        updated_after in 0_i64..100,
        shipping_minor in prop_oneof![2 => Just(0_i64), 1 => 0_i64..1_000],
        shipping_tax_percent in 0_i64..=25,
        duty_minor in prop_oneof![3 => Just(0_i64), 1 => 0_i64..100],
        adjustment_minor in prop_oneof![2 => Just(0_i64), 1 => -500_i64..500],
        beyond in prop_oneof![3 => Just(0_i64), 1 => -50_i64..50],
        state in prop_oneof![5 => Just("succeeded"), 1 => Just("failed"), 1 => Just("pending")],
        deleted in prop::bool::weighted(0.1),
        tax_included in any::<bool>(),
    ) -> Refund {
        let refund = Refund {
            at: hours(given_after),
            updated_at: hours(given_after + updated_after),
            state: state.into(),
            deleted,
            shipping_minor,
            shipping_tax_minor: shipping_minor * shipping_tax_percent / 125,
            duty_minor,
            adjustment_minor,
            lines,
            ..refund(key, order_key)
        };
        let mut refund = refund_totalled(refund, tax_included);
        refund.total_minor += beyond;
        refund
    }
}

/// Two versions of one refund and one of another.
pub fn any_refunds() -> impl Strategy<Value = Vec<Refund>> {
    let order_key = Some("order-1");
    let refunds = (
        any_refund("refund-1", order_key),
        any_refund("refund-1", order_key),
        any_refund("refund-2", order_key),
    );
    (refunds, 0_usize..=3)
        .prop_map(|((first, again, second), count)| [first, again, second].into_iter().take(count).collect())
}

pub fn any_world(may_cancel: bool) -> impl Strategy<Value = World> {
    (any_versions(may_cancel), any_refunds())
        .prop_map(|(orders, refunds)| World { orders: versions(orders), refunds: versions(refunds) })
}

/// The refunds that count, told independently of the code under test.
pub fn refunded(world: &World) -> i128 {
    let mut newest: std::collections::BTreeMap<&str, &Version<Refund>> = Default::default();
    for candidate in &world.refunds {
        let age = |version: &Version<Refund>| match version.document.updated_at {
            Moment::At(at) => (at, version.hash),
            Moment::Local(local) => (Instant(local), version.hash),
        };
        let known = newest.entry(&candidate.document.key).or_insert(candidate);
        if age(candidate) > age(known) {
            *known = candidate;
        }
    }
    let counted = newest.into_values().map(|version| &version.document);
    let counted = counted.filter(|refund| !refund.deleted && refund.state == "succeeded");
    counted
        .filter(|refund| refund.currency == currency("EUR"))
        .map(|refund| i128::from(refund.total_minor))
        .sum()
}
