//! Objects written by hand, with amounts worked out by hand.

use portolan_sdk::commerce::{BalanceEntry, Money};
use portolan_sdk::{Decimal, Moment};
use serde_json::{Value, json};

use crate::support::{map, map_with, normalize};

/// 2026-03-01T10:00:00Z.
const AT: i64 = 1_772_359_200;

/// A movement of kind `type/reporting_category`, with amount, fee and net.
fn entry(kind: &str, currency: &str, [amount, fee, net]: [i64; 3], parts: Value) -> Value {
    let (kind, reporting) = kind.split_once('/').expect("two names");
    let mut entry = json!({
        "id": "txn_1", "object": "balance_transaction", "amount": amount, "available_on": 1_772_496_000, "created": AT,
        "currency": currency, "description": "x", "exchange_rate": null, "fee": fee, "fee_details": [], "net": net,
        "reporting_category": reporting, "source": null, "status": "pending", "type": kind,
    });
    entry.as_object_mut().expect("an object").extend(parts.as_object().cloned().expect("an object"));
    entry
}

fn charge(amount: i64, currency: &str) -> Value {
    json!({
        "id": "ch_1", "object": "charge", "amount": amount, "amount_captured": amount, "captured": true, "created": AT,
        "currency": currency, "livemode": true, "metadata": { "order_id": "77", "order_number": "#1077" },
        "payment_intent": "pi_1", "payment_method_details": { "type": "card", "card": { "brand": "visa" } }, "status": "succeeded",
    })
}

fn one(object: Value) -> BalanceEntry {
    let output = map("balance_transactions", &[object]);
    assert!(output.skipped.is_empty(), "{:?}", output.skipped);
    output.balance_entries[0].clone()
}

#[test]
fn a_sale_says_its_fee_its_tax_its_charge_and_its_order() {
    let fees = json!({ "fee_details": [
        { "amount": 59, "currency": "eur", "type": "stripe_fee" }, { "amount": 11, "currency": "eur", "type": "tax" }],
        "source": charge(2_000, "eur") });
    let entry = one(entry("charge/charge", "eur", [2_000, 70, 1_930], fees));
    assert_eq!((entry.category.as_str(), entry.provider_kind.as_str()), ("sale", "charge"));
    assert_eq!((entry.amount, entry.fee, entry.fee_tax, entry.net), (2_000, 70, 11, 1_930));
    assert_eq!((entry.payment.as_deref(), entry.source.as_deref()), (Some("ch_1"), Some("ch_1")));
    assert_eq!((entry.reference.as_deref(), entry.order.as_deref()), (Some("#1077"), None));
    assert_eq!((entry.method.as_deref(), entry.charged), (Some("card/visa"), None));
    assert_eq!((entry.at, entry.updated_at), (Moment::At(AT * 1_000_000), Moment::At(AT * 1_000_000)));
    assert_eq!(entry.available_on, Some(20_515), "2026-03-03");
}

