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

#[test]
fn two_builds_that_agree_change_nothing() {
    let mut shadow = Shadow::default();
    shadow.add("orders", Instant(1), Ok(read(vec![order("A", 1_000)])), Ok(read(vec![order("A", 1_000)])));
    let report = shadow.finish(&StoreCalendar::utc()).expect("a report");
    assert!(report.is_unchanged());
    assert_eq!(report.documents[0].same, 1);
}
