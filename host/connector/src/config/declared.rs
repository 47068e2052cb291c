//! Which fields of a configuration its schema declares. Everything else is refused before it is stored: a
//! misspelt `acces_token` would rest in clear, because nothing says that it is a secret.

use serde_json::{Map, Value};

use super::referred;
use crate::FieldError;

/// Deeper than a configuration can be nested by its reader.
const DEEPEST: usize = 128;
/// Declared fields that a message names.
const NAMED: usize = 12;
/// Fields that are told at once: whoever sends more has other troubles.
const MOST_FOUND: usize = 20;

/// Every field that the schema does not declare, from the top down; nothing below such a field is looked at.
///
/// At the top only `properties` declares: they alone are shown in the form and sealed where they are secret.
/// Below it an object whose `properties` are listed has no others, unless its schema says itself what else it
/// may hold.
pub(super) fn undeclared(schema: &Value, config: &Value) -> Vec<FieldError> {
    let mut found = Vec::new();
    if let Value::Object(fields) = config {
        let none = Map::new();
        let declared = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let root = Node { root: schema, schema, depth: 0 };
        root.compare(declared, fields, "", &mut found);
    }
    found
}

#[derive(Clone, Copy)]
struct Node<'a> {
    root: &'a Value,
    schema: &'a Value,
    depth: usize,
}

impl<'a> Node<'a> {
    fn below(self, schema: &'a Value) -> Self {
        Self { root: self.root, schema: referred(self.root, schema), depth: self.depth + 1 }
    }

    fn look(self, value: &Value, path: &str, found: &mut Vec<FieldError>) {
        if self.depth > DEEPEST {
            return;
        }
        match value {
            Value::Object(fields) => {
                let declared = self.schema.get("properties").and_then(Value::as_object);
                if let Some(declared) = declared.filter(|_| !self.is_open()) {
                    self.compare(declared, fields, path, found);
                }
            }
            Value::Array(entries) => {
                let Some(item) = self.schema.get("items").filter(|item| item.is_object()) else { return };
                for (index, entry) in entries.iter().enumerate() {
                    self.below(item).look(entry, &join(path, &index.to_string()), found);
                }
            }
            _ => {}
        }
    }

    fn compare(
        self,
        declared: &'a Map<String, Value>,
        fields: &Map<String, Value>,
        path: &str,
        found: &mut Vec<FieldError>,
    ) {
        for (name, value) in fields {
            if found.len() >= MOST_FOUND {
                return;
            }
            match declared.get(name) {
                Some(schema) => self.below(schema).look(value, &join(path, name), found),
                None => found
                    .push(FieldError { path: join(path, &shorten(name)), message: sentence(name, declared) }),
            }
        }
    }

    /// Whether the schema says by another word than `properties` which fields there may be.
    fn is_open(self) -> bool {
        let closed = |further: &Value| *further == Value::Bool(false);
        self.schema.get("additionalProperties").is_some_and(|further| !closed(further))
            || ["patternProperties", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"]
                .iter()
                .any(|word| self.schema.get(word).is_some())
    }
}

fn sentence(name: &str, declared: &Map<String, Value>) -> String {
    let name = shorten(name);
    if declared.is_empty() {
        return format!("{name} is not a field of this plugin, which has none here: leave it out");
    }
    let mut known: Vec<String> = declared.keys().take(NAMED).map(|field| shorten(field)).collect();
    if declared.len() > NAMED {
        known.push(format!("{} more", declared.len() - NAMED));
    }
    format!(
        "{name} is not a field of this plugin, which has {} here: correct its name, or leave it out",
        known.join(", ")
    )
}

/// A name from outside, cut to what a message can carry.
fn shorten(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(60).collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
