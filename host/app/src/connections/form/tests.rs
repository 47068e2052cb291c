use std::collections::BTreeMap;

use portolan_admin_ui::parts::{FieldKind, FormItem};
use portolan_connector::FieldError;
use serde_json::{Value, json};

use super::schema::Node;
use super::{Fields, Typed, place_errors, read_config};

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["shop"],
        "properties": {
            "shop": { "type": "string", "x-order": 1 },
            "page_size": { "type": "integer", "default": 100, "minimum": 1 },
            "test_orders": { "type": "boolean" },
            "free": { "type": "object" },
            "orders": {
                "type": "object",
                "title": "Orders",
                "x-order": 2,
                "properties": {
                    "columns": {
                        "type": "object",
                        "title": "Columns",
                        "required": ["key"],
                        "properties": { "key": { "type": "string", "title": "Key" }, "date": { "type": "string" } }
                    },
                    "mark": { "enum": [".", ","], "default": "." },
                    "taxed": { "type": "boolean", "default": true },
                    "formats": { "type": "array", "title": "Date formats", "items": { "type": "string" }, "maxItems": 3 },
                    "rules": {
                        "type": "array",
                        "title": "Rules",
                        "items": {
                            "type": "object",
                            "properties": { "from": { "type": "string" }, "times": { "type": "number" } }
                        }
                    },
                    "level": { "oneOf": [{ "const": 1, "title": "One" }, { "const": 2, "title": "Two" }] }
                }
            }
        }
    })
}

