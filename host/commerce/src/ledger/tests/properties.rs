//! What holds for every order, whatever happened to it.

use std::collections::{BTreeMap, HashMap};

use portolan_core::{Decimal, StoreCalendar};
use proptest::prelude::*;

use super::worlds::{World, any_order, any_refund, any_versions, any_world, refunded};
use super::{
    Ledger, amounts, charged, currency, events, refund, refund_line, refund_totalled, totalled, utc, versions,
};
use crate::document::{Moment, Order, Refund};
use crate::ledger::{
    EventKind, Finding, LedgerEvent, OrderFacts, PostingError, SaleEvent, Version, difference, findings,
    standing, standing_events,
};

fn content(events: &[SaleEvent]) -> HashMap<&SaleEvent, usize> {
    let mut counted = HashMap::new();
    for event in events {
        *counted.entry(event).or_default() += 1;
    }
    counted
}

fn newest(world: &World) -> &Order {
    let age = |version: &&Version<Order>| match version.document.updated_at {
        Moment::At(at) => (at, version.hash),
        Moment::Local(_) => unreachable!("worlds know exact instants alone"),
    };
    &world.orders.iter().max_by_key(age).unwrap().document
}

fn sums(events: &[SaleEvent]) -> BTreeMap<&'static str, i128> {
    const NAMES: [&str; 12] = [
        "units",
        "gross",
        "discount",
        "tax",
        "marketplace_tax",
        "shipping",
        "shipping_tax",
        "duty",
        "tip",
        "fee",
        "gift_card",
        "cost",
    ];
    let mut sums: BTreeMap<&str, i128> = NAMES.into_iter().map(|name| (name, 0)).collect();
    for (name, amount) in events.iter().flat_map(amounts) {
        *sums.entry(name).or_default() += i128::from(amount);
    }
    sums
}

fn all_zero(events: &[SaleEvent]) -> bool {
    sums(events).values().all(|sum| *sum == 0)
}

/// Refunds everything that an order sold, in two parts.
fn full_refund(order: &Order, first_percent: i64) -> Vec<Refund> {
    let sold = events(&versions([order.clone()]), &[]);
    let of = |event: &SaleEvent| {
        let tax = event.tax_minor + event.marketplace_tax_minor;
        let net = event.gross_minor - event.discount_minor + event.gift_card_minor;
        (net + if order.tax_included { tax } else { 0 }, tax)
    };
    let mut parts = [refund("first", Some(&order.key)), refund("second", Some(&order.key))];
    for event in &sold {
        let Some(line) = event.line_key.as_deref() else { continue };
        let (amount, tax) = of(event);
        let first = |whole: i64| whole * first_percent / 100;
        let halves = [
            (first(event.quantity_milli), first(amount), first(tax)),
            (event.quantity_milli - first(event.quantity_milli), amount - first(amount), tax - first(tax)),
        ];
        for (part, (units, amount, tax)) in parts.iter_mut().zip(halves) {
            let mut returned = refund_line(line, 0, amount, tax);
            returned.quantity = Decimal::new(units, 3);
            part.lines.push(returned);
        }
    }
    let [first, mut second] = parts;
    second.shipping_minor = order.shipping_minor;
    second.shipping_tax_minor = order.shipping_taxes.iter().map(|tax| tax.amount_minor).sum();
    second.duty_minor = order.duty_minor;
    second.tip_minor = order.tip_minor;
    [first, second].into_iter().map(|refund| refund_totalled(refund, order.tax_included)).collect()
}

