use portolan_commerce::document::Document;
use portolan_connector::Normalized;
use portolan_core::{Instant, StoreCalendar};
use serde_json::json;

use super::compare::differences;
use super::shadow::Shadow;

fn order(key: &str, gross_minor: i64) -> Document {
    let at = json!({ "at": 1_780_000_000_000_000_i64 });
    serde_json::from_value(json!({
        "entity": "order", "src": 0, "also": [], "key": key, "updated_at": at, "deleted": false, "test": false,
        "number": null, "placed_at": at, "cancelled_at": null, "cancel_reason": null, "channel": null,
        "store": null, "location": null, "staff": null, "state": "open", "payment_state": "paid",
        "fulfilment_state": "", "customer": null, "country": null, "region": null, "currency": "EUR",
        "presentment_currency": null, "gross_minor": gross_minor, "discount_minor": 0, "shipping_minor": 0,
        "tax_minor": 0, "tip_minor": 0, "duty_minor": 0, "total_minor": gross_minor, "tax_included": false,
        "lines": [], "shipping_taxes": [], "agreements": [], "attributes": []
    }))
    .expect("an order")
}

fn read(documents: Vec<Document>) -> Normalized {
    let count = documents.len() as u32;
    Normalized { documents, seen: count, emitted: count, ..Normalized::default() }
}

#[test]
fn fields_are_told_by_path_and_array_entries_together() {
    let before = json!({ "a": 1, "lines": [{ "sku": "x", "n": 1 }, { "sku": "y", "n": 1 }], "gone": true });
    let after = json!({ "a": 1, "lines": [{ "sku": "x", "n": 2 }, { "sku": "z", "n": 1 }], "new": null });
    let told: Vec<_> = differences(&before, &after)
        .into_iter()
        .map(|found| format!("{} {} {}", found.path, found.before, found.after))
        .collect();
    assert_eq!(told, ["gone true absent", "lines[].n 1 2", "lines[].sku \"y\" \"z\"", "new absent null"]);
    let told = differences(&json!({ "lines": [1] }), &json!({ "lines": [1, 2] }));
    assert_eq!((told[0].path.as_str(), told[0].after.as_str()), ("lines[]", "2 entries"));
}

#[test]
fn money_is_compared_by_currency_and_kind_over_all_pages() {
    let mut shadow = Shadow::default();
    let (first, second) = (Instant(1), Instant(2));
    shadow.add("orders", first, Ok(read(vec![order("A", 1_000)])), Ok(read(vec![order("A", 1_200)])));
    // The same order met again counts once.
    shadow.add("orders", second, Ok(read(vec![order("A", 1_000)])), Ok(read(vec![order("A", 1_200)])));
    shadow.add("orders", second, Ok(read(vec![order("B", 500)])), Ok(read(Vec::new())));
    let report = shadow.finish(&StoreCalendar::utc()).expect("a report");
    let row = &report.money[0];
    assert_eq!((row.currency.as_str(), row.kind.as_str()), ("EUR", "sale"));
    assert_eq!((row.net_minor_before, row.net_minor_after), (1_500, 1_200));
    assert_eq!((row.events_before, row.events_after), (2, 1));
    let documents = &report.documents[0];
    assert_eq!((documents.changed, documents.removed, documents.added, documents.same), (2, 1, 0, 0));
    let field = report.fields.iter().find(|field| field.path == "gross_minor").expect("the field");
    assert_eq!((field.documents, field.examples[0].before.as_str()), (2, "1000"));
    assert!(!report.is_unchanged());
}

fn entry(key: &str, payment: &str, category: &str, amounts: (i64, i64), currency: &str) -> Document {
    let at = json!({ "at": 1_780_000_000_000_000_i64 });
    serde_json::from_value(json!({
        "entity": "balance_entry", "src": 0, "key": key, "updated_at": at, "deleted": false, "category": category,
        "provider_kind": category, "at": at, "available_on": null, "payment": payment, "order": null,
        "reference": null, "payout": null, "source": null, "method": null, "currency": currency,
        "amount_minor": amounts.0, "fee_minor": amounts.1, "fee_tax_minor": 0, "net_minor": amounts.0 - amounts.1,
        "charged": null, "fx_rate": null
    }))
    .expect("an entry")
}

#[test]
fn money_at_the_provider_is_compared_by_currency_and_category() {
    let mut shadow = Shadow::default();
    let sale = |fee: i64| entry("t-1", "ch_1", "sale", (1_000, fee), "EUR");
    let refund = entry("t-2", "ch_1", "refund", (-400, 0), "EUR");
    let dollars = entry("t-3", "ch_2", "sale", (700, 20), "USD");
    let before = vec![sale(30), refund.clone(), dollars.clone()];
    let after = vec![sale(45), entry("t-2", "ch_1", "adjustment", (-400, 0), "EUR"), dollars];
    shadow.add("balance", Instant(1), Ok(read(before.clone())), Ok(read(after.clone())));
    // Met again, an entry counts once.
    shadow.add("balance", Instant(2), Ok(read(before)), Ok(read(after)));
    let report = shadow.finish(&StoreCalendar::utc()).expect("a report");
    let told: Vec<String> = report.cash.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "payments, all, EUR: 2 -> 2 entries, gross 600 -> 600, fees 30 -> 45, net 570 -> 555",
            "payments, adjustment, EUR: 0 -> 1 entries, gross 0 -> -400, fees 0 -> 0, net 0 -> -400",
            "payments, refund, EUR: 1 -> 0 entries, gross -400 -> 0, fees 0 -> 0, net -400 -> 0",
            "payments, sale, EUR: 1 -> 1 entries, gross 1000 -> 1000, fees 30 -> 45, net 970 -> 955",
            "payments, all, USD: 1 -> 1 entries, gross 700 -> 700, fees 20 -> 20, net 680 -> 680",
            "payments, sale, USD: 1 -> 1 entries, gross 700 -> 700, fees 20 -> 20, net 680 -> 680",
        ]
    );
    assert!(!report.is_unchanged());
    let view = super::views::shadow_view(&report);
    let all = &view.cash[0];
    assert_eq!(
        (all.what.as_str(), all.fees.as_str(), all.differs),
        ("all movements, EUR", "0.30 → 0.45", true)
    );
    assert!(!view.cash[4].differs);
    // A report of before there was such a comparison is still read.
    let mut old = serde_json::to_value(&report).expect("json");
    old.as_object_mut().expect("an object").remove("cash");
    let old: super::report::ShadowReport = serde_json::from_value(old).expect("an older report");
    assert!(old.cash.is_empty());
}

#[test]
fn an_entry_that_moves_to_another_payment_is_compared_where_it_stands() {
    let mut shadow = Shadow::default();
    let read_as = |payment: &str| vec![entry("t-1", payment, "sale", (1_000, 30), "EUR")];
    shadow.add("balance", Instant(1), Ok(read(read_as("ch_1"))), Ok(read(read_as("ch_2"))));
    let report = shadow.finish(&StoreCalendar::utc()).expect("a report");
    assert!(report.cash.iter().all(super::report::CashReport::is_unchanged), "{:?}", report.cash);
    assert_eq!(report.documents[0].changed, 1);
}

#[test]
fn two_builds_that_agree_change_nothing() {
    let mut shadow = Shadow::default();
    shadow.add("orders", Instant(1), Ok(read(vec![order("A", 1_000)])), Ok(read(vec![order("A", 1_000)])));
    let report = shadow.finish(&StoreCalendar::utc()).expect("a report");
    assert!(report.is_unchanged());
    assert_eq!(report.documents[0].same, 1);
}
