use serde_json::{Value, json};

use super::{AuthMethod, CursorKind, Manifest, PrivacyAsks, StreamMode};

fn sample() -> Value {
    json!({
        "id": "sample-shop",
        "version": "1.2.3",
        "kind": "connector",
        "name": "Sample shop",
        "publisher": "Portolan",
        "contract": "0.1.0",
        "config": {
            "type": "object",
            "properties": {
                "shop": { "type": "string" },
                "token": { "type": "string", "format": "secret" },
                "key": { "type": "string", "format": "secret" }
            },
            "required": ["shop", "token"]
        },
        "auth": [{
            "id": "token", "kind": "header", "header": "X-Token", "value": "{{token}}", "hosts": ["{{shop}}.shops.example"]
        }],
        "signing": [{ "secret": "key", "algorithms": ["hmac-sha256"] }],
        "hosts": ["{{shop}}.shops.example"],
        "base_url": "https://{{shop}}.shops.example/admin",
        "streams": [{
            "name": "orders", "entity": "order", "further_entities": ["refund"], "mode": "incremental",
            "framing": "json:/orders", "record_key": "/id", "cursor_field": "updated_at", "lookback_seconds": 60
        }],
        "x-further": { "unknown": true }
    })
}

fn parse(manifest: &Value) -> Result<Manifest, String> {
    Manifest::parse(manifest.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// The findings after one value was changed.
fn findings(pointer: &str, value: Value) -> String {
    let mut manifest = sample();
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    manifest.pointer_mut(parent).expect("a parent")[field] = value;
    parse(&manifest).expect_err(pointer)
}

#[test]
fn a_complete_manifest_is_read_with_unknown_fields() {
    let manifest = parse(&sample()).expect("accepted");
    let stream = manifest.stream("orders").expect("a stream");
    assert_eq!((stream.mode, stream.cursor_kind), (StreamMode::Incremental, CursorKind::Updated));
    assert_eq!(stream.lookback().as_ms(), 60_000);
    assert_eq!(stream.granularity().as_ms(), 1_000);
    assert!(
        matches!(&manifest.default_auth().expect("a scheme").method, AuthMethod::Header { header, .. } if header == "X-Token")
    );
    assert_eq!(manifest.secret_fields(), ["key", "token"]);
    assert_eq!(manifest.limits.memory_bytes, 128 << 20);
}

#[test]
fn a_manifest_survives_being_stored() {
    let manifest = parse(&sample()).expect("accepted");
    let stored = serde_json::to_vec(&manifest).expect("json");
    assert_eq!(Manifest::parse(&stored).expect("accepted again"), manifest);
}

#[test]
fn another_contract_version_is_refused() {
    for version in ["0.1.1", "0.2.0", "1.0.0", ""] {
        assert!(findings("/contract", json!(version)).contains("exactly 0.1.0"), "{version}");
    }
}

#[test]
fn names_and_versions_have_a_form() {
    for id in ["Shopify", "a b", "-a", "a--b", "", "1shop"] {
        assert!(findings("/id", json!(id)).contains("id "), "{id}");
    }
    for version in ["1", "1.2", "1.2.x", "v1.2.3"] {
        assert!(findings("/version", json!(version)).contains("three numbers"), "{version}");
    }
}

#[test]
fn a_host_is_never_a_wildcard_and_its_domain_is_fixed() {
    for host in ["*", "*.shops.example"] {
        assert!(findings("/hosts", json!([host])).contains("wildcard"), "{host}");
    }
    for host in [
        "{{shop}}.com",
        "shops.{{shop}}",
        "https://shops.example",
        "shops.example/x",
        "localhost",
        "127.0.0.1",
        "",
    ] {
        assert!(findings("/hosts", json!([host])).contains("hosts:"), "{host}");
    }
    assert!(findings("/hosts", json!(["{{token}}.shops.example"])).contains("must not carry a secret"));
    assert!(findings("/hosts", json!(["{{nobody}}.shops.example"])).contains("config does not define"));
}

#[test]
fn every_secret_is_bound_to_a_declared_host() {
    assert!(findings("/auth/0/hosts", json!([])).contains("names no hosts"));
    assert!(findings("/auth/0/hosts", json!(["api.example"])).contains("not among hosts"));
    assert!(findings("/auth", json!([])).contains("config.token is secret but bound to nothing"));
    assert!(findings("/signing", json!([])).contains("config.key is secret but bound to nothing"));
    assert!(findings("/signing/0/secret", json!("shop")).contains("no secret field"));
    assert!(findings("/auth/0/header", json!("Host")).contains("may be set"));
    assert!(findings("/signing/0/algorithms", json!(["hmac-md5"])).contains("use hmac-sha256, hmac-sha1"));
}

#[test]
fn limits_that_are_not_asked_for_are_those_of_the_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../wit/manifest.schema.json")).expect("a schema");
    let properties = schema["$defs"]["limits"]["properties"].as_object().expect("limits").clone();
    let documented: serde_json::Map<String, Value> =
        properties.into_iter().map(|(name, property)| (name, property["default"].clone())).collect();
    let limits = parse(&sample()).expect("accepted").limits;
    assert_eq!(serde_json::to_value(limits).expect("json"), Value::Object(documented));
}

#[test]
fn an_incremental_stream_states_what_its_watermark_stands_on() {
    assert!(findings("/streams/0/cursor_field", Value::Null).contains("no cursor_field"));
    assert!(findings("/streams/0/record_key", Value::Null).contains("no record_key"));
    assert!(findings("/streams/0/granularity_seconds", json!(0)).contains("1 or more"));
    assert!(findings("/streams/0/framing", json!("xml")).contains("framing"));
    assert!(findings("/streams/0/entity", json!("invoice")).contains("not readable"));
    assert!(findings("/streams", json!([])).contains("at least one"));
}

#[test]
fn a_secret_that_would_not_be_sealed_is_refused() {
    let secret = json!({ "type": "string", "format": "secret" });
    let nested = json!({ "type": "object", "properties": { "password": secret } });
    let told = findings("/config/properties/proxy", nested.clone());
    assert!(told.contains("config/properties/proxy/properties/password has \"format\""), "{told}");
    assert!(told.contains("directly in config.properties"), "{told}");
    for (pointer, hidden) in [
        ("/config/properties/list", json!({ "type": "array", "items": secret })),
        ("/config/properties/either", json!({ "anyOf": [{ "type": "null" }, secret] })),
        ("/config/$defs", json!({ "password": secret })),
        ("/config/$defs", json!({ "properties": { "password": secret } })),
        ("/config/additionalProperties", secret.clone()),
    ] {
        assert!(findings(pointer, hidden).contains("are sealed"), "{pointer}");
    }
    for target in ["#/properties/token", "#"] {
        for refers in [json!({ "$ref": target }), json!({ "properties": { "again": { "$ref": target } } })] {
            assert!(findings("/config/properties/other", refers).contains("refers to a secret"), "{target}");
        }
    }
    let mut harmless = sample();
    harmless["config"]["properties"]["other"] = json!({ "$ref": "#/properties/shop" });
    parse(&harmless).expect("a reference to what is no secret");
}

#[test]
fn a_rate_bucket_holds_something_and_refills() {
    let bucket = |id: &str, capacity: f64, refill: f64| json!({ "id": id, "scope": "account", "capacity": capacity, "refill_per_second": refill });
    for bad in [bucket("api", 0.0, 1.0), bucket("api", 1.0, 0.0), bucket("api", -1.0, 1.0)] {
        assert!(findings("/rate_buckets", json!([bad])).contains("greater than 0"));
    }
    assert!(
        findings("/rate_buckets", json!([bucket("a", 1.0, 1.0), bucket("a", 1.0, 1.0)])).contains("unique")
    );
    let mut nobody = bucket("a", 1.0, 1.0);
    nobody["concurrency"] = json!(0);
    assert!(findings("/rate_buckets", json!([nobody])).contains("concurrency must be 1 or more"));
}

#[test]
fn all_findings_are_told_at_once() {
    let mut manifest = sample();
    manifest["contract"] = json!("9.9.9");
    manifest["id"] = json!("NO");
    manifest["base_url"] = json!("http://shops.example");
    let told = parse(&manifest).expect_err("three findings");
    assert_eq!(told.split("; ").count(), 3, "{told}");
}

fn privacy_webhooks() -> Value {
    json!({
        "verification": { "algorithm": "hmac-sha256", "secret": "key", "header": "X-Signature", "encoding": "base64",
            "message": "{{body}}" },
        "account": { "pointer": "/shop_domain", "field": "shop" },
        "topics": [
            { "topic": "customers/data_request", "asks": "export", "has": ["/data_request", "/orders_requested"],
              "customer": "/customer/id" },
            { "topic": "customers/redact", "asks": "erase", "has": ["/orders_to_redact"], "customer": "/customer/id" },
            { "topic": "shop/redact", "asks": "erase_all",
              "lacks": ["/customer", "/data_request", "/orders_requested", "/orders_to_redact"] }
        ]
    })
}

#[test]
fn what_a_channel_asks_for_a_customer_is_told_by_the_body_alone() {
    let mut manifest = sample();
    manifest["privacy_webhooks"] = privacy_webhooks();
    let webhooks = parse(&manifest).expect("accepted").privacy_webhooks.expect("declared");
    let about = |mut body: Value, more: Value| {
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let wish = webhooks.judge(&body);
        wish.map(|wish| (wish.asks, wish.customer_id))
    };
    let shop = || json!({ "shop_id": 1, "shop_domain": "harbour" });
    let customer = json!({ "id": 191_167, "email": "ada@example.org" });
    let key = Some("191167".to_owned());
    let asked = json!({ "orders_requested": [1], "customer": customer, "data_request": { "id": 9 } });
    assert_eq!(about(shop(), asked), Some((PrivacyAsks::Export, key.clone())));
    let redact = json!({ "customer": customer, "orders_to_redact": [] });
    assert_eq!(about(shop(), redact), Some((PrivacyAsks::Erase, key)));
    assert_eq!(about(shop(), json!({})), Some((PrivacyAsks::EraseAll, None)));
    assert_eq!(about(shop(), json!({ "customer": customer })), None, "of no topic");
    let nobody = json!({ "customer": { "email": "guest@example.org" }, "orders_to_redact": [5] });
    assert_eq!(about(shop(), nobody), Some((PrivacyAsks::Erase, None)));
    for nothing in [json!([]), json!("x"), Value::Null] {
        assert_eq!(webhooks.judge(&nothing), None, "{nothing}");
    }
    assert!(webhooks.is_of_account(&shop(), &json!({ "shop": "harbour" })));
    for config in [json!({ "shop": "quayside" }), json!({})] {
        assert!(!webhooks.is_of_account(&shop(), &config), "{config}");
    }
    assert!(!webhooks.is_of_account(&json!({}), &json!({})), "what says nothing is nobody's");
}

#[test]
fn a_privacy_webhook_that_the_host_cannot_verify_or_tell_apart_is_refused() {
    let refused = |pointer: &str, value: Value| {
        let mut webhooks = privacy_webhooks();
        *webhooks.pointer_mut(pointer).expect(pointer) = value;
        findings("/privacy_webhooks", webhooks)
    };
    assert!(refused("/verification/algorithm", json!("hmac-sha1")).contains("use hmac-sha256"));
    assert!(refused("/verification/encoding", json!("rot13")).contains("base64 or hex"));
    assert!(refused("/verification/message", json!("{{timestamp}}.{{body}}")).contains("nothing else"));
    assert!(refused("/verification/header", json!("X Signature")).contains("name of a header"));
    assert!(refused("/verification/secret", json!("shop")).contains("no secret field"));
    assert!(refused("/account/field", json!("token")).contains("no open field"));
    assert!(refused("/topics", json!([])).contains("at least one"));
    assert!(refused("/topics/1/has", json!([])).contains("told apart by nothing"));
    assert!(refused("/topics/1/customer", Value::Null).contains("belongs to export and erase"));
    assert!(refused("/topics/1/customer", json!("customer")).contains("no JSON pointer"));
}
