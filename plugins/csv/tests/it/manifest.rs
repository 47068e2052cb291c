//! The manifest against the contract, and the kept mappings against the manifest.

use portolan_plugin_csv::MANIFEST;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_manifest_follows_the_contract() {
    let schema = json(include_str!("../../../../wit/manifest.schema.json"));
    let validator = jsonschema::validator_for(&schema).expect("a usable schema");
    let findings: Vec<String> =
        validator.iter_errors(&json(MANIFEST)).map(|error| error.to_string()).collect();
    assert_eq!(findings, Vec::<String>::new());
}

#[test]
fn the_kept_mappings_follow_the_manifest() {
    let manifest = json(MANIFEST);
    let validator = jsonschema::validator_for(&manifest["config"]).expect("a usable schema");
    for mapping in [
        include_str!("../../mappings/uci-online-retail.json"),
        include_str!("../../mappings/shopify-orders-export.json"),
        super::SMALL,
        "{}",
    ] {
        let findings: Vec<String> =
            validator.iter_errors(&json(mapping)).map(|error| error.to_string()).collect();
        assert_eq!(findings, Vec::<String>::new());
    }
    assert_eq!(
        manifest["config"]["examples"][0],
        json(include_str!("../../mappings/uci-online-retail.json"))
    );
}
