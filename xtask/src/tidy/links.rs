//! Links of the documentation lead somewhere: to a file or folder of the repository, or outside.

use std::collections::BTreeSet;

use super::{Finding, Source};

/// `paths` are all files that git lists, whatever their kind.
pub fn check(sources: &[Source], paths: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for (number, line) in source.text.lines().enumerate() {
            for target in targets(line) {
                if !leads_somewhere(&source.path, target, paths) {
                    let place = format!("{}:{}", source.path, number + 1);
                    findings.push(Finding::new(place, format!("the link to {target} leads nowhere")));
                }
            }
        }
    }
    findings
}

/// What stands in the round brackets of `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

fn leads_somewhere(from: &str, target: &str, paths: &BTreeSet<&str>) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return true;
    }
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for step in path.trim_end_matches('/').split('/') {
        match step {
            ".." => {
                folders.pop();
            }
            "." => {}
            name => folders.push(name),
        }
    }
    let wanted = folders.join("/");
    let folder = format!("{wanted}/");
    paths.contains(wanted.as_str())
        || paths.range(folder.as_str()..).next().is_some_and(|path| path.starts_with(&folder))
}
