//! TOML as the JSON values that the rest of these commands speak.

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item};

pub fn parse(text: &str) -> Result<Value> {
    let document: DocumentMut = text.parse().context("this is not TOML")?;
    Ok(of_item(document.as_item()))
}

fn of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => table.iter().map(|(name, item)| (name.to_owned(), of_item(item))).collect(),
        Item::ArrayOfTables(tables) => tables
            .iter()
            .map(|table| {
                Value::Object(table.iter().map(|(name, item)| (name.to_owned(), of_item(item))).collect())
            })
            .collect(),
    }
}

fn of_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::from(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Value::from(*number.value()),
        toml_edit::Value::Boolean(truth) => Value::from(*truth.value()),
        toml_edit::Value::Datetime(date) => Value::from(date.value().to_string()),
        toml_edit::Value::Array(items) => items.iter().map(of_value).collect(),
        toml_edit::Value::InlineTable(fields) => Value::Object(
            fields.iter().map(|(name, value)| (name.to_owned(), of_value(value))).collect::<Map<_, _>>(),
        ),
    }
}

/// The strings of a list; nothing where it is absent.
pub fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
