//! The fields and groups of a form, from the manifest's schema and what stands in it.

use std::collections::BTreeMap;

use portolan_admin_ui::parts::{
    FieldGroup, FieldKind, FieldList, FormField, FormItem, SecretState, SelectOption,
};
use portolan_connector::FieldError;
use serde_json::Value;

use super::schema::{Node, Property, Shape, join, text_of};
use super::typed::Typed;

/// Makes the inputs of one config.
pub struct Fields<'a> {
    pub typed: &'a Typed,
    /// Secrets that are stored, by field.
    pub stored: &'a BTreeMap<String, SecretState>,
}

impl Fields<'_> {
    /// Everything that the schema asks for.
    pub fn of_schema(&self, schema: &Value) -> Vec<FormItem> {
        let properties = Node::root(schema).properties();
        properties.into_iter().map(|property| self.property(property, property.name, 0)).collect()
    }

    fn property(&self, property: Property<'_>, path: &str, level: usize) -> FormItem {
        let Property { node, name, required } = property;
        let label = node.text("title").unwrap_or_else(|| name.replace('_', " "));
        let mut item = self.item(node, path, label, level);
        match &mut item {
            FormItem::Field(field) => {
                field.required = required;
                field.help = node.text("description");
                add_empty_choice(field, node);
                // Stored secrets are never typed: this one was sent, and no page gives it back.
                if node.is_secret() && !self.typed.text(path).trim().is_empty() {
                    field.error = Some("Not stored yet and not shown again: enter it once more.".to_owned());
                }
            }
            FormItem::Group(group) => {
                group.help = node.text("description");
                if !required && level == 0 {
                    group.folded = Some(self.is_touched(node, path));
                }
            }
        }
        item
    }

    /// Whether anything here says more than a new form does.
    fn is_touched(&self, node: Node<'_>, path: &str) -> bool {
        let text = self.typed.get(path).unwrap_or_default().trim();
        match node.shape() {
            Shape::Object(properties) if text.is_empty() => {
                properties.iter().any(|below| self.is_touched(below.node, &join(path, below.name)))
            }
            Shape::List { .. } if text.is_empty() => self.typed.entries(path) > 0,
            Shape::Boolean => {
                let default = node.schema.get("default") == Some(&Value::Bool(true));
                self.typed.is_checked(path, default) != default
            }
            _ => !text.is_empty() && node.default_text().as_deref() != Some(text),
        }
    }

    fn item(&self, node: Node<'_>, path: &str, label: String, level: usize) -> FormItem {
        // A value that its inputs could not show stands there as it is.
        let as_json = self.typed.get(path).is_some_and(|text| !text.trim().is_empty());
        match node.shape() {
            Shape::Object(properties) if !as_json => {
                let inner =
                    |property: Property<'_>| self.property(property, &join(path, property.name), level + 1);
                FormItem::Group(FieldGroup::new(path, label, properties.into_iter().map(inner).collect()))
            }
            Shape::List { item, longest } if !as_json => self.list(item, longest, path, label, level),
            _ => FormField::new(path, label, self.kind(node, path)).into(),
        }
    }

    fn list(
        &self,
        item: Node<'_>,
        longest: Option<u64>,
        path: &str,
        label: String,
        level: usize,
    ) -> FormItem {
        let entries = self.typed.entries(path);
        let singular = item.text("title").unwrap_or_else(|| label.clone());
        let entry = |index: usize| {
            let name = format!("{singular} {}", index + 1);
            let mut entry = self.item(item, &join(path, &index.to_string()), name, level + 1);
            if let FormItem::Field(field) = &mut entry {
                field.required = true;
            }
            entry
        };
        let mut group = FieldGroup::new(path, label.clone(), (0..entries).map(entry).collect());
        let full = longest.is_some_and(|longest| entries as u64 >= longest);
        group.list = Some(FieldList { add: (!full).then(|| format!("Add to {}", lower_first(&label))) });
        FormItem::Group(group)
    }

    fn kind(&self, node: Node<'_>, path: &str) -> FieldKind {
        if node.is_secret() {
            return FieldKind::Secret { stored: self.stored.get(path).cloned() };
        }
        let value = self.typed.or_default(path, || node.default_text());
        let bound =
            |key: &str| node.schema.get(key).filter(|bound| bound.is_number()).map(ToString::to_string);
        match node.shape() {
            Shape::Boolean => {
                let default = node.schema.get("default") == Some(&Value::Bool(true));
                FieldKind::Checkbox { checked: self.typed.is_checked(path, default) }
            }
            Shape::Number { whole } => FieldKind::Number {
                value,
                min: bound("minimum"),
                max: bound("maximum"),
                step: Some(if whole { "1" } else { "any" }.to_owned()),
            },
            Shape::Choice(choices) => {
                let option = |(choice, text): (&Value, String)| {
                    let choice = text_of(choice);
                    let selected = choice == value;
                    SelectOption::new(choice, text, selected)
                };
                FieldKind::Select { options: choices.into_iter().map(option).collect() }
            }
            Shape::Text => {
                let example = node.schema.get("examples").and_then(|examples| examples.get(0));
                FieldKind::Text { value, placeholder: example.map(text_of) }
            }
            Shape::Object(_) | Shape::List { .. } | Shape::Json => FieldKind::TextArea { value, rows: 8 },
        }
    }
}

/// An optional choice without a default can be left open.
fn add_empty_choice(field: &mut FormField, node: Node<'_>) {
    let open = !field.required && node.default_text().is_none();
    if let FieldKind::Select { options } = &mut field.kind
        && open
    {
        let none_selected = !options.iter().any(|option| option.selected);
        options.insert(0, SelectOption::new("", "–", none_selected));
    }
}

/// "Date formats" inside a sentence.
fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return String::new() };
    first.to_lowercase().chain(characters).collect()
}

/// Puts each error beside its field, or beside the nearest group or list around it.
///
/// Gives the messages that belong to no field.
pub fn place_errors(items: &mut [FormItem], errors: &[FieldError]) -> Vec<String> {
    let mut general = Vec::new();
    for error in errors {
        let whole = error.path.trim_start_matches('/').replace('/', ".");
        let mut path = whole.as_str();
        loop {
            // What the field's own label does not say is said before the message.
            let rest = whole[path.len()..].trim_start_matches('.');
            let message =
                if rest.is_empty() { error.message.clone() } else { format!("{rest}: {}", error.message) };
            if items.iter_mut().any(|item| item.set_error(path, &message)) {
                break;
            }
            match path.rsplit_once('.') {
                Some((parent, _)) => path = parent,
                None => {
                    general.push(error.message.clone());
                    break;
                }
            }
        }
    }
    general
}
