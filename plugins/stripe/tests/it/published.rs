//! Manifest, requests and categories against what is published.

use std::collections::BTreeSet;
use std::sync::Arc;

use portolan_plugin_stripe::{MANIFEST, Stripe, VERSION, category};
use portolan_sandbox_stripe::{Options, Sandbox};
use portolan_sdk::testing::Call;
use portolan_sdk::{Connector, Mode};
use serde_json::{Value, json};

use crate::support::{STREAMS, account, header, host, shared_json, whole, window};

const SPECIFICATION: &str = "stripe/openapi.2023-08-16.noexpand.json";
const TRIMMED: &str = "stripe/openapi.2023-08-16.trimmed.json";

/// Every request of a first sync, of a later one with its events, and of a check.
fn requests() -> Vec<Call> {
    let sandbox = Arc::new(Sandbox::new(Options::tiny()));
    let until = sandbox.world.until;
    let mut calls = Vec::new();
    for stream in STREAMS {
        let later = window(stream, Some(until - 20 * 86_400), Some(until), Mode::Incremental);
        for slice in [whole(stream), later] {
            let host = host(&sandbox, "demo-kolkata");
            host.sync::<Stripe>(&account(), &slice).expect("a run");
            calls.extend(host.calls());
        }
    }
    let host = host(&sandbox, "demo-kolkata");
    host.run(|| Stripe::check(&account())).expect("a report");
    calls.extend(host.calls());
    calls
}

#[test]
fn every_request_is_valid_in_the_published_specification() {
    let Some(specification) = shared_json(SPECIFICATION) else { return };
    let calls = requests();
    let mut operations = BTreeSet::new();
    for call in &calls {
        let (path, operation) = operation(&specification, call);
        let parameters = operation["parameters"].as_array().expect("parameters");
        for (name, value) in parameters_of(&call.url) {
            if let Err(why) = fits(parameters, &name, &value) {
                panic!("{} {}: {name}={value}: {why}", call.method, call.url);
            }
        }
        operations.insert(path);
        assert_eq!(header(call, "Stripe-Version"), Some(VERSION));
        assert_eq!((call.bucket.as_deref(), call.auth.as_deref()), (Some("api"), None));
    }
    assert!(calls.len() > 100 && operations.len() > 12, "{} calls of {operations:?}", calls.len());
}

/// The operation that a request calls.
fn operation<'s>(specification: &'s Value, call: &Call) -> (&'s str, &'s Value) {
    let path = call.url.split('?').next().unwrap_or_default();
    let steps: Vec<&str> = path.split('/').collect();
    let matches = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == steps.len()
            && template.iter().zip(&steps).all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
    };
    let paths = specification["paths"].as_object().expect("paths");
    // A literal step stands before a placeholder.
    let literal = paths.get_key_value(path);
    let found = literal.or_else(|| paths.iter().find(|(template, _)| matches(template)));
    let (template, operations) = found.unwrap_or_else(|| panic!("{path} is not in the specification"));
    let operation = &operations[call.method.to_ascii_lowercase()];
    assert!(operation.is_object(), "{} {template}", call.method);
    (template, operation)
}

fn parameters_of(url: &str) -> Vec<(String, String)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let decode = |text: &str| text.replace("%5B", "[").replace("%5D", "]").replace("%2E", ".");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// Whether a query parameter is declared and its value of the declared type. Objects and arrays are written as
/// OpenAPI's deepObject does: `created[gte]=1`, `expand[]=data.source`.
fn fits(parameters: &[Value], name: &str, value: &str) -> Result<(), String> {
    let (base, step) = name.split_once('[').map_or((name, None), |(base, step)| (base, Some(step)));
    let declared = parameters.iter().find(|found| found["in"] == "query" && found["name"] == base);
    let declared = declared.ok_or("it is not declared")?;
    let schema = &declared["schema"];
    let scalar = match step {
        None => Some(schema),
        Some("]") => schema.get("items"),
        Some(step) => {
            let step = step.trim_end_matches(']');
            let alternatives = schema["anyOf"].as_array().into_iter().flatten().chain([schema]);
            alternatives.into_iter().find_map(|one| one["properties"].get(step))
        }
    };
    let scalar = scalar.ok_or("it has no such part")?;
    let text = match scalar["type"].as_str() {
        Some("integer") => return value.parse::<i64>().map(drop).map_err(|error| error.to_string()),
        Some("string") => value,
        other => return Err(format!("it is of type {other:?}")),
    };
    let longest = scalar["maxLength"].as_u64().unwrap_or(u64::MAX);
    if text.is_empty() || text.len() as u64 > longest { Err("its length".to_owned()) } else { Ok(()) }
}