fn sent(texts: &[(&str, &str)]) -> Typed {
    Typed::sent(texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn items(typed: &Typed) -> Vec<FormItem> {
    Fields { typed, stored: &BTreeMap::new() }.of_schema(&schema())
}

/// Every input as a browser would send it, by name.
fn inputs(items: &[FormItem], found: &mut BTreeMap<String, String>) {
    for item in items {
        match item {
            FormItem::Group(group) => {
                if group.list.is_some() {
                    found.insert(format!("{}.#", group.name), group.items.len().to_string());
                }
                inputs(&group.items, found);
            }
            FormItem::Field(field) => {
                let value = match &field.kind {
                    FieldKind::Checkbox { checked } => checked.then(|| "true".to_owned()),
                    FieldKind::Select { options } => options
                        .iter()
                        .find(|option| option.selected)
                        .or_else(|| options.first())
                        .map(|option| option.value.clone()),
                    FieldKind::Text { value, .. }
                    | FieldKind::Number { value, .. }
                    | FieldKind::TextArea { value, .. } => Some(value.clone()),
                    _ => None,
                };
                found.extend(value.map(|value| (field.name.clone(), value)));
            }
        }
    }
}

/// What is stored after a form was opened on `config` and sent as it stood.
fn round_trip(config: &Value) -> Value {
    let schema = schema();
    let mut found = BTreeMap::new();
    inputs(&items(&Typed::of_config(Node::root(&schema), config)), &mut found);
    read_config(&schema, &mut Typed::sent(found)).expect("a config")
}

#[test]
fn what_is_stored_comes_back_from_its_form_unchanged() {
    let whole = json!({
        "shop": "harbour", "page_size": 50, "test_orders": true, "free": { "any": [1, null] },
        "orders": {
            "columns": { "key": "Beleg Nr.", "date": "Datum" }, "mark": ",", "taxed": false, "level": 2,
            "formats": ["%d.%m.%Y", "%Y-%m-%d"],
            "rules": [{ "from": "a", "times": 1.5 }, { "from": "b" }]
        }
    });
    assert_eq!(round_trip(&whole), whole);
    let least = json!({ "shop": "harbour", "page_size": 100, "test_orders": false });
    assert_eq!(round_trip(&least), least, "an untouched group is no group");
}

#[test]
fn a_value_that_its_inputs_cannot_show_is_shown_as_json_and_kept() {
    let odd = json!({ "shop": "harbour", "page_size": 1, "test_orders": false, "orders": { "columns": { "key": "A", "else": 1 } } });
    assert_eq!(round_trip(&odd), odd);
    let typed = Typed::of_config(Node::root(&schema()), &odd);
    assert_eq!(typed.get("orders.columns"), Some(r#"{"else":1,"key":"A"}"#));
}

#[test]
fn fields_stand_in_the_authors_order_and_only_what_is_open_is_json() {
    let items = items(&Typed::default());
    let names: Vec<&str> = items.iter().map(FormItem::name).collect();
    assert_eq!(names, ["shop", "orders", "free", "page_size", "test_orders"]);
    let areas = |items: &[FormItem]| {
        let mut found = Vec::new();
        fn walk(items: &[FormItem], found: &mut Vec<String>) {
            for item in items {
                match item {
                    FormItem::Group(group) => walk(&group.items, found),
                    FormItem::Field(field) if matches!(field.kind, FieldKind::TextArea { .. }) => {
                        found.push(field.name.clone())
                    }
                    FormItem::Field(_) => {}
                }
            }
        }
        walk(items, &mut found);
        found
    };
    assert_eq!(areas(&items), ["free"]);
}

#[test]
fn a_list_grows_and_shrinks_by_its_buttons() {
    let mut typed = sent(&[
        ("orders.formats.#", "2"),
        ("orders.formats.0", "%d.%m.%Y"),
        ("orders.formats.1", "%Y"),
        ("_list", "add:orders.formats"),
    ]);
    assert_eq!(typed.press_list_button().as_deref(), Some("orders.formats"));
    assert_eq!(typed.entries("orders.formats"), 3);
    typed.set("_list", "remove:orders.formats.0");
    assert_eq!(typed.press_list_button().as_deref(), Some("orders.formats"));
    assert_eq!((typed.entries("orders.formats"), typed.get("orders.formats.0")), (2, Some("%Y")));
    assert_eq!(typed.press_list_button(), None);

    let mut typed = sent(&[
        ("orders.rules.#", "2"),
        ("orders.rules.0.from", "a"),
        ("orders.rules.1.from", "b"),
        ("orders.rules.1.times", "2"),
        ("_list", "remove:orders.rules.0"),
    ]);
    typed.press_list_button();
    let config = read_config(&schema(), &mut typed).expect("a config");
    assert_eq!(config["orders"]["rules"], json!([{ "from": "b", "times": 2 }]));
}

#[test]
fn blank_entries_are_no_entries_and_errors_name_what_is_left() {
    let mut typed = sent(&[
        ("orders.formats.#", "3"),
        ("orders.formats.0", " "),
        ("orders.formats.1", "%Y"),
        ("orders.formats.2", ""),
    ]);
    let config = read_config(&schema(), &mut typed).expect("a config");
    assert_eq!(config["orders"]["formats"], json!(["%Y"]));
    assert_eq!(typed.get("orders.formats.0"), Some("%Y"));
}

#[test]
fn an_unreadable_number_and_broken_json_are_told_by_their_path() {
    let mut typed = sent(&[
        ("page_size", "many"),
        ("free", "{"),
        ("orders.rules.#", "1"),
        ("orders.rules.0.times", "1,5"),
    ]);
    let errors = read_config(&schema(), &mut typed).expect_err("errors");
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["orders.rules.0.times", "free", "page_size"]);
}

#[test]
fn an_error_stands_beside_its_field_or_the_nearest_group_around_it() {
    let mut items = items(&Typed::default());
    let error = |path: &str| FieldError { path: path.to_owned(), message: "is required".to_owned() };
    let errors = [error("orders.columns.key"), error("/orders/columns/gone"), error("nowhere")];
    let general = place_errors(&mut items, &errors);
    assert_eq!(general, ["is required"]);
    let faults: Vec<(String, String, String)> =
        items.iter().flat_map(FormItem::faults).map(|fault| (fault.name, fault.label, fault.error)).collect();
    let expected = [
        ("orders.columns", "Orders › Columns", "gone: is required"),
        ("orders.columns.key", "Orders › Columns › Key", "is required"),
    ];
    let expected = expected.map(|(name, label, told)| (name.to_owned(), label.to_owned(), told.to_owned()));
    assert_eq!(faults, expected);
    let FormItem::Group(orders) = &items[1] else { panic!("orders are a group") };
    assert_eq!(orders.folded, Some(true), "a fault is not folded away");
}

#[test]
fn a_list_longer_than_a_form_shows_is_kept_whole() {
    let formats: Vec<String> = (0..201).map(|number| format!("%Y-{number}")).collect();
    let long =
        json!({ "shop": "harbour", "page_size": 1, "test_orders": false, "orders": { "formats": formats } });
    assert_eq!(round_trip(&long), long);
    let mut typed = Typed::default();
    typed.set_list("orders.formats", formats);
    let config = read_config(&schema(), &mut typed).expect("a config");
    assert_eq!(config["orders"]["formats"], long["orders"]["formats"]);
}

#[test]
fn a_secret_that_was_sent_and_not_stored_is_asked_for_again() {
    let schema =
        json!({ "type": "object", "properties": { "token": { "type": "string", "format": "secret" } } });
    let faults = |typed: &Typed| {
        let items = Fields { typed, stored: &BTreeMap::new() }.of_schema(&schema);
        items.iter().flat_map(FormItem::faults).map(|fault| fault.error).collect::<Vec<_>>()
    };
    assert_eq!(
        faults(&sent(&[("token", "once")])),
        ["Not stored yet and not shown again: enter it once more."]
    );
    assert!(faults(&sent(&[("token", "")])).is_empty() && faults(&Typed::default()).is_empty());
}

#[test]
fn what_a_group_requires_is_kept_where_it_equals_its_default() {
    let mark = json!({ "enum": [".", ","], "default": "." });
    let schema = json!({
        "type": "object",
        "properties": { "orders": {
            "type": "object",
            "required": ["mark", "taxed", "columns"],
            "properties": {
                "mark": mark, "taxed": { "type": "boolean" }, "zone": { "type": "string", "default": "UTC" },
                "name": { "type": "string" },
                "columns": {
                    "type": "object",
                    "required": ["mark"],
                    "properties": { "mark": mark, "odd": { "type": "number" } }
                }
            }
        } }
    });
    let untouched = [("orders.mark", "."), ("orders.zone", "UTC"), ("orders.columns.mark", ".")];
    assert_eq!(read_config(&schema, &mut sent(&untouched)), Ok(json!({})), "no group of unchanged fields");
    let named = [untouched.as_slice(), &[("orders.name", "till")]].concat();
    let kept =
        json!({ "orders": { "mark": ".", "taxed": false, "name": "till", "columns": { "mark": "." } } });
    assert_eq!(read_config(&schema, &mut sent(&named)), Ok(kept));
    let odd = [named.as_slice(), &[("orders.columns.odd", "many")]].concat();
    assert_eq!(read_config(&schema, &mut sent(&odd)).expect_err("an error").len(), 1, "told once");
}
