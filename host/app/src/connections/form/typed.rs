//! What stands in a form: texts by the names of their inputs, which are paths of the config.
//!
//! `orders.columns.placed_at` is a property, `orders.date_formats.0` an entry, and
//! `orders.date_formats.#` how many entries a list shows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema::{Node, Shape, join, text_of};

/// The button of a list that sent the form.
const LIST_BUTTON: &str = "_list";
/// More entries than a person types.
const MOST_ENTRIES: usize = 200;

/// The texts of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    texts: BTreeMap<String, String>,
    /// Whether a person sent it: then an absent checkbox is one that is not ticked, else its default counts.
    sent: bool,
}

impl Typed {
    /// A form that was sent. Blank entries of lists of simple values are gone.
    pub fn sent(texts: BTreeMap<String, String>) -> Self {
        Self { texts, sent: true }
    }

    /// What a stored config looks like in its form.
    pub fn of_config(node: Node<'_>, config: &Value) -> Self {
        let mut typed = Self::default();
        for property in node.properties() {
            if let Some(value) = config.get(property.name) {
                typed.fill(property.node, property.name, value);
            }
        }
        typed
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    pub fn text(&self, name: &str) -> String {
        self.texts.get(name).cloned().unwrap_or_default()
    }

    pub fn set(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(name.into(), text.into());
    }

    /// Every input that was sent or filled in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Fills in a list of texts; one that is longer than a form shows stands there as JSON.
    pub fn set_list(&mut self, path: &str, entries: Vec<String>) {
        if entries.len() > MOST_ENTRIES {
            return self.set(path, Value::from(entries).to_string());
        }
        self.set(join(path, "#"), entries.len().to_string());
        for (index, entry) in entries.into_iter().enumerate() {
            self.set(join(path, &index.to_string()), entry);
        }
    }

    /// The text of an input that shows its default until somebody sent it.
    pub fn or_default(&self, name: &str, default: impl FnOnce() -> Option<String>) -> String {
        match self.get(name) {
            Some(text) => text.to_owned(),
            None if self.sent => String::new(),
            None => default().unwrap_or_default(),
        }
    }

    pub fn is_checked(&self, name: &str, default: bool) -> bool {
        match self.get(name) {
            Some(text) => ["true", "on", "yes"].contains(&text),
            None => !self.sent && default,
        }
    }

    /// How many entries a list shows.
    pub fn entries(&self, path: &str) -> usize {
        let stated = self.get(&join(path, "#")).and_then(|count| count.parse().ok()).unwrap_or(0_usize);
        stated.min(MOST_ENTRIES)
    }

    fn fill(&mut self, node: Node<'_>, path: &str, value: &Value) {
        match (node.shape(), value) {
            (Shape::Object(properties), Value::Object(fields))
                if fields.keys().all(|key| properties.iter().any(|property| property.name == key)) =>
            {
                for property in properties {
                    if let Some(value) = fields.get(property.name) {
                        self.fill(property.node, &join(path, property.name), value);
                    }
                }
            }
            // A longer list would lose its end: as JSON it is whole.
            (Shape::List { item, .. }, Value::Array(entries)) if entries.len() <= MOST_ENTRIES => {
                self.set(join(path, "#"), entries.len().to_string());
                for (index, entry) in entries.iter().enumerate() {
                    self.fill(item, &join(path, &index.to_string()), entry);
                }
            }
            // Also a value that its shape cannot show: as JSON nothing of it is lost.
            _ => self.set(path, text_of(value)),
        }
    }

    /// Does what a list's button asks for. Gives the list's path, or `None` where none was pressed.
    pub fn press_list_button(&mut self) -> Option<String> {
        let pressed = self.texts.remove(LIST_BUTTON)?;
        let (verb, path) = pressed.split_once(':')?;
        if verb == "add" {
            let count = self.entries(path);
            self.set(join(path, "#"), (count + 1).min(MOST_ENTRIES).to_string());
            return Some(path.to_owned());
        }
        let (list, index) = path.rsplit_once('.')?;
        self.remove_entry(list, index.parse().ok()?);
        Some(list.to_owned())
    }

    /// The entries after it move up.
    fn remove_entry(&mut self, list: &str, index: usize) {
        let prefix = format!("{list}.");
        let mut kept = BTreeMap::new();
        for (name, text) in std::mem::take(&mut self.texts) {
            let place = name.strip_prefix(&prefix).and_then(|rest| {
                let (number, below) = rest.split_once('.').map_or((rest, None), |(n, b)| (n, Some(b)));
                Some((number.parse::<usize>().ok()?, below.map(str::to_owned)))
            });
            match place {
                Some((at, _)) if at == index => {}
                Some((at, below)) if at > index => {
                    let moved = join(list, &(at - 1).to_string());
                    kept.insert(below.map_or_else(|| moved.clone(), |below| join(&moved, &below)), text);
                }
                _ => {
                    kept.insert(name, text);
                }
            }
        }
        self.texts = kept;
        let count = self.entries(list).saturating_sub(1);
        self.set(join(list, "#"), count.to_string());
    }

    /// Takes blank entries out of a list of simple values, so that what is read and what is shown have the
    /// same numbers.
    pub(super) fn drop_blank_entries(&mut self, list: &str) {
        for index in (0..self.entries(list)).rev() {
            if self.text(&join(list, &index.to_string())).trim().is_empty() {
                self.remove_entry(list, index);
            }
        }
    }
}
