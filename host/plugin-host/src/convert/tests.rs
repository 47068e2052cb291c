//! Every amount lands in the field of its name: each has a number of its own.

use portolan_commerce::document::Document;
use portolan_connector::{Continuation, Fault, Manifest, Page, SliceMode, SliceSpec};
use portolan_core::Instant;
use serde_json::{Value, json};

use super::{Check, PageCheck};
use crate::bindings::portolan::plugin::types::{Decimal, Moment};
use crate::bindings::portolan::plugin::{commerce as wit, sync};
use crate::options::Limits;
use crate::text::Scrubber;

fn text(name: &str) -> Option<String> {
    Some(name.to_owned())
}

fn at(number: i64) -> Moment {
    Moment::At(number)
}

fn decimal(unscaled: i64) -> Decimal {
    Decimal { unscaled, scale: 2 }
}

fn stored(document: &Document) -> Value {
    serde_json::to_value(document).expect("json")
}

fn check() -> Check {
    Check::new(1 << 20)
}

fn tax(amount: i64) -> wit::TaxLine {
    wit::TaxLine {
        kind: "vat".to_owned(),
        jurisdiction: "DE".to_owned(),
        rate: Some(decimal(1900)),
        amount,
        collector: "seller".to_owned(),
    }
}

fn sample_order() -> wit::Order {
    let line = wit::OrderLine {
        key: "line".to_owned(),
        product: text("product"),
        variant: text("variant"),
        sku: text("sku"),
        title: "title".to_owned(),
        quantity: decimal(200),
        unit_price: Some(decimal(999)),
        gross: 11,
        discount: 12,
        tax: 13,
        cost: Some(14),
        gift_card: true,
        allocations: vec![wit::Allocation { code: text("code"), kind: "manual".to_owned(), amount: 15 }],
        taxes: vec![tax(16)],
    };
    let sale = wit::Sale {
        line: text("line"),
        action: "return".to_owned(),
        line_kind: "product".to_owned(),
        quantity: Some(decimal(-100)),
        gross: -21,
        discount: -22,
        discount_tax: Some(-2),
        tax: -23,
        presentment: Some(-24),
    };
    wit::Order {
        src: 3,
        also: vec![4, 7],
        key: "key".to_owned(),
        updated_at: at(101),
        deleted: false,
        test: true,
        number: text("number"),
        placed_at: Moment::Local(102),
        cancelled_at: Some(at(103)),
        cancel_reason: text("cancel-reason"),
        channel: text("channel"),
        store: text("store"),
        location: text("location"),
        staff: text("staff"),
        state: "state".to_owned(),
        payment_state: "payment-state".to_owned(),
        fulfilment_state: "fulfilment-state".to_owned(),
        customer: text("customer"),
        country: text("DE"),
        region: text("BY"),
        currency: "EUR".to_owned(),
        presentment_currency: text("CHF"),
        gross: 1,
        discount: 2,
        shipping: 3,
        tax: 4,
        tip: 5,
        duty: 6,
        total: 7,
        tax_included: true,
        lines: vec![line],
        shipping_taxes: vec![tax(8)],
        agreements: vec![wit::Agreement {
            key: "agreement".to_owned(),
            happened_at: at(104),
            reason: "reason".to_owned(),
            location: text("a-location"),
            staff: text("a-staff"),
            sales: vec![sale],
        }],
        attributes: vec![("source".to_owned(), "web".to_owned())],
    }
}

