use proptest::prelude::*;
use serde_json::{Value, json};

use super::compare::drift;
use super::sample::{SAMPLED, sample};
use super::shape::{Shape, type_names};

fn shape(records: &[Value]) -> Shape {
    let mut shape = Shape::default();
    records.iter().for_each(|record| shape.add(record));
    shape
}

fn told(before: &[Value], now: &[Value]) -> Vec<String> {
    let found = drift(&shape(before), &shape(now));
    found.into_iter().map(|drift| format!("{} {}", drift.what, drift.path)).collect()
}

#[test]
fn paths_collapse_arrays_and_maps() {
    let many: serde_json::Map<String, Value> = (0..100).map(|n| (format!("name-{n}"), json!(n))).collect();
    let shape = shape(&[json!({
        "lines": [{ "price": 1 }, { "price": "2", "tax": null }],
        "by_name": many,
        "by_id": { "1234": true },
        "by_mail": { "a@b.example": { "n": 1 } },
    })]);
    let paths: Vec<String> = shape
        .paths()
        .into_iter()
        .map(|(path, facts)| format!("{path} {}", type_names(facts.types).join("|")))
        .collect();
    assert_eq!(
        paths,
        [
            "by_id object",
            "by_id.* boolean",
            "by_mail object",
            "by_mail.* object",
            "by_mail.*.n number",
            "by_name object",
            "by_name.* number",
            "lines array",
            "lines[] object",
            "lines[].price number|string",
            "lines[].tax null",
        ]
    );
}

#[test]
fn what_is_new_gone_or_of_another_type_is_told() {
    let before = vec![json!({ "id": 1, "price": "1.00", "old": true, "rare": null }); 40];
    let mut now = vec![json!({ "id": 1, "price": 1.0, "new": {} }); 30];
    assert_eq!(told(&before, &now), ["new new", "changed price", "vanished old", "vanished rare"]);
    now.truncate(5);
    assert_eq!(told(&before, &now), ["new new", "changed price"], "five records miss nothing");
    assert_eq!(told(&[], &now), Vec::<String>::new(), "the first day is no drift");
    assert_eq!(told(&before, &before), Vec::<String>::new());
}

#[test]
fn the_first_records_are_read_in_every_framing_and_the_rest_is_not() {
    let records: Vec<Value> = (0..200).map(|n| json!({ "n": n })).collect();
    let whole = serde_json::to_vec(&records).expect("json");
    assert_eq!(sample("json", &whole).map(|shape| shape.records), Some(SAMPLED as u64));
    // What comes after the sample may be anything.
    let mut broken = whole[..whole.len() / 2].to_vec();
    broken.extend(b"\xff\xfe");
    assert_eq!(sample("json", &broken).map(|shape| shape.records), Some(SAMPLED as u64));
    let nested = json!({ "other": [1, 2], "data": { "or/ders": [{ "a": 1 }, { "a": 2 }] } }).to_string();
    assert_eq!(sample("json:/data/or~1ders", nested.as_bytes()).map(|shape| shape.records), Some(2));
    let places = json!({ "places": [{ "levels": [1] }, { "levels": [{ "a": 1 }, { "a": 2 }, { "a": 3 }] }] })
        .to_string();
    let of = |framing: &str| sample(framing, places.as_bytes()).map(|shape| shape.records);
    assert_eq!(of("json:/places/1/levels"), Some(3));
    assert_eq!(of("json:/places/7/levels"), of("json:/nowhere"), "nothing is there");
    assert_eq!(sample("ndjson", b"{\"a\":1}\n\n{\"a\":2}\nnot json\n").map(|shape| shape.records), Some(2));
    assert_eq!(sample("json", b"{\"a\":1}").map(|shape| shape.records), Some(1), "one record alone");
    assert_eq!(sample("csv;group-by=Order", b"a,b\n1,2\n"), None);
    assert_eq!(sample("json", b"\x00"), None);
}

#[test]
fn a_hostile_record_stays_small() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    let wide: serde_json::Map<String, Value> =
        (0..5_000).map(|n| (format!("k{n}"), json!({ format!("v{n}"): [n] }))).collect();
    let shape = shape(&[deep, Value::Object(wide)]);
    assert!(shape.paths().len() <= 2_100, "{}", shape.paths().len());
    assert!(serde_json::to_string(&shape).expect("json").len() < 200_000);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i32>().prop_map(|n| json!(n))
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn shapes_add_up_however_records_are_cut_into_pages(
        records in proptest::collection::vec(values(), 0..12),
        cut in 0_usize..12,
    ) {
        let (left, right) = records.split_at(cut.min(records.len()));
        let mut merged = shape(right);
        merged.merge(&shape(left));
        prop_assert_eq!(merged.paths(), shape(&records).paths());
        prop_assert_eq!(merged.records, records.len() as u64);
    }

    #[test]
    fn no_body_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for framing in ["json", "json:/a/b", "ndjson", "json:"] {
            let _some_or_none = sample(framing, &body);
        }
    }
}
