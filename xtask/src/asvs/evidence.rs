//! What answers may point to: the tests of the repository, its files, headings of its documents, and what its Rust
//! files define.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use crate::tidy::rust_text::code_of;

/// Where tests count as evidence.
const ROOTS: [&str; 5] = ["host/", "admin-ui/", "xtask/", "plugin-sdk/", "migrations/"];

/// The checks of pages in a browser, and what runs them.
const BROWSER: &str = "admin-ui/tests/browser/";
const BROWSER_RUN: &str = "admin-ui/tests/browser/run.mjs";

/// What begins a definition in Rust.
const DEFINES: [&str; 8] = ["fn", "const", "static", "struct", "enum", "trait", "type", "mod"];

#[derive(Default)]
pub struct Evidence {
    tests: BTreeSet<String>,
    /// Written for the browser; those that nobody runs are none.
    browser_checks: BTreeSet<String>,
    browser_run: String,
    files: BTreeSet<String>,
    /// What may stand behind `#`, by file.
    anchors: BTreeMap<String, BTreeSet<String>>,
}

impl Evidence {
    /// `listed` are the files of the repository.
    pub fn gather(root: &Path, listed: &[String]) -> Result<Self> {
        let mut evidence = Self::default();
        for path in listed {
            let text = if path.ends_with(".rs") || path.ends_with(".md") || path.starts_with(BROWSER) {
                std::fs::read_to_string(root.join(path)).with_context(|| format!("{path} is not text"))?
            } else {
                String::new()
            };
            evidence.add(path, &text);
        }
        Ok(evidence)
    }

    pub fn add(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned());
        if path == BROWSER_RUN {
            text.clone_into(&mut self.browser_run);
        } else if path.starts_with(BROWSER) {
            let begins = text.split("export async function ").skip(1);
            self.browser_checks.extend(begins.filter_map(name_at_start).map(str::to_owned));
        }
        let anchors = if path.ends_with(".md") {
            headings(text)
        } else if path.ends_with(".rs") {
            let code = code_of(text);
            if ROOTS.iter().any(|root| path.starts_with(root)) {
                self.tests.extend(tests_in(&code));
            }
            definitions(&code)
        } else {
            BTreeSet::new()
        };
        self.anchors.insert(path.to_owned(), anchors);
    }

    /// What is wrong with the name of a test.
    pub fn lacks_test(&self, name: &str) -> Option<String> {
        let in_browser =
            self.browser_checks.contains(name) && self.browser_run.contains(&format!("await {name}("));
        (!self.tests.contains(name) && !in_browser).then(|| format!("names {name}, and no test is called so"))
    }

    /// What is wrong with a place, `path` or `path#heading` or `path.rs#name`.
    pub fn lacks_place(&self, place: &str) -> Option<String> {
        let (path, anchor) =
            place.split_once('#').map_or((place, None), |(path, anchor)| (path, Some(anchor)));
        if !self.files.contains(path) {
            return Some(format!("points to {path}, and there is no such file"));
        }
        let anchor = anchor?;
        let known = self.anchors.get(path).is_some_and(|anchors| anchors.contains(anchor));
        (!known).then(|| format!("points to {place}, and {path} has no {anchor}"))
    }
}

/// Names of functions that a test runner runs. One that is ignored is none.
pub fn tests_in(code: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[") {
        let (attributes, after) = attributes(&rest[at..]);
        rest = after;
        let is_test = attributes.iter().any(|name| *name == "test" || name.ends_with("::test"));
        if is_test && !attributes.contains(&"ignore") {
            tests.extend(function_name(after).map(str::to_owned));
        }
    }
    tests
}

/// The names of the attributes at the beginning, and what comes after them.
fn attributes(text: &str) -> (Vec<&str>, &str) {
    let (mut names, mut rest) = (Vec::new(), text);
    while let Some(inside) = rest.trim_start().strip_prefix("#[") {
        let mut depth = 1_usize;
        let close = inside.char_indices().find(|(_, letter)| {
            match letter {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = close.map_or(inside.len(), |(at, _)| at);
        names.push(inside[..end].split(['(', '=']).next().unwrap_or_default().trim());
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    (names, rest)
}

fn function_name(text: &str) -> Option<&str> {
    let mut words = text
        .split_whitespace()
        .skip_while(|word| word.starts_with("pub") || matches!(*word, "async" | "const" | "unsafe"));
    (words.next()? == "fn").then(|| name_at_start(words.next().unwrap_or_default())).flatten()
}

/// What a Rust file gives names to.
fn definitions(code: &str) -> BTreeSet<String> {
    let words: Vec<&str> = code.split_whitespace().collect();
    let pairs = words.windows(2).filter(|pair| DEFINES.contains(&pair[0]));
    pairs.filter_map(|pair| name_at_start(pair[1])).map(str::to_owned).collect()
}

fn name_at_start(text: &str) -> Option<&str> {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

/// Headings as links name them: small letters, blanks as hyphens, without punctuation.
fn headings(text: &str) -> BTreeSet<String> {
    let mut headings = BTreeSet::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if let Some((marks, title)) = line.split_once(' ')
            && !in_code
            && !marks.is_empty()
            && marks.chars().all(|mark| mark == '#')
        {
            headings.insert(slug(title));
        }
    }
    headings
}

fn slug(title: &str) -> String {
    let kept = title.trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}
