//! What is new, gone or of another type, against the days before.

use serde::Serialize;
use utoipa::ToSchema;

use super::shape::{Shape, type_names};

/// Fewer records than this say nothing about what is gone.
const ENOUGH_RECORDS: u64 = 20;
/// A path is missed where at least so many of today's records should have had it.
const EXPECTED_AT_LEAST: u64 = 10;

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PathDrift {
    /// `lines[].price`.
    pub path: String,
    /// new, vanished or changed.
    pub what: String,
    /// Types of the days before; empty for what is new.
    pub before: Vec<String>,
    /// Types of the last day; empty for what has vanished.
    pub now: Vec<String>,
}

/// How a day's shape differs from what was seen before it. Nothing, where nothing was seen before.
pub fn drift(before: &Shape, now: &Shape) -> Vec<PathDrift> {
    if before.records == 0 || now.records == 0 {
        return Vec::new();
    }
    let (olds, news) = (before.paths(), now.paths());
    let words = |types: u8| type_names(types).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (path, new) in &news {
        let entry = match olds.get(path) {
            None => Some(("new", Vec::new())),
            Some(old) if new.types & !old.types != 0 => Some(("changed", words(old.types))),
            Some(_) => None,
        };
        if let Some((what, before)) = entry {
            found.push(PathDrift {
                path: path.clone(),
                what: what.to_owned(),
                before,
                now: words(new.types),
            });
        }
    }
    for (path, old) in olds.iter().filter(|(path, _)| !news.contains_key(*path)) {
        let expected = u128::from(old.count) * u128::from(now.records) / u128::from(before.records);
        if now.records >= ENOUGH_RECORDS && expected >= u128::from(EXPECTED_AT_LEAST) {
            let before = words(old.types);
            found.push(PathDrift {
                path: path.clone(),
                what: "vanished".to_owned(),
                before,
                now: Vec::new(),
            });
        }
    }
    found
}