#[test]
fn the_check_of_requests_refuses_what_is_not_declared() {
    let Some(specification) = shared_json(SPECIFICATION) else { return };
    let parameters =
        specification["paths"]["/v1/charges"]["get"]["parameters"].as_array().expect("parameters");
    assert!(fits(parameters, "created[gte]", "5").is_ok() && fits(parameters, "expand[]", "data.x").is_ok());
    for (name, value) in
        [("page", "1"), ("created[gte]", "x"), ("created[near]", "1"), ("limit[]", "1"), ("limit", "many")]
    {
        assert!(fits(parameters, name, value).is_err(), "{name}={value}");
    }
}

#[test]
fn every_expansion_is_of_an_expandable_field() {
    let Some(specification) = shared_json(TRIMMED) else { return };
    let schemas = &specification["components"]["schemas"];
    let expandable = |object: &str, field: &str| {
        let fields = schemas[object]["x-expandableFields"].as_array().into_iter().flatten();
        fields.filter_map(Value::as_str).any(|found| found == field)
    };
    assert!(expandable("balance_transaction", "source"));
    for (object, field) in [
        ("refund", "charge"),
        ("dispute", "charge"),
        ("payment_intent", "latest_charge"),
        ("product", "default_price"),
    ] {
        assert!(expandable(object, field), "{object}.{field}");
    }
}

#[test]
fn every_published_kind_of_movement_has_a_category() {
    let Some(specification) = shared_json(TRIMMED) else { return };
    let types = &specification["components"]["schemas"]["balance_transaction"]["properties"]["type"]["enum"];
    let types: Vec<&str> = types.as_array().expect("types").iter().filter_map(Value::as_str).collect();
    let unmapped: Vec<_> = types.iter().filter(|kind| category::by_type(kind, -1).is_none()).collect();
    assert!(types.len() > 35 && unmapped.is_empty(), "types without a category: {unmapped:?}");

    let mut lists = Vec::new();
    enums_of(&specification["paths"]["/v1/reporting/report_runs"], "reporting_category", &mut lists);
    let categories: BTreeSet<String> = lists.into_iter().collect();
    let unmapped: Vec<_> =
        categories.iter().filter(|name| category::by_reporting_category(name, -1).is_none()).collect();
    assert!(categories.len() > 30 && unmapped.is_empty(), "reporting categories without ours: {unmapped:?}");
    assert_eq!(category::category("teleport", "teleportation", 5), "other", "what nobody knows yet");
}

/// The values that properties of this name may have, anywhere below.
fn enums_of(value: &Value, property: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let values = object.get(property).and_then(|schema| schema["enum"].as_array());
            found.extend(values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            object.values().for_each(|part| enums_of(part, property, found));
        }
        Value::Array(items) => items.iter().for_each(|item| enums_of(item, property, found)),
        _ => {}
    }
}

#[test]
fn the_manifest_fits_the_contract() {
    let schema = include_str!("../../../../wit/manifest.schema.json");
    let schema = serde_json::from_str::<Value>(schema).expect("JSON");
    let manifest = serde_json::from_str::<Value>(MANIFEST).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors = validator.iter_errors(&manifest).map(|error| error.to_string()).collect::<Vec<_>>();
    assert!(errors.is_empty(), "{errors:#?}");
    let names: Vec<_> =
        manifest["streams"].as_array().expect("streams").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, STREAMS.map(|name| json!(name)).iter().collect::<Vec<_>>());
}

#[test]
fn the_config_takes_a_key_and_names_of_metadata() {
    let manifest = serde_json::from_str::<Value>(MANIFEST).expect("JSON");
    let validator = jsonschema::validator_for(&manifest["config"]).expect("a schema");
    let fits = |key: &str| validator.is_valid(&json!({ "api_key": "x", "order_metadata_key": key }));
    assert!(fits("order_number") && fits("Order No.") && validator.is_valid(&json!({ "api_key": "x" })));
    // It becomes a name in JSON, unescaped.
    assert!(!fits("a\"b") && !fits("a\\b") && !fits("") && !fits("é"));
}