/// Orders whose lines have keys of their own, units, and no disagreement: what can be refunded in full.
fn refundable_order() -> impl Strategy<Value = Order> {
    any_order(false).prop_map(|mut order| {
        for (index, line) in order.lines.iter_mut().enumerate() {
            line.key = format!("line-{index}");
            line.quantity = Decimal::whole(2);
            line.gross_minor = line.gross_minor.max(0);
            line.discount_minor = line.discount_minor.max(0);
            line.tax_minor = line.tax_minor.max(0);
            line.taxes.retain(|tax| tax.amount_minor > 0);
        }
        let beyond_lines = if order.lines.is_empty() { 0 } else { order.discount_minor.rem_euclid(50) };
        let order = totalled(order);
        Order {
            discount_minor: order.discount_minor + beyond_lines,
            total_minor: order.total_minor - beyond_lines,
            ..order
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn events_add_up_to_the_current_document(world in any_world(false)) {
        let events = events(&world.orders, &world.refunds);
        let expected = i128::from(newest(&world).total_minor) - refunded(&world);
        prop_assert_eq!(charged(&events, currency("EUR")), expected);
    }

    #[test]
    fn amounts_of_an_order_add_up_one_by_one(order in any_order(true)) {
        prop_assume!(order.lines.iter().all(|line| !line.gift_card));
        let sums = sums(&events(&versions([order.clone()]), &[]));
        let shipping_tax: i64 = order.shipping_taxes.iter().map(|tax| tax.amount_minor).sum();
        prop_assert_eq!(sums["duty"], i128::from(order.duty_minor));
        prop_assert_eq!(sums["tip"], i128::from(order.tip_minor));
        prop_assert_eq!(sums["shipping_tax"], i128::from(shipping_tax));
        if order.tax_included {
            let goods = sums["gross"] - sums["discount"] + sums["tax"] + sums["marketplace_tax"];
            prop_assert_eq!(goods, i128::from(order.gross_minor - order.discount_minor));
            prop_assert_eq!(sums["shipping"] + sums["shipping_tax"], i128::from(order.shipping_minor));
        } else {
            prop_assert_eq!(sums["gross"], i128::from(order.gross_minor));
            prop_assert_eq!(sums["discount"], i128::from(order.discount_minor));
            prop_assert_eq!(sums["shipping"], i128::from(order.shipping_minor));
        }
    }

    #[test]
    fn replaying_adds_nothing(world in any_world(true)) {
        let mut ledger = Ledger::default();
        ledger.post(events(&world.orders, &world.refunds));
        prop_assert_eq!(ledger.post(events(&world.orders, &world.refunds)), 0);
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        world in any_world(true),
        arrival in prop::collection::vec(any::<u32>(), 7),
        repeated in any::<bool>(),
    ) {
        enum Arrived { Order(Box<Version<Order>>), Refund(Box<Version<Refund>>) }
        let mut documents: Vec<(u32, Arrived)> = Vec::new();
        let places = arrival.into_iter().cycle();
        let orders = world.orders.iter().cloned().map(Box::new).map(Arrived::Order);
        let refunds = world.refunds.iter().cloned().map(Box::new).map(Arrived::Refund);
        documents.extend(places.zip(orders.chain(refunds)));
        documents.sort_by_key(|(place, _)| *place);

        let mut ledger = Ledger::default();
        let (mut orders, mut refunds) = (Vec::new(), Vec::new());
        for (_, document) in documents {
            match document {
                Arrived::Order(version) => orders.push(*version),
                Arrived::Refund(version) => refunds.push(*version),
            }
            ledger.post(events(&orders, &refunds));
            if repeated {
                prop_assert_eq!(ledger.post(events(&orders, &refunds)), 0);
            }
        }
        let at_once = events(&world.orders, &world.refunds);
        let standing: Vec<SaleEvent> =
            standing(&ledger.posted).into_iter().map(|posted| posted.event.clone()).collect();
        prop_assert_eq!(content(&standing), content(&at_once));
        // Negated copies and what they take back vanish from every sum.
        let all: Vec<SaleEvent> = ledger.all().cloned().collect();
        prop_assert_eq!(sums(&all), sums(&at_once));
    }

    #[test]
    fn breakdowns_add_up_to_the_total(world in any_world(true)) {
        let events = events(&world.orders, &world.refunds);
        let total = charged(&events, currency("EUR"));
        let mut by_line: BTreeMap<Option<&str>, i128> = BTreeMap::new();
        let mut by_kind: BTreeMap<&str, i128> = BTreeMap::new();
        let mut by_date: BTreeMap<i32, i128> = BTreeMap::new();
        for event in &events {
            *by_line.entry(event.line_key.as_deref()).or_default() += event.charged_minor();
            *by_kind.entry(event.kind.as_str()).or_default() += event.charged_minor();
            *by_date.entry(event.event_date.0).or_default() += event.charged_minor();
        }
        prop_assert_eq!(by_line.values().sum::<i128>(), total);
        prop_assert_eq!(by_kind.values().sum::<i128>(), total);
        prop_assert_eq!(by_date.values().sum::<i128>(), total);
    }

    #[test]
    fn net_sales_are_gross_sales_less_discounts_and_returns(world in any_world(true)) {
        let events = events(&world.orders, &world.refunds);
        let (mut gross_sales, mut discounts, mut returns, mut net_sales) = (0_i64, 0_i64, 0_i64, 0_i64);
        for event in &events {
            let net = event.gross_minor - event.discount_minor;
            net_sales += net;
            if event.kind.is_sale_or_edit() {
                gross_sales += event.gross_minor;
                discounts += event.discount_minor;
            } else if event.kind.is_reversal() {
                returns -= net;
            } else {
                prop_assert_eq!((event.gross_minor, event.discount_minor), (0, 0), "{:?}", event);
            }
        }
        prop_assert_eq!(net_sales, gross_sales - discounts - returns);
    }

    #[test]
    fn a_full_refund_nets_to_zero(order in refundable_order(), first_percent in 0_i64..=100) {
        let refunds = versions(full_refund(&order, first_percent));
        let events = events(&versions([order]), &refunds);
        prop_assert!(all_zero(&events), "{:?} left by {:#?}", sums(&events), super::all_shown(&events));
        let discrepancy = events.iter().any(|event| event.kind == EventKind::RefundDiscrepancy);
        prop_assert!(!discrepancy, "{:#?}", super::all_shown(&events));
    }

    #[test]
    fn a_cancelled_order_nets_to_zero(orders in any_versions(false), cancelled_after in 0_i64..500) {
        let mut orders = orders;
        let newest = orders.len() - 1;
        let Moment::At(placed_at) = orders[newest].placed_at else { unreachable!() };
        let cancelled_at = placed_at + portolan_core::Duration::from_hours(cancelled_after);
        orders[newest].cancelled_at = Some(Moment::At(cancelled_at));
        let events = events(&versions(orders), &[]);
        prop_assert!(all_zero(&events), "{:?}", sums(&events));
    }

    #[test]
    fn a_refunded_and_cancelled_order_nets_to_zero(
        order in refundable_order(),
        first_percent in 0_i64..=100,
        cancelled_at in prop::sample::select(vec!["2026-05-09T00:00:00Z", "2026-05-10T12:00:00Z", "2026-05-11T00:00:00Z"]),
        refunds_told in 0_usize..=2,
    ) {
        let refunds = full_refund(&order, first_percent).into_iter().take(refunds_told);
        let refunds = versions(refunds);
        let order = Order { cancelled_at: Some(super::moment(cancelled_at)), ..order };
        let events = events(&versions([order]), &refunds);
        prop_assert_eq!(charged(&events, currency("EUR")), 0);
        let deciding = events.iter().filter(|event| event.kind.decides_order());
        prop_assert_eq!(deciding.map(|event| event.quantity_milli).sum::<i64>(), 0);
    }

    #[test]
    fn currencies_of_order_and_refund_never_add(
        order in any_order(true),
        mut refund in any_refund("refund-1", Some("order-1")),
        cancelled in any::<bool>(),
    ) {
        refund.currency = currency("USD");
        refund.state = "succeeded".into();
        refund.deleted = false;
        let mut order = order;
        order.cancelled_at = cancelled.then(|| super::moment("2026-06-01T00:00:00Z"));
        let (orders, refunds) = (versions([order.clone()]), versions([refund.clone()]));
        let events = events(&orders, &refunds);
        let kept = if cancelled { 0 } else { i128::from(order.total_minor) };
        prop_assert_eq!(charged(&events, currency("EUR")), kept);
        prop_assert_eq!(charged(&events, currency("USD")), -i128::from(refund.total_minor));
        let found = findings(&OrderFacts { orders: &orders, refunds: &refunds }, &utc()).unwrap();
        let told = found.iter().any(|finding| matches!(finding, Finding::RefundInOtherCurrency { .. }));
        prop_assert!(told);
    }

    #[test]
    fn refunded_units_beyond_sold_ones_are_reported_and_posted(sold in 0_i64..5, returned in 0_i64..8) {
        let order = super::Order { lines: vec![super::line("a", sold, sold * 100)], ..super::order("order-1") };
        let refunded = Refund {
            lines: vec![refund_line("a", returned, returned * 100, 0)],
            ..refund("refund-1", Some("order-1"))
        };
        let (orders, refunds) = (versions([totalled(order)]), versions([refund_totalled(refunded, false)]));
        let events = events(&orders, &refunds);
        prop_assert_eq!(sums(&events)["units"], i128::from(sold - returned) * 1_000);
        let found = findings(&OrderFacts { orders: &orders, refunds: &refunds }, &utc()).unwrap();
        let reported = found.iter().any(|finding| matches!(finding, Finding::RefundedBeyondSold { .. }));
        prop_assert_eq!(reported, returned > sold);
    }

    #[test]
    fn a_return_without_an_order_stands_by_itself(refund in any_refund("refund-1", None)) {
        let counts = !refund.deleted && refund.state == "succeeded";
        let events = events(&[], &versions([refund.clone()]));
        let expected = if counts { -i128::from(refund.total_minor) } else { 0 };
        prop_assert_eq!(charged(&events, currency("EUR")), expected);
        for event in &events {
            prop_assert_eq!((event.order_key.as_str(), event.has_order), ("refund-1", false));
        }
    }

    #[test]
    fn dates_are_those_of_the_store(world in any_world(true), cutover in 0_i32..1_440) {
        let calendar = StoreCalendar::new("Asia/Kolkata", cutover).unwrap();
        let facts = OrderFacts { orders: &world.orders, refunds: &world.refunds };
        for event in standing_events(&facts, &calendar).unwrap() {
            prop_assert_eq!(event.event_date, calendar.business_date(event.event_at));
            prop_assert_eq!(event.order_date, calendar.business_date(event.order_at));
        }
    }

    #[test]
    fn the_difference_to_nothing_takes_everything_back(world in any_world(true)) {
        let mut ledger = Ledger::default();
        ledger.post(events(&world.orders, &world.refunds));
        ledger.post(Vec::new());
        let all: Vec<SaleEvent> = ledger.all().cloned().collect();
        prop_assert!(all_zero(&all));
        prop_assert!(standing(&ledger.posted).is_empty());
        prop_assert!(difference(Vec::new(), &ledger.posted).is_empty());
    }

    #[test]
    fn extreme_amounts_are_posted_exactly_or_refused(
        order in any_order(true),
        given in any_refund("refund-1", Some("order-1")),
        extremes in prop::collection::vec(
            prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN), Just(0), -100_i64..100], 12,
        ),
        cancelled in any::<bool>(),
    ) {
        let mut order = order;
        let mut extremes = extremes.into_iter().cycle();
        let mut next = || extremes.next().unwrap_or_default();
        for line in &mut order.lines {
            (line.gross_minor, line.discount_minor, line.tax_minor) = (next(), next(), next());
            line.cost_minor = Some(next());
        }
        (order.gross_minor, order.discount_minor, order.tax_minor) = (next(), next(), next());
        order.shipping_minor = next();
        order.total_minor = next();
        order.cancelled_at = cancelled.then(|| super::moment("2026-06-01T00:00:00Z"));
        let mut refund = Refund { state: "succeeded".into(), deleted: false, ..given };
        (refund.total_minor, refund.tax_minor, refund.shipping_minor) = (next(), next(), next());
        let total = i128::from(order.total_minor) - i128::from(refund.total_minor);
        let (orders, refunds) = (versions([order]), versions([refund]));
        let facts = OrderFacts { orders: &orders, refunds: &refunds };
        match standing_events(&facts, &utc()) {
            Ok(events) if !cancelled => prop_assert_eq!(charged(&events, currency("EUR")), total),
            Ok(events) => events.iter().for_each(|event| drop(event.negated())),
            Err(error) => prop_assert!(matches!(error, PostingError::AmountTooLarge { .. }), "{error}"),
        }
        findings(&facts, &utc()).ok();
    }
}