#[test]
fn an_order_keeps_every_field() {
    let (document, records) = super::order(&mut check(), sample_order()).expect("accepted");
    assert_eq!(records, [3, 4, 7]);
    let vat = |amount: i64| json!({ "kind": "vat", "jurisdiction": "DE", "rate": { "unscaled": 1900, "scale": 2 }, "amount_minor": amount, "collector": "seller" });
    let mut expected = json!({
        "entity": "order", "src": 3, "also": [4, 7], "key": "key", "updated_at": { "at": 101 }, "deleted": false,
        "test": true, "number": "number", "placed_at": { "local": 102 }, "cancelled_at": { "at": 103 },
        "cancel_reason": "cancel-reason", "channel": "channel", "store": "store", "location": "location",
        "staff": "staff", "state": "state", "payment_state": "payment-state", "fulfilment_state": "fulfilment-state",
        "customer": "customer", "country": "DE", "region": "BY", "currency": "EUR", "presentment_currency": "CHF",
        "gross_minor": 1, "discount_minor": 2, "shipping_minor": 3, "tax_minor": 4, "tip_minor": 5, "duty_minor": 6,
        "total_minor": 7, "tax_included": true
    });
    expected["lines"] = json!([{
        "key": "line", "product": "product", "variant": "variant", "sku": "sku", "title": "title",
        "quantity": { "unscaled": 200, "scale": 2 }, "unit_price": { "unscaled": 999, "scale": 2 },
        "gross_minor": 11, "discount_minor": 12, "tax_minor": 13, "cost_minor": 14, "gift_card": true,
        "allocations": [{ "code": "code", "kind": "manual", "amount_minor": 15 }], "taxes": [vat(16)]
    }]);
    expected["shipping_taxes"] = json!([vat(8)]);
    expected["agreements"] = json!([{
        "key": "agreement", "happened_at": { "at": 104 }, "reason": "reason", "location": "a-location",
        "staff": "a-staff",
        "sales": [{
            "line": "line", "action": "return", "line_kind": "product", "quantity": { "unscaled": -100, "scale": 2 },
            "gross_minor": -21, "discount_minor": -22, "discount_tax_minor": -2, "tax_minor": -23, "presentment_minor": -24
        }]
    }]);
    expected["attributes"] = json!([["source", "web"]]);
    assert_eq!(stored(&document), expected);
}

#[test]
fn a_refund_keeps_every_field() {
    let refund = wit::Refund {
        src: 1,
        also: vec![2],
        key: "key".to_owned(),
        updated_at: at(101),
        deleted: true,
        order: text("order"),
        order_placed_at: Some(at(102)),
        at: at(103),
        state: "done".to_owned(),
        customer: text("customer"),
        country: text("DE"),
        store: text("store"),
        currency: "EUR".to_owned(),
        total: 1,
        tax: 2,
        shipping: 3,
        shipping_tax: 4,
        duty: 5,
        tip: 6,
        adjustment: -7,
        reason: text("reason"),
        lines: vec![wit::RefundLine {
            line: "line".to_owned(),
            product: text("product"),
            quantity: decimal(100),
            amount: 8,
            tax: 9,
            restock: "return".to_owned(),
        }],
    };
    let (document, records) = super::refund(&mut check(), refund).expect("accepted");
    assert_eq!(records, [1, 2]);
    let expected = json!({
        "entity": "refund", "src": 1, "also": [2], "key": "key", "updated_at": { "at": 101 }, "deleted": true,
        "order": "order", "order_placed_at": { "at": 102 }, "at": { "at": 103 }, "state": "done",
        "customer": "customer", "country": "DE", "store": "store", "currency": "EUR", "total_minor": 1,
        "tax_minor": 2, "shipping_minor": 3, "shipping_tax_minor": 4, "duty_minor": 5, "tip_minor": 6,
        "adjustment_minor": -7, "reason": "reason",
        "lines": [{
            "line": "line", "product": "product", "quantity": { "unscaled": 100, "scale": 2 }, "amount_minor": 8,
            "tax_minor": 9, "restock": "return"
        }]
    });
    assert_eq!(stored(&document), expected);
}

fn sample_entry() -> wit::BalanceEntry {
    wit::BalanceEntry {
        src: 9,
        key: "key".to_owned(),
        updated_at: at(1),
        deleted: false,
        category: "sale".to_owned(),
        provider_kind: "charge".to_owned(),
        at: at(2),
        available_on: Some(20_000),
        payment: text("payment"),
        order: text("order"),
        reference: text("reference"),
        payout: text("payout"),
        source: text("source"),
        method: text("method"),
        currency: "JPY".to_owned(),
        amount: 100,
        fee: -3,
        fee_tax: -1,
        net: 103,
        charged: Some(wit::Money { currency: "EUR".to_owned(), amount: 61 }),
        fx_rate: Some(decimal(164)),
    }
}

#[test]
fn a_balance_entry_keeps_every_field() {
    let (document, records) = super::balance_entry(&mut check(), sample_entry()).expect("accepted");
    assert_eq!(records, [9]);
    let expected = json!({
        "entity": "balance_entry", "src": 9, "key": "key", "updated_at": { "at": 1 }, "deleted": false,
        "category": "sale", "provider_kind": "charge", "at": { "at": 2 }, "available_on": 20_000,
        "payment": "payment", "order": "order", "reference": "reference", "payout": "payout", "source": "source",
        "method": "method", "currency": "JPY", "amount_minor": 100, "fee_minor": -3, "fee_tax_minor": -1,
        "net_minor": 103, "charged": { "amount_minor": 61, "currency": "EUR" },
        "fx_rate": { "unscaled": 164, "scale": 2 }
    });
    assert_eq!(stored(&document), expected);
}

