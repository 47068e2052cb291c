//! A form that was sent, in the words of the manifest's schema.
//!
//! Empty optional fields are absent. Below the top, what equals the schema's default is absent as well, unless
//! it is required: a group in which nothing was changed is no group.

use portolan_connector::FieldError;
use serde_json::{Map, Value};

use super::schema::{Node, Property, Shape, join};
use super::typed::Typed;

/// The config that a form means; secrets that were entered are in it.
///
/// Errors: texts that are no value of their field's kind. Whether values are valid is the schema's to say.
pub fn read_config(schema: &Value, typed: &mut Typed) -> Result<Value, Vec<FieldError>> {
    let mut reader = Reader { typed, errors: Vec::new() };
    let mut config = Map::new();
    for property in Node::root(schema).properties() {
        if let Some(value) = reader.top(property) {
            config.insert(property.name.to_owned(), value);
        }
    }
    if reader.errors.is_empty() { Ok(Value::Object(config)) } else { Err(reader.errors) }
}

struct Reader<'a> {
    typed: &'a mut Typed,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    /// A field at the top is stored also where it equals its default: the plugin's next version may have another.
    fn top(&mut self, property: Property<'_>) -> Option<Value> {
        match property.node.shape() {
            Shape::Boolean => Some(Value::Bool(self.typed.is_checked(property.name, false))),
            Shape::Object(_) | Shape::List { .. } => {
                self.value(property.node, property.name, property.required)
            }
            _ => self.simple(property.node, property.name),
        }
    }

    fn value(&mut self, node: Node<'_>, path: &str, required: bool) -> Option<Value> {
        match node.shape() {
            Shape::Object(properties) => self.object(&properties, path, required),
            Shape::List { item, .. } => self.list(item, path),
            Shape::Boolean => Some(Value::Bool(self.typed.is_checked(path, false))),
            _ => self.simple(node, path),
        }
    }

    fn object(&mut self, properties: &[Property<'_>], path: &str, required: bool) -> Option<Value> {
        if self.typed.get(path).is_some_and(|text| !text.trim().is_empty()) {
            return self.json(path);
        }
        let mut fields = Map::new();
        // What is required and was not changed makes no group of one that is otherwise empty.
        let mut still_required = Vec::new();
        for property in properties {
            let below = join(path, property.name);
            match self.value(property.node, &below, false) {
                Some(value) if !is_default(property.node, &value) => {
                    fields.insert(property.name.to_owned(), value);
                }
                Some(value) if property.required => still_required.push((property.name, value)),
                None if property.required => {
                    if let Shape::Object(inner) = property.node.shape() {
                        // Its faults are told already.
                        let told = self.errors.len();
                        let group = self.object(&inner, &below, true);
                        self.errors.truncate(told);
                        still_required.push((property.name, group.unwrap_or_else(|| Map::new().into())));
                    }
                }
                _ => {}
            }
        }
        if fields.is_empty() && !required {
            return None;
        }
        fields.extend(still_required.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Some(Value::Object(fields))
    }

    fn list(&mut self, item: Node<'_>, path: &str) -> Option<Value> {
        if self.typed.get(path).is_some_and(|text| !text.trim().is_empty()) {
            return self.json(path);
        }
        let groups = matches!(item.shape(), Shape::Object(_));
        if !groups && !matches!(item.shape(), Shape::Boolean) {
            self.typed.drop_blank_entries(path);
        }
        let entries: Vec<Value> = (0..self.typed.entries(path))
            .filter_map(|index| self.value(item, &join(path, &index.to_string()), groups))
            .collect();
        (!entries.is_empty()).then_some(Value::Array(entries))
    }

    fn simple(&mut self, node: Node<'_>, path: &str) -> Option<Value> {
        let text = self.typed.get(path).unwrap_or_default().trim().to_owned();
        if text.is_empty() {
            return None;
        }
        match node.shape() {
            Shape::Number { .. } => match serde_json::from_str::<Value>(&text) {
                Ok(number) if number.is_number() => Some(number),
                _ => self.refuse(path, "Write a number.".to_owned()),
            },
            Shape::Choice(choices) => {
                let chosen = choices.iter().find(|(value, _)| super::schema::text_of(value) == text);
                // Anything else is the schema's to refuse.
                Some(chosen.map_or(Value::String(text), |(value, _)| (*value).clone()))
            }
            Shape::Json => self.json(path),
            _ => Some(Value::String(text)),
        }
    }

    fn json(&mut self, path: &str) -> Option<Value> {
        match serde_json::from_str(self.typed.get(path).unwrap_or_default()) {
            Ok(value) => Some(value),
            Err(error) => self.refuse(path, format!("This is no JSON: {error}.")),
        }
    }

    fn refuse(&mut self, path: &str, message: String) -> Option<Value> {
        self.errors.push(FieldError { path: path.to_owned(), message });
        None
    }
}

fn is_default(node: Node<'_>, value: &Value) -> bool {
    match node.schema.get("default") {
        Some(default) => default == value,
        None => *value == Value::Bool(false),
    }
}
