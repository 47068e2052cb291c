//! Slices of the product may use each other, but never in a circle: two slices that need each other are one
//! slice, or their shared part wants a slice of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::rust_text::code_of;
use super::{Finding, Source};

const SLICES: &str = "host/app/src/";

/// Slice → the slices it uses, each with a file that does.
type Uses<'a> = BTreeMap<&'a str, BTreeMap<String, &'a str>>;

pub fn check(sources: &[Source]) -> Vec<Finding> {
    let uses = uses(sources);
    let mut circles = BTreeSet::new();
    for start in uses.keys() {
        if let Some(circle) = circle_from(start, &uses) {
            circles.insert(turned_to_smallest(circle));
        }
    }
    circles
        .into_iter()
        .map(|circle| {
            let steps = circle.iter().zip(circle.iter().cycle().skip(1));
            let steps = steps.map(|(from, to)| format!("{from} -> {to} in {}", uses[from.as_str()][to]));
            Finding::new(SLICES, format!("slices in a circle: {}", steps.collect::<Vec<_>>().join(", ")))
        })
        .collect()
}

fn uses(sources: &[Source]) -> Uses<'_> {
    let is_root = |path: &str| {
        path.ends_with("/mod.rs") && path.matches('/').count() == SLICES.matches('/').count() + 1
    };
    let slices: BTreeSet<&str> = sources
        .iter()
        .filter(|source| is_root(&source.path))
        .filter_map(|source| slice_of(&source.path))
        .collect();
    let mut uses: Uses = slices.iter().map(|slice| (*slice, BTreeMap::new())).collect();
    for source in sources.iter().filter(|source| !is_test(&source.path)) {
        let Some(slice) = slice_of(&source.path).filter(|slice| slices.contains(slice)) else { continue };
        let used = names_after_crate(&code_of(&source.text));
        let used = used.into_iter().filter(|name| name != slice && slices.contains(name.as_str()));
        uses.entry(slice).or_default().extend(used.map(|name| (name, source.path.as_str())));
    }
    uses
}

fn slice_of(path: &str) -> Option<&str> {
    path.strip_prefix(SLICES)?.split_once('/').map(|(slice, _)| slice)
}

/// Tests may reach anywhere: they are not part of what others use.
fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/")
}

/// The first name after every `crate::`, also those in braces: `use crate::{orders, syncs::ops};`.
pub fn names_after_crate(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (place, found) in code.match_indices("crate::") {
        let before = code[..place].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$') {
            continue;
        }
        let rest = code[place + found.len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(group) => names.extend(heads_of_group(group)),
            None => names.extend(head(rest)),
        }
    }
    names
}

fn heads_of_group(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut start = 0;
    let mut heads = Vec::new();
    for (place, letter) in group.char_indices() {
        let ends = match letter {
            '{' => {
                depth += 1;
                false
            }
            '}' => {
                depth -= 1;
                depth < 0
            }
            ',' => depth == 0,
            _ => false,
        };
        if ends {
            heads.extend(head(group[start..place].trim()));
            start = place + 1;
        }
        if depth < 0 {
            break;
        }
    }
    heads
}

fn head(path: &str) -> Option<String> {
    let name: String = path.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// A circle through `start`, if there is one: the shortest, by breadth.
fn circle_from(start: &str, uses: &Uses<'_>) -> Option<Vec<String>> {
    let mut paths = std::collections::VecDeque::from([vec![start.to_owned()]]);
    let mut visited = BTreeSet::new();
    while let Some(path) = paths.pop_front() {
        let last = path.last()?;
        for next in uses.get(last.as_str()).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                return Some(path);
            }
            if visited.insert(next.clone()) {
                let mut longer = path.clone();
                longer.push(next.clone());
                paths.push_back(longer);
            }
        }
    }
    None
}

/// The same circle is found from each of its slices: told once, from the first in the alphabet.
fn turned_to_smallest(mut circle: Vec<String>) -> Vec<String> {
    let smallest = circle
        .iter()
        .enumerate()
        .min_by_key(|(_, name)| name.as_str().to_owned())
        .map_or(0, |(place, _)| place);
    circle.rotate_left(smallest);
    circle
}