#[test]
fn the_merchant_says_which_metadata_carries_the_order() {
    let sale = entry("charge/charge", "eur", [2_000, 0, 2_000], json!({ "source": charge(2_000, "eur") }));
    let output =
        map_with("balance_transactions", std::slice::from_ref(&sale), r#"{"order_metadata_key":"order_id"}"#);
    assert_eq!(output.balance_entries[0].reference.as_deref(), Some("77"));
    let output = map_with("balance_transactions", &[sale], r#"{"order_metadata_key":"invoice"}"#);
    assert_eq!(output.balance_entries[0].reference, None);
}

#[test]
fn a_refund_brings_part_of_its_fee_back_and_knows_its_charge() {
    let refund = json!({ "id": "re_1", "object": "refund", "amount": 1_000, "charge": charge(2_000, "eur"), "currency": "eur" });
    let parts = json!({ "source": refund,
        "fee_details": [{ "amount": -29, "currency": "eur", "type": "stripe_fee" }, { "amount": -5, "currency": "eur", "type": "tax" }] });
    let entry = one(entry("refund/refund", "eur", [-1_000, -34, -966], parts));
    assert_eq!(
        (entry.category.as_str(), entry.amount, entry.fee, entry.fee_tax, entry.net),
        ("refund", -1_000, -34, -5, -966)
    );
    assert_eq!((entry.payment.as_deref(), entry.source.as_deref()), (Some("ch_1"), Some("re_1")));
    assert_eq!((entry.reference.as_deref(), entry.method.as_deref()), (Some("#1077"), Some("card/visa")));
}

#[test]
fn ids_that_are_not_expanded_say_what_they_can() {
    let with = |source: &str| one(entry("charge/charge", "eur", [5, 0, 5], json!({ "source": source })));
    assert_eq!(with("ch_9").payment.as_deref(), Some("ch_9"));
    assert_eq!(with("py_9").payment.as_deref(), Some("py_9"));
    let refund = with("re_9");
    assert_eq!((refund.payment, refund.source.as_deref()), (None, Some("re_9")));
    let charge_only =
        json!({ "id": "re_1", "object": "refund", "amount": 1, "charge": "ch_8", "currency": "eur" });
    let half = one(entry("refund/refund", "eur", [-1, 0, -1], json!({ "source": charge_only })));
    assert_eq!((half.payment.as_deref(), half.reference), (Some("ch_8"), None));
}

#[test]
fn a_dispute_takes_the_payment_and_a_fee_and_gives_both_back_when_it_is_won() {
    let dispute = json!({ "id": "dp_1", "object": "dispute", "amount": 2_000, "charge": charge(2_000, "eur"), "currency": "eur" });
    let lost = one(entry(
        "adjustment/dispute",
        "eur",
        [-2_000, 1_500, -3_500],
        json!({ "source": dispute.clone() }),
    ));
    assert_eq!(
        (lost.category.as_str(), lost.provider_kind.as_str(), lost.net),
        ("dispute", "dispute", -3_500)
    );
    assert_eq!(
        (lost.payment.as_deref(), lost.source.as_deref(), lost.reference.as_deref()),
        (Some("ch_1"), Some("dp_1"), Some("#1077"))
    );
    let won = one(entry(
        "adjustment/dispute_reversal",
        "eur",
        [2_000, -1_500, 3_500],
        json!({ "source": dispute }),
    ));
    assert_eq!((won.category.as_str(), won.fee, won.net), ("dispute-reversal", -1_500, 3_500));
}

#[test]
fn amounts_are_exact_whatever_the_currencys_digits() {
    let sale = |currency: &str, amounts: [i64; 3]| {
        let entry = one(entry("charge/charge", currency, amounts, json!({})));
        (entry.currency.clone(), entry.amount, entry.fee, entry.net)
    };
    assert_eq!(sale("jpy", [3_000, 108, 2_892]), ("JPY".to_owned(), 3_000, 108, 2_892));
    assert_eq!(sale("kwd", [12_340, 610, 11_730]), ("KWD".to_owned(), 12_340, 610, 11_730));
    assert_eq!(sale("isk", [500_000, 20_000, 480_000]), ("ISK".to_owned(), 5_000, 200, 4_800));
    assert_eq!(sale("ugx", [500, 0, 500]), ("UGX".to_owned(), 5, 0, 5));
    assert_eq!(sale("mga", [500, 100, 400]), ("MGA".to_owned(), 50_000, 10_000, 40_000));
    let broken = [
        entry("charge/charge", "isk", [150, 0, 150], json!({})),
        entry("charge/charge", "eur", [100, 10, 95], json!({})),
    ];
    let output = map("balance_transactions", &broken);
    let paths: Vec<_> = output.skipped.iter().map(|skipped| skipped.path.as_deref()).collect();
    assert_eq!(
        (paths, output.emitted),
        (vec![Some("amount"), Some("net")], 0),
        "half a króna; a net that is none"
    );
}

#[test]
fn a_payment_in_another_currency_says_what_the_buyer_saw() {
    let parts = json!({ "source": charge(1_000, "usd"), "exchange_rate": 0.917342 });
    let sale = one(entry("charge/charge", "eur", [917, 40, 877], parts));
    assert_eq!(sale.charged, Some(Money { currency: "USD".to_owned(), amount: 1_000 }));
    assert_eq!(sale.fx_rate, Some(Decimal::new(917_342, 6)));
    let refund =
        json!({ "id": "re_1", "object": "refund", "amount": 400, "charge": "ch_1", "currency": "usd" });
    let back = one(entry(
        "refund/refund",
        "eur",
        [-371, 0, -371],
        json!({ "source": refund, "exchange_rate": 0.9275 }),
    ));
    assert_eq!(back.charged, Some(Money { currency: "USD".to_owned(), amount: -400 }));
    // Less was captured than authorised: only that moved.
    let mut part = charge(1_000, "jpy");
    part["amount_captured"] = json!(700);
    let sale = one(entry(
        "charge/charge",
        "eur",
        [430, 0, 430],
        json!({ "source": part, "exchange_rate": 0.00614 }),
    ));
    assert_eq!(sale.charged, Some(Money { currency: "JPY".to_owned(), amount: 700 }));
}

#[test]
fn every_kind_of_movement_has_its_category() {
    let table = [
        ("stripe_fee/fee", -5, "fee"),
        ("stripe_fee/fee", 5, "fee-refund"),
        ("stripe_fx_fee/fee", -5, "fee"),
        ("tax_fee/tax", -5, "tax-on-fee"),
        ("tax_fee/fee", -5, "tax-on-fee"),
        ("reserve_transaction/risk_reserved_funds", -5, "reserve-hold"),
        ("reserved_funds/risk_reserved_funds", 5, "reserve-release"),
        ("adjustment/other_adjustment", -5, "adjustment"),
        ("payment_failure_refund/charge_failure", -5, "sale"),
        ("refund_failure/refund_failure", 5, "refund"),
        ("payout/payout", -5, "payout"),
        ("payout_failure/payout_reversal", 5, "payout-reversal"),
        ("payout_cancel/payout_reversal", 5, "payout-reversal"),
        ("anticipation_repayment/financing_paydown", -5, "loan"),
        ("application_fee/platform_earning", 5, "transfer"),
        ("topup/topup", 5, "transfer"),
        ("contribution/contribution", -5, "other"),
        ("something_new/something_newer", -5, "other"),
        // As answered before there were reporting categories.
        ("charge/", 5, "sale"),
        ("adjustment/", -5, "adjustment"),
    ];
    for (kind, amount, category) in table {
        let entry = one(entry(kind, "eur", [amount, 0, amount], json!({})));
        assert_eq!(entry.category, category, "{kind}");
        assert!(!entry.provider_kind.is_empty() && kind.split('/').any(|name| name == entry.provider_kind));
    }
}

#[test]
fn the_version_that_knows_its_payout_stands_above_the_plain_one() {
    let plain = entry("charge/charge", "eur", [5, 0, 5], json!({}));
    let told = |created: i64| {
        let mut told = plain.clone();
        told["portolan_payout"] = json!({ "id": "po_1", "created": created });
        normalize("payouts", &json!([told])).expect("documents").balance_entries[0].clone()
    };
    let later = told(AT + 500);
    assert_eq!(
        (later.payout.as_deref(), later.updated_at),
        (Some("po_1"), Moment::At((AT + 500) * 1_000_000))
    );
    assert_eq!(told(AT - 500).updated_at, Moment::At(AT * 1_000_000 + 1), "also where the clocks disagree");
    let own = one(entry("payout/payout", "eur", [-5, 0, -5], json!({ "source": "po_7" })));
    assert_eq!(own.payout.as_deref(), Some("po_7"));
    let back = one(entry("payout_failure/payout_reversal", "eur", [5, 0, 5], json!({ "source": "po_7" })));
    assert_eq!((back.payout, back.source.as_deref()), (None, Some("po_7")), "it goes into the next payout");
}

#[test]
fn a_charge_is_a_sale_an_authorisation_or_both() {
    let transactions = |charge: Value| {
        let output = map("charges", &[charge]);
        let facts = output
            .transactions
            .iter()
            .map(|one| (one.key.clone(), one.kind.clone(), one.state.clone(), one.amount));
        facts.collect::<Vec<_>>()
    };
    let fact = |key: &str, kind: &str, state: &str, amount: i64| {
        (key.to_owned(), kind.to_owned(), state.to_owned(), amount)
    };
    assert_eq!(transactions(charge(2_000, "eur")), [fact("ch_1", "sale", "succeeded", 2_000)]);
    let mut held = charge(2_000, "eur");
    (held["captured"], held["amount_captured"]) = (json!(false), json!(0));
    assert_eq!(transactions(held.clone()), [fact("ch_1", "authorization", "succeeded", 2_000)]);
    let mut part = charge(2_000, "eur");
    part["amount_captured"] = json!(1_500);
    assert_eq!(
        transactions(part),
        [
            fact("ch_1", "authorization", "succeeded", 2_000),
            fact("ch_1/capture", "capture", "succeeded", 1_500)
        ]
    );
    held["status"] = json!("failed");
    assert_eq!(transactions(held), [fact("ch_1", "sale", "failed", 2_000)]);
    let sale = &map("charges", &[charge(2_000, "eur")]).transactions[0];
    assert_eq!(
        (sale.provider_reference.as_deref(), sale.order.as_deref(), sale.test),
        (Some("pi_1"), Some("#1077"), false)
    );
}

#[test]
fn what_cannot_be_mapped_is_put_aside_with_its_reason() {
    let good = charge(2_000, "eur");
    let mut undated = good.clone();
    undated["created"] = json!("yesterday");
    let mut unpriced = good.clone();
    unpriced.as_object_mut().expect("an object").remove("amount");
    let mut strange = good.clone();
    strange["currency"] = json!("dollars");
    let output = map("charges", &[good, undated, unpriced, strange]);
    assert_eq!((output.seen, output.emitted, output.skipped.len()), (4, 1, 3));
    let paths: Vec<_> = output
        .skipped
        .iter()
        .map(|skipped| (skipped.src, skipped.path.clone().unwrap_or_default()))
        .collect();
    assert_eq!((paths[0].0, paths[2].clone()), (1, (3, "currency".to_owned())));
    assert!(output.skipped[1].reason.contains("amount"), "{:?}", output.skipped[1]);
}
