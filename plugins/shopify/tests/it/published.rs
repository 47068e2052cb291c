//! Manifest and queries against what is published.

use apollo_compiler::{ExecutableDocument, Schema};
use portolan_plugin_shopify::{MANIFEST, all_queries, bulk_query};
use portolan_sandbox_shopify::{Options, Sandbox};
use serde_json::{Value, json};

use crate::support::{TOKEN, shared};

const ROOTS: [&str; 4] = ["orders", "products", "customers", "abandonedCheckouts"];
const SEARCH: &str = "updated_at:>='2024-01-01T00:00:00Z' updated_at:<'2026-01-01T00:00:00Z'";

/// Every text that may be sent, those inside a mutation among them.
fn all_texts() -> Vec<(String, String)> {
    let plain = all_queries().into_iter().map(|(name, query)| (name, query.text));
    let bulk = ROOTS.map(|root| (format!("{root} in bulk"), bulk_query(root, Some(SEARCH))));
    plain.chain(bulk).collect()
}

#[test]
fn every_query_is_valid_in_the_published_schema() {
    let Some(path) = shared("admin-graphql/schema-2026-07.stripped.graphql") else { return };
    let text = std::fs::read_to_string(path).expect("a schema");
    let schema = Schema::parse_and_validate(text, "schema.graphql").expect("a schema");
    for (name, text) in all_texts() {
        if let Err(errors) = ExecutableDocument::parse_and_validate(&schema, &text, "query.graphql") {
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
        "abandonedCheckoutUrl",
    ];
    for (name, text) in all_texts() {
        let words = text.split(|character: char| !character.is_alphanumeric()).collect::<Vec<_>>();
        for word in forbidden {
            assert!(!words.contains(&word), "{name} asks for {word}");
        }
    }
}

#[test]
fn every_query_costs_what_it_says_and_less_than_one_query_may() {
    let sandbox = Sandbox::new(Options::tiny());
    for (name, query) in all_queries() {
        let many = ["customers", "abandonedCheckouts"].iter().any(|root| name.contains(root));
        let first = if many { 250 } else { 100 };
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
fn bulk_queries_keep_the_rules_that_were_recorded() {
    let sandbox = Sandbox::new(Options::tiny());
    for root in ROOTS {
        let text = bulk_query(root, Some(SEARCH));
        assert!(
            !text.contains("nodes") && !text.contains("...Money") && !text.contains("fragment "),
            "{text}"
        );
        let begin = all_queries().into_iter().find(|(name, _)| name == "begin a bulk operation");
        let begin = begin.expect("a mutation").1.text;
        let body = json!({ "query": begin, "variables": { "query": text } }).to_string();
        let reply = sandbox.answer(None, Some(TOKEN), None, body.as_bytes());
        let answer = serde_json::from_slice::<Value>(&reply.body).expect("JSON");
        assert_eq!(answer["data"]["begun"]["userErrors"], json!([]), "{root}");
    }
}

#[test]
fn files_lie_on_a_host_that_no_credential_is_bound_to() {
    let manifest = serde_json::from_str::<Value>(MANIFEST).expect("JSON");
    assert_eq!(manifest["hosts"], json!(["{{shop}}", "storage.googleapis.com"]));
    assert_eq!(manifest["auth"][0]["hosts"], json!(["{{shop}}"]));
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
