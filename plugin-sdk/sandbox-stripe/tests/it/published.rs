//! Every answer against the published specification, where it lies beside the repository.

use jsonschema::Validator;
use portolan_sandbox_stripe::{Options, Sandbox};
use serde_json::{Value, json};

use crate::{ask, everything};

const SPECIFICATION: &str = "../../../shared/specs/stripe/openapi.2023-08-16.trimmed.json";

/// OpenAPI 3.0 as JSON Schema: a nullable thing may be null. `reference` and its siblings stand beside each other.
fn as_json_schema(value: &mut Value) {
    if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(as_json_schema);
    }
    let Some(object) = value.as_object_mut() else { return };
    object.values_mut().for_each(as_json_schema);
    if object.remove("nullable") == Some(Value::Bool(true)) {
        let whole = Value::Object(std::mem::take(object));
        object.insert("anyOf".to_owned(), json!([whole, { "type": "null" }]));
    }
}

fn validator(specification: &Value, schema: &str) -> Validator {
    let mut root = json!({ "$ref": format!("#/components/schemas/{schema}") });
    root["components"] = json!({ "schemas": specification["components"]["schemas"] });
    jsonschema::validator_for(&root).expect("a schema")
}

#[expect(clippy::print_stdout, reason = "what is left out says so")]
fn specification() -> Option<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(SPECIFICATION);
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared not present");
        return None;
    };
    let mut specification = serde_json::from_str::<Value>(&text).expect("JSON");
    as_json_schema(&mut specification["components"]["schemas"]);
    Some(specification)
}

#[test]
fn every_object_is_as_the_specification_says() {
    let Some(specification) = specification() else { return };
    let sandbox = Sandbox::new(Options::tiny());
    let lists = [
        ("balance_transactions", "balance_transaction", "&expand[]=data.source&expand[]=data.source.charge"),
        ("balance_transactions", "balance_transaction", ""),
        ("charges", "charge", ""),
        ("refunds", "refund", "&expand[]=data.charge"),
        ("disputes", "dispute", "&expand[]=data.charge"),
        ("payouts", "payout", ""),
        ("payment_intents", "payment_intent", "&expand[]=data.latest_charge"),
        ("customers", "customer", ""),
        ("products", "product", "&expand[]=data.default_price"),
        ("events", "event", ""),
    ];
    let mut checked = 0;
    for (list, schema, expand) in lists {
        let validator = validator(&specification, schema);
        for account in &sandbox.world.accounts {
            let path = format!("/v1/{list}");
            for object in everything(&sandbox, account.profile.name, &path, &format!("limit=100{expand}")) {
                let errors: Vec<String> = validator
                    .iter_errors(&object)
                    .map(|error| format!("{}: {error}", error.instance_path()))
                    .collect();
                assert!(errors.is_empty(), "{list} {}: {errors:#?}", object["id"]);
                checked += 1;
            }
        }
    }
    assert!(checked > 2_000, "{checked} objects");
    let charge = validator(&specification, "charge");
    let mut broken = everything(&sandbox, "demo-tokyo", "/v1/charges", "limit=100").remove(0);
    broken["status"] = "perhaps".into();
    assert!(!charge.is_valid(&broken), "what the specification does not say is noticed");
    let (_, account) = ask(&sandbox, "demo-tokyo", "/v1/account", "");
    assert!(validator(&specification, "account").is_valid(&account));
}
