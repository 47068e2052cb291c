//! How a part of a manifest's config schema is asked for: which input it becomes.

use portolan_connector::config::referred;
use serde_json::Value;

/// Deeper than this nobody fills in a form: what lies below is asked for as JSON.
const DEEPEST: usize = 6;

/// A schema inside the manifest's own, with what its place says about it.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    root: &'a Value,
    pub schema: &'a Value,
    depth: usize,
}

/// One property of an object.
#[derive(Debug, Clone, Copy)]
pub struct Property<'a> {
    pub name: &'a str,
    pub node: Node<'a>,
    pub required: bool,
}

/// What a schema is filled in with.
#[derive(Debug)]
pub enum Shape<'a> {
    Text,
    Number {
        whole: bool,
    },
    Boolean,
    /// One of these values, each with its text.
    Choice(Vec<(&'a Value, String)>),
    Object(Vec<Property<'a>>),
    List {
        item: Node<'a>,
        longest: Option<u64>,
    },
    /// What the schema leaves open: typed as JSON.
    Json,
}

impl<'a> Node<'a> {
    pub fn root(schema: &'a Value) -> Self {
        Self { root: schema, schema, depth: 0 }
    }

    fn below(self, schema: &'a Value) -> Self {
        Self { root: self.root, schema: referred(self.root, schema), depth: self.depth + 1 }
    }

    pub fn text(self, key: &str) -> Option<String> {
        self.schema.get(key).and_then(Value::as_str).map(str::to_owned)
    }

    /// The schema's default as it is typed; absent where there is none.
    pub fn default_text(self) -> Option<String> {
        self.schema.get("default").map(text_of)
    }

    pub fn is_secret(self) -> bool {
        self.schema.get("format").and_then(Value::as_str) == Some("secret")
    }

    /// The properties in the order of their `x-order`; those without one follow, required ones first.
    pub fn properties(self) -> Vec<Property<'a>> {
        let required: Vec<&str> = self
            .schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let declared = self.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut properties: Vec<Property<'a>> = declared
            .map(|(name, schema)| Property {
                name,
                node: self.below(schema),
                required: required.contains(&name.as_str()),
            })
            .collect();
        let place = |schema: &Value| schema.get("x-order").and_then(Value::as_u64).unwrap_or(u64::MAX);
        properties.sort_by_key(|property| (place(property.node.schema), !property.required));
        properties
    }

    pub fn shape(self) -> Shape<'a> {
        if let Some(choices) = self.choices() {
            return Shape::Choice(choices);
        }
        match self.type_name() {
            "boolean" => Shape::Boolean,
            "integer" => Shape::Number { whole: true },
            "number" => Shape::Number { whole: false },
            "object" if self.depth < DEEPEST && self.schema.get("properties").is_some() => {
                Shape::Object(self.properties())
            }
            "array" if self.depth < DEEPEST && self.schema.get("items").is_some_and(Value::is_object) => {
                let item = self.below(&self.schema["items"]);
                // A list of lists has no name for its rows.
                match item.shape() {
                    Shape::Json | Shape::List { .. } => Shape::Json,
                    _ => Shape::List { item, longest: self.schema.get("maxItems").and_then(Value::as_u64) },
                }
            }
            "string" => Shape::Text,
            _ => Shape::Json,
        }
    }

    fn type_name(self) -> &'a str {
        let named = match self.schema.get("type") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
            _ => None,
        };
        let open = ["anyOf", "oneOf", "allOf"].iter().any(|key| self.schema.get(key).is_some());
        match named {
            Some(name) => name,
            None if self.schema.get("properties").is_some() => "object",
            None if open => "open",
            None => "string",
        }
    }

    /// `enum`, or `oneOf` of constants with titles.
    fn choices(self) -> Option<Vec<(&'a Value, String)>> {
        if let Some(values) = self.schema.get("enum").and_then(Value::as_array) {
            return Some(values.iter().map(|value| (value, text_of(value))).collect());
        }
        let options = self.schema.get("oneOf").and_then(Value::as_array)?;
        let choice = |option: &'a Value| {
            let value = option.get("const")?;
            let title = option.get("title").and_then(Value::as_str);
            Some((value, title.map_or_else(|| text_of(value), str::to_owned)))
        };
        options.iter().map(choice).collect()
    }
}

/// A value as it stands in an input: text as it is, anything else as JSON.
pub fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The path of a property or entry: the name of its input.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