#[test]
fn a_balance_entry_whose_amounts_disagree_is_refused() {
    let refusal = |change: fn(&mut wit::BalanceEntry)| {
        let mut entry = sample_entry();
        change(&mut entry);
        super::balance_entry(&mut check(), entry).expect_err("a finding").stop().to_string()
    };
    assert!(refusal(|entry| entry.net = 97).starts_with("balance entry \"key\": net is not amount − fee"));
    assert!(refusal(|entry| (entry.amount, entry.fee) = (i64::MAX, -1)).contains("net is not amount"));
    assert!(refusal(|entry| entry.fx_rate = Some(decimal(0))).contains("fx-rate is not above zero"));
    let unknown = wit::Money { currency: "euro".to_owned(), amount: 1 };
    let mut entry = sample_entry();
    entry.charged = Some(unknown);
    let refused = super::balance_entry(&mut check(), entry).expect_err("a finding").stop().to_string();
    assert!(refused.contains("charged"), "{refused}");
}

#[test]
fn a_finding_names_document_and_field() {
    let finding = |change: fn(&mut wit::Order)| {
        let mut order = sample_order();
        change(&mut order);
        super::order(&mut check(), order).expect_err("a finding").stop().to_string()
    };
    assert!(finding(|order| order.currency = "eur".to_owned()).starts_with("order \"key\": currency"));
    assert!(finding(|order| order.key = "k".repeat(300)).contains("longer than 255 bytes"));
    assert!(finding(|order| order.state = "a\0b".to_owned()).contains("NUL"));
    assert!(finding(|order| order.lines[0].quantity.scale = 200).contains("line quantity"));
    assert!(finding(|order| order.updated_at = at(i64::MIN)).contains("updated-at"));
    assert!(finding(|order| order.also = vec![0; 30_000]).contains("more than 20000 entries"));
}

#[test]
fn documents_of_one_chunk_weigh_so_much_and_no_more() {
    let mut check = Check::new(2_000);
    let mut answers = (0..10).map(|_| super::order(&mut check, sample_order()));
    let too_much = answers.find_map(Result::err).expect("the weight is spent");
    assert!(too_much.stop().to_string().contains("smaller chunks"));
}

fn slice(since: Option<i64>, until: Option<i64>) -> sync::Slice {
    sync::Slice { stream: "orders".to_owned(), partition: None, since, until, mode: sync::Mode::Backfill }
}

fn answer(next: sync::Continuation) -> Result<Page, Fault> {
    let text = json!({
        "id": "sample", "version": "1.0.0", "kind": "connector", "name": "S", "publisher": "P", "contract": "0.1.0",
        "streams": [{ "name": "orders", "entity": "order", "mode": "snapshot", "framing": "json" }],
    });
    let check = PageCheck {
        manifest: &Manifest::parse(text.to_string().as_bytes()).expect("a manifest"),
        limits: &Limits::default(),
        scrubber: &Scrubber::default(),
        slice: &SliceSpec {
            stream: "orders".to_owned(),
            partition: None,
            since: Some(Instant(10)),
            until: Some(Instant(20)),
            mode: SliceMode::Backfill,
        },
        staged: &|_| false,
    };
    super::page(&check, sync::Page { chunks: Vec::new(), next, expected: Some(5), progress: Some(250) })
}

#[test]
fn a_split_stays_inside_its_slice() {
    let inside =
        answer(sync::Continuation::Split(vec![slice(Some(10), Some(15)), slice(Some(15), Some(20))]));
    let page = inside.expect("accepted");
    assert!(matches!(&page.next, Continuation::Split(slices) if slices.len() == 2));
    assert_eq!((page.expected, page.progress_percent), (Some(5), Some(100)));
    for (since, until) in
        [(Some(9), Some(15)), (Some(10), Some(21)), (None, Some(15)), (Some(15), None), (Some(15), Some(15))]
    {
        let outside = answer(sync::Continuation::Split(vec![slice(since, until)]));
        assert!(matches!(outside, Err(Fault::PluginBug { .. })), "{since:?} {until:?}");
    }
    assert!(answer(sync::Continuation::Split(Vec::new())).is_err());
}

#[test]
fn a_wait_is_bounded() {
    let wait = sync::Wait { token: vec![1], ms: u64::MAX, why: "a\u{1b}[2Jreport".to_owned() };
    let page = answer(sync::Continuation::Wait(wait)).expect("accepted");
    let Continuation::Wait(wait) = page.next else { panic!("a wait") };
    assert_eq!((wait.wait_ms, wait.why.as_str()), (86_400_000, "a [2Jreport"));
}
