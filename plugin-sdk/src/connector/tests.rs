//! The manifest's schema, by the template that keeps it and by what breaks it.

use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../templates/rest/plugin.json");

fn findings(manifest: &Value) -> Vec<String> {
    let schema = serde_json::from_str(include_str!("../../../wit/manifest.schema.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a usable schema");
    validator.iter_errors(manifest).map(|error| error.to_string()).collect()
}

fn template() -> Value {
    serde_json::from_str(TEMPLATE).expect("JSON")
}

#[test]
fn the_template_follows_the_contract() {
    assert_eq!(findings(&template()), Vec::<String>::new());
}

#[test]
fn a_smallest_report_needs_no_streams() {
    let report = json!({"id": "top-ten", "version": "1.0.0", "kind": "report", "name": "Top ten",
        "publisher": "Example", "contract": "0.1.0"});
    assert_eq!(findings(&report), Vec::<String>::new());
}

#[test]
fn what_breaks_the_contract_is_found() {
    let breaks: [(&str, Value); 12] = [
        ("/contract", json!("0.2.0")),
        ("/id", json!("Example Shop")),
        ("/version", json!("1.0")),
        ("/kind", json!("sink")),
        ("/hosts", json!(["*.shop.example"])),
        ("/base_url", json!("http://shop.example")),
        ("/auth/0", json!({"id": "token", "kind": "bearer", "value": "{{access_token}}"})),
        ("/auth/0", json!({"id": "token", "kind": "header", "value": "x", "hosts": ["shop.example"]})),
        ("/streams", json!([])),
        ("/streams/0/entity", json!("orders")),
        ("/streams/0/cursor_field", Value::Null),
        ("/rate_buckets/0/refill_per_second", json!(0)),
    ];
    for (pointer, value) in breaks {
        let mut manifest = template();
        *manifest.pointer_mut(pointer).expect("a place") = value;
        assert!(!findings(&manifest).is_empty(), "{pointer}");
    }
    let mut unknown = template();
    unknown["hostnames"] = json!([]);
    assert!(!findings(&unknown).is_empty());
}

#[test]
fn every_way_to_authenticate_is_accepted() {
    let hosts = json!(["{{shop}}.shop.example"]);
    for scheme in [
        json!({"id": "a", "kind": "header", "header": "X-Shopify-Access-Token", "value": "{{access_token}}", "hosts": hosts}),
        json!({"id": "a", "kind": "basic", "username": "{{shop}}", "password": "{{access_token}}", "hosts": hosts}),
        json!({"id": "a", "kind": "query", "parameter": "key", "value": "{{access_token}}", "hosts": hosts}),
        json!({"id": "a", "kind": "none"}),
    ] {
        let mut manifest = template();
        manifest["auth"][0] = scheme;
        assert_eq!(findings(&manifest), Vec::<String>::new());
    }
}
