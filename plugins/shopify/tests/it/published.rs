//! Manifest and queries against what is published.

use apollo_compiler::{ExecutableDocument, Schema};
use portolan_plugin_shopify::{MANIFEST, all_queries};
use portolan_sandbox_shopify::{Options, Sandbox};
use serde_json::{Value, json};

use crate::support::{TOKEN, shared};

#[test]
fn every_query_is_valid_in_the_published_schema() {
    let Some(path) = shared("admin-graphql/schema-2026-07.stripped.graphql") else { return };
    let text = std::fs::read_to_string(path).expect("a schema");
    let schema = Schema::parse_and_validate(text, "schema.graphql").expect("a schema");
    for (name, query) in all_queries() {
        if let Err(errors) = ExecutableDocument::parse_and_validate(&schema, &query.text, "query.graphql") {
            panic!("{name}: {}", errors.errors);
        }
    }
}

#[test]
fn no_query_asks_for_a_person() {
    let forbidden = [
        "email",
        "phone",
        "firstName",
        "lastName",
        "displayName",
        "address1",
        "address2",
        "city",
        "zip",
        "company",
        "note",
        "latitude",
        "longitude",
        "clientIp",
        "customAttributes",
        "receiptJson",
        "accountNumber",
    ];
    for (name, query) in all_queries() {
        let words = query.text.split(|character: char| !character.is_alphanumeric()).collect::<Vec<_>>();
        for word in forbidden {
            assert!(!words.contains(&word), "{name} asks for {word}");
        }
    }
}

#[test]
fn every_query_costs_what_it_says_and_less_than_one_query_may() {
    let sandbox = Sandbox::new(Options::tiny());
    for (name, query) in all_queries() {
        let first = if name.contains("customers") { 250 } else { 100 };
        let variables = json!({ "first": first, "counted": true, "id": "gid://shopify/Order/5000000000" });
        let body = json!({ "query": query.text, "variables": variables }).to_string();
        let reply = sandbox.answer(None, Some(TOKEN), None, body.as_bytes());
        let answer = serde_json::from_slice::<Value>(&reply.body).expect("JSON");
        let cost = answer["extensions"]["cost"]["requestedQueryCost"].as_u64();
        crate::support::say(&format!("{name}: {cost:?}"));
        assert_eq!(cost, Some(u64::from(query.points)), "{name}: {answer}");
        assert!(query.points <= 1_000, "{name}");
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
}

#[test]
fn the_config_takes_a_shop_and_nothing_that_only_looks_like_one() {
    let manifest = serde_json::from_str::<Value>(MANIFEST).expect("JSON");
    let validator = jsonschema::validator_for(&manifest["config"]).expect("a schema");
    let fits = |shop: &str| validator.is_valid(&json!({ "shop": shop, "access_token": "x" }));
    assert!(fits("example.myshopify.com") && fits("a1-b.myshopify.com"));
    for wrong in [
        "example.com",
        "evil.com/.myshopify.com",
        "x.myshopify.com.evil.com",
        "-x.myshopify.com",
        "a@b.myshopify.com",
    ] {
        assert!(!fits(wrong), "{wrong}");
    }
}
