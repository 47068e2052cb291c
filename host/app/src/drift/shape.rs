//! The shape of some records: a tree of their fields with the types that were seen. Arrays are one branch, whatever
//! their length; objects with many names are maps, and their names one branch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An object with more names than this is a map.
const MOST_NAMES: usize = 60;
/// Branches of one shape: beyond it nothing new is taken up.
const MOST_BRANCHES: usize = 2_000;
const DEEPEST: usize = 12;
const LONGEST_NAME: usize = 100;
/// What stands for the names of a map.
const ANY_NAME: &str = "*";

/// Types as bits, in the order in which people read them.
const TYPES: [(u8, &str); 6] =
    [(1, "null"), (2, "boolean"), (4, "number"), (8, "string"), (16, "array"), (32, "object")];

/// What was seen at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    #[serde(rename = "t")]
    pub types: u8,
    /// How many records, or entries of arrays, had it.
    #[serde(rename = "n")]
    pub count: u64,
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    names: BTreeMap<String, Branch>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    entries: Option<Box<Branch>>,
}

/// The shape of some records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    pub records: u64,
    root: Branch,
}

/// One path of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFacts {
    pub types: u8,
    pub count: u64,
}

impl Shape {
    pub fn add(&mut self, record: &Value) {
        self.records += 1;
        let mut room = MOST_BRANCHES.saturating_sub(self.root.size());
        self.root.add(record, 0, &mut room);
    }

    /// Both together, in any order.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        let mut room = MOST_BRANCHES.saturating_sub(self.root.size());
        self.root.merge(&other.root, &mut room);
    }

    /// Every path below the record itself: `lines[].price`.
    pub fn paths(&self) -> BTreeMap<String, PathFacts> {
        let mut paths = BTreeMap::new();
        self.root.list("", &mut paths);
        paths
    }
}

impl Branch {
    fn add(&mut self, value: &Value, depth: usize, room: &mut usize) {
        self.types |= type_of(value);
        self.count += 1;
        if depth >= DEEPEST {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let Some(branch) = self.named(name, room) {
                        branch.add(value, depth + 1, room);
                    }
                }
                self.fold_if_map();
            }
            Value::Array(entries) if !entries.is_empty() => {
                if self.entries.is_none() && *room == 0 {
                    return;
                }
                let branch = self.entries.get_or_insert_with(|| {
                    *room -= 1;
                    Box::default()
                });
                for entry in entries {
                    branch.add(entry, depth + 1, room);
                }
            }
            _ => {}
        }
    }

    /// The branch of a name, while there is room for new ones.
    fn named(&mut self, name: &str, room: &mut usize) -> Option<&mut Self> {
        let name = if self.is_map() || says_who(name) { ANY_NAME } else { name };
        let name: String = name.chars().take(LONGEST_NAME).collect();
        if !self.names.contains_key(&name) {
            *room = room.checked_sub(1)?;
        }
        Some(self.names.entry(name).or_default())
    }

    fn is_map(&self) -> bool {
        self.names.len() == 1 && self.names.contains_key(ANY_NAME)
    }

    fn fold_if_map(&mut self) {
        if self.names.len() <= MOST_NAMES {
            return;
        }
        let mut any = Self::default();
        for branch in std::mem::take(&mut self.names).into_values() {
            any.merge(&branch, &mut MOST_BRANCHES.clone());
        }
        self.names.insert(ANY_NAME.to_owned(), any);
    }

    fn merge(&mut self, other: &Self, room: &mut usize) {
        self.types |= other.types;
        self.count += other.count;
        if other.is_map() && !self.names.is_empty() && !self.is_map() {
            // One side has found that it is a map.
            let mut any = Self::default();
            for branch in std::mem::take(&mut self.names).into_values() {
                any.merge(&branch, &mut MOST_BRANCHES.clone());
            }
            self.names.insert(ANY_NAME.to_owned(), any);
        }
        for (name, branch) in &other.names {
            if let Some(known) = self.named(name, room) {
                known.merge(branch, room);
            }
        }
        self.fold_if_map();
        if let Some(entries) = &other.entries {
            if self.entries.is_none() && *room == 0 {
                return;
            }
            let known = self.entries.get_or_insert_with(|| {
                *room -= 1;
                Box::default()
            });
            known.merge(entries, room);
        }
    }

    fn size(&self) -> usize {
        let names: usize = self.names.values().map(Self::size).sum();
        1 + names + self.entries.as_ref().map_or(0, |entries| entries.size())
    }

    fn list(&self, path: &str, paths: &mut BTreeMap<String, PathFacts>) {
        for (name, branch) in &self.names {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            paths.insert(inner.clone(), PathFacts { types: branch.types, count: branch.count });
            branch.list(&inner, paths);
        }
        if let Some(entries) = &self.entries {
            let inner = format!("{path}[]");
            paths.insert(inner.clone(), PathFacts { types: entries.types, count: entries.count });
            entries.list(&inner, paths);
        }
    }
}

/// A name that is an address, a number or a code says whose it is, not what it means.
fn says_who(name: &str) -> bool {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let code = name.len() >= 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    name.contains('@') || digits || code
}

fn type_of(value: &Value) -> u8 {
    match value {
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) => 4,
        Value::String(_) => 8,
        Value::Array(_) => 16,
        Value::Object(_) => 32,
    }
}

/// The names of types: "number", "string".
pub fn type_names(types: u8) -> Vec<&'static str> {
    TYPES.iter().filter(|(bit, _)| types & bit != 0).map(|(_, name)| *name).collect()
}
