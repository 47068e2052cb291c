use serde_json::{Value, json};

use super::{render, template_fields};
use crate::Manifest;

fn manifest(hosts: &[&str]) -> Manifest {
    let text = json!({
        "id": "sample", "version": "1.0.0", "kind": "connector", "name": "Sample", "publisher": "P", "contract": "0.1.0",
        "config": {
            "type": "object",
            "properties": {
                "shop": { "type": "string", "pattern": "^[a-z.-]+$", "maxLength": 40 },
                "token": { "type": "string", "format": "secret", "minLength": 8 },
                "sandbox": { "type": "string" },
                "mapping": { "type": "object", "properties": { "key": { "type": "string" } }, "required": ["key"] }
            },
            "required": ["shop", "token"]
        },
        "hosts": hosts,
        "auth": [{ "id": "a", "kind": "bearer", "value": "{{token}}", "hosts": hosts }],
        "base_url": format!("https://{}/admin", hosts[0]),
        "base_url_field": "sandbox",
        "streams": [{ "name": "orders", "entity": "order", "mode": "snapshot", "framing": "json" }],
    });
    Manifest::parse(text.to_string().as_bytes()).expect("a manifest")
}

fn shop() -> Manifest {
    manifest(&["{{shop}}.shops.example"])
}

fn errors(form: Value, stored: &[&str]) -> Vec<(String, String)> {
    let stored: Vec<String> = stored.iter().map(|field| (*field).to_owned()).collect();
    let errors = shop().validate_config(&form, &stored).err().unwrap_or_default();
    errors.into_iter().map(|error| (error.path, error.message)).collect()
}

#[test]
fn a_valid_form_has_no_errors() {
    assert_eq!(errors(json!({ "shop": "acme", "token": "12345678" }), &[]), []);
    assert_eq!(errors(json!({ "shop": "acme" }), &["token"]), []);
}

#[test]
fn each_field_gets_its_message() {
    let missing = errors(json!({ "token": "" }), &[]);
    assert!(missing.contains(&("shop".to_owned(), "is required".to_owned())), "{missing:?}");
    assert!(missing.contains(&("token".to_owned(), "is required".to_owned())), "{missing:?}");
    let pattern = errors(json!({ "shop": "ACME", "token": "12345678" }), &[]);
    assert_eq!(pattern, [("shop".to_owned(), "does not have the expected form".to_owned())]);
    let nested = errors(json!({ "shop": "acme", "token": "12345678", "mapping": {} }), &[]);
    assert_eq!(nested, [("mapping.key".to_owned(), "is required".to_owned())]);
}

#[test]
fn no_message_repeats_a_value() {
    for (path, message) in errors(json!({ "shop": 99_887_766, "token": "hunter2" }), &[]) {
        assert!(!message.contains("hunter2") && !message.contains("99887766"), "{path}: {message}");
    }
}

#[test]
fn secrets_leave_the_public_part() {
    let split = shop().split_config(&json!({ "shop": "acme", "token": "12345678" }));
    assert_eq!(split.public, json!({ "shop": "acme" }));
    assert_eq!(split.secrets.len(), 1);
    assert_eq!((split.secrets[0].0.as_str(), split.secrets[0].1.expose()), ("token", "12345678"));
    assert!(shop().split_config(&json!({ "shop": "acme", "token": "" })).secrets.is_empty());
}

#[test]
fn a_label_cannot_smuggle_in_another_host() {
    let rendered = shop().render_hosts(&json!({ "shop": "Acme" })).expect("a host");
    assert_eq!(rendered[0].to_string(), "acme.shops.example");
    for value in [
        "a.b",
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "a:80",
        "u@h",
        "",
        "-a",
        "a-",
        "a b",
        "a%2f",
    ] {
        let hosts = shop().render_hosts(&json!({ "shop": value }));
        assert!(hosts.as_ref().map_or(true, Vec::is_empty), "{value}: {hosts:?}");
    }
}

#[test]
fn a_whole_host_is_a_name_and_no_address() {
    let whole = manifest(&["{{shop}}"]);
    assert_eq!(whole.render_hosts(&json!({ "shop": "shop.example.com" })).expect("a host")[0].port, 443);
    for value in
        ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "a.example:22", "a.example/x", "a..b"]
    {
        assert!(whole.render_hosts(&json!({ "shop": value })).is_err(), "{value}");
    }
}

#[test]
fn a_port_is_declared_in_the_template() {
    let hosts = manifest(&["api.example:8443"]).render_hosts(&json!({})).expect("a host");
    assert_eq!((hosts[0].host.as_str(), hosts[0].port), ("api.example", 8443));
}

#[test]
fn the_base_address_can_be_replaced_by_its_field() {
    let base = |config: Value| shop().render_base_url(&config).expect("usable");
    assert_eq!(base(json!({ "shop": "acme" })).as_deref(), Some("https://acme.shops.example/admin"));
    let replaced = base(json!({ "shop": "acme", "sandbox": "http://127.0.0.1:4010/" }));
    assert_eq!(replaced.as_deref(), Some("http://127.0.0.1:4010"));
    assert_eq!(base(json!({})), None);
}

#[test]
fn templates_name_and_fill_their_fields() {
    assert_eq!(template_fields("{{a}}-{{ b }}"), ["a", "b"]);
    assert_eq!(render("x{{a}}y", |_| Some("1".to_owned())), Ok("x1y".to_owned()));
    assert_eq!(render("{{a}}", |_| None), Err("a".to_owned()));
}
