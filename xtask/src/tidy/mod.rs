//! Rules of the house that no compiler checks. Each finding names the place and what to do about it.

mod arrows;
mod circles;
mod links;
pub mod rust_text;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// A rule that is not kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// A path, with a line where there is one, or an arrow.
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// A source file as the rules see it; the path is relative to the repository, with `/`.
pub struct Source {
    path: String,
    text: String,
}

pub fn run(workspace: &Workspace) -> Result<()> {
    let listed = listed(workspace)?;
    let paths: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    let sources = sources(workspace, &paths)?;
    let mut findings = arrows::check(&arrows::crates_of(&workspace.metadata()?)?);
    findings.extend(circles::check(&sources));
    findings.extend(links::check(&sources, &paths));
    findings.extend(sources.iter().flat_map(sources::check));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy found {} places", findings.len());
    }
    Ok(())
}

/// Every file that git keeps or would keep.
pub fn listed(workspace: &Workspace) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = process::stdout_of(&mut git).context("tidy looks at the files that git lists")?;
    // Listed and not there: deleted, about to be committed.
    let there = |path: &&str| !path.is_empty() && workspace.root.join(path).is_file();
    Ok(listed.split('\0').filter(there).map(str::to_owned).collect())
}

fn sources(workspace: &Workspace, paths: &BTreeSet<&str>) -> Result<Vec<Source>> {
    let looked_at = paths.iter().filter(|path| sources::is_looked_at(path));
    looked_at
        .map(|path| {
            let text = std::fs::read_to_string(workspace.root.join(path));
            let text = text.with_context(|| format!("{path} is not text"))?;
            Ok(Source { path: (*path).to_owned(), text })
        })
        .collect()
}
