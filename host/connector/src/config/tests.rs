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
fn a_field_that_the_schema_does_not_declare_is_refused_by_name() {
    let found = errors(json!({ "shop": "acme", "acces_token": "hunter2-hunter2", "token": "12345678" }), &[]);
    let sentence = "acces_token is not a field of this plugin, which has mapping, sandbox, shop, token here: correct its name, or leave it out";
    assert_eq!(found, [("acces_token".to_owned(), sentence.to_owned())]);
    let nested = errors(
        json!({ "shop": "acme", "token": "12345678", "mapping": { "key": "a", "password": "b" } }),
        &[],
    );
    assert_eq!(nested.len(), 1, "{nested:?}");
    assert_eq!(nested[0].0, "mapping.password");
    assert!(nested[0].1.contains("which has key here"), "{nested:?}");
}

#[test]
fn what_is_missing_is_told_beside_what_is_too_much() {
    let found = errors(json!({ "shop": "acme", "acces_token": "12345678" }), &[]);
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["acces_token", "token"]);
}

#[test]
fn a_schema_may_say_itself_what_else_an_object_holds_below_the_top() {
    let schema = |further: Value| {
        json!({ "type": "object", "additionalProperties": true, "properties": { "rules": {
            "type": "array", "items": { "$ref": "#/$defs/rule" }
        } }, "$defs": { "rule": { "type": "object", "properties": { "name": {} }, "additionalProperties": further } } })
    };
    let config = json!({ "rules": [{ "name": "a" }, { "name": "b", "other": 1 }] });
    let paths = |schema: &Value, config: &Value| -> Vec<String> {
        super::declared::undeclared(schema, config).into_iter().map(|error| error.path).collect()
    };
    assert_eq!(paths(&schema(json!(true)), &config), Vec::<String>::new());
    assert_eq!(paths(&schema(json!({ "type": "number" })), &config), Vec::<String>::new());
    assert_eq!(paths(&schema(json!(false)), &config), ["rules.1.other"]);
    // At the top nothing but a declared field can be sealed or shown, whatever the schema says.
    assert_eq!(paths(&schema(json!(true)), &json!({ "password": "x" })), ["password"]);
}

#[test]
fn what_is_stored_already_keeps_working() {
    let stored = json!({ "shop": "acme", "left_over": "from another build" });
    let check = |form: Value| shop().validate_change(&stored, &form, &["token".to_owned()]);
    assert_eq!(check(stored.clone()), Ok(()));
    assert_eq!(check(json!({ "shop": "other", "left_over": "from another build" })), Ok(()));
    assert_eq!(check(json!({ "shop": "acme" })), Ok(()), "it may go");
    let changed = check(json!({ "shop": "acme", "left_over": "anew" })).expect_err("refused");
    assert_eq!(changed[0].path, "left_over");
    // A dot in a name is no path.
    let dotted = check(json!({ "shop": "acme", "left_over": "from another build", "shop.a": "b" }));
    assert_eq!(dotted.expect_err("refused").len(), 1);
}

#[test]
fn a_long_name_or_a_crowd_of_them_makes_no_long_answer() {
    let mut form = json!({ "shop": "acme", "token": "12345678" });
    for number in 0..500 {
        form[format!("{number}{}", "x".repeat(400))] = json!(1);
    }
    let found = errors(form, &[]);
    assert!(found.len() <= 20 && found.iter().all(|(_, message)| message.len() < 400), "{}", found.len());
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
