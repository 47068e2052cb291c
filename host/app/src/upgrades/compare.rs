//! Two readings of the same document, field by field.

use serde_json::Value;

/// Longer values are cut where they are shown.
const LONGEST_CHARS: usize = 80;
/// Documents of hostile depth are compared as texts below it.
const DEEPEST: usize = 12;

/// A field that differs. The indexes of arrays are collapsed: a hundred lines make one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub path: String,
    pub before: String,
    pub after: String,
}

/// Every field that differs.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, 0, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, depth: usize, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) if depth < DEEPEST => {
            let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (before.get(name), after.get(name)) {
                    (Some(before), Some(after)) => compare(&inner, before, after, depth + 1, found),
                    (before, after) => found.push(difference(inner, before, after)),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) if depth < DEEPEST && before.len() == after.len() => {
            let inner = format!("{path}[]");
            for (before, after) in before.iter().zip(after) {
                compare(&inner, before, after, depth + 1, found);
            }
        }
        (Value::Array(before), Value::Array(after)) => found.push(Difference {
            path: format!("{path}[]"),
            before: entries(before.len()),
            after: entries(after.len()),
        }),
        (before, after) => found.push(difference(path.to_owned(), Some(before), Some(after))),
    }
}

fn difference(path: String, before: Option<&Value>, after: Option<&Value>) -> Difference {
    Difference { path, before: shown(before), after: shown(after) }
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "absent".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= LONGEST_CHARS {
        return text;
    }
    text.chars().take(LONGEST_CHARS).chain(['…']).collect()
}
