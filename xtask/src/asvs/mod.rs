//! `docs/asvs.csv`: what Portolan answers to each requirement of levels 1 and 2 of OWASP ASVS 5.0.
//!
//! A sheet of answers is worth what can be looked up, so that is checked: every requirement is there once, every
//! test that is named exists and is one, every place that is named exists, and whoever says "not applicable" or "open" says
//! why. How many are open stands in `docs/security.md`, and neither changes without the other.
//!
//! The texts of the requirements are OWASP's and no part of this repository: it holds their ids. Where a copy lies in
//! `../shared/asvs` the sheet is compared with it.

mod evidence;
mod reference;
mod sheet;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::tidy;
use crate::workspace::Workspace;
use evidence::Evidence;
use reference::Requirement;
use sheet::{Answer, Row};

const SHEET: &str = "docs/asvs.csv";
const SECURITY: &str = "docs/security.md";

/// Requirements of levels 1 and 2.
const REQUIREMENTS: usize = 253;

/// SHA-256 over their ids and levels, a line each, in the order of the standard. To derive it from OWASP's own file, which
/// has to give what the sheet gives:
///
/// ```text
/// jq -r '.requirements[] | select(.L != "3") | "\(.req_id),\(.L)"' asvs-5.0.0.json | sort -V | sha256sum
/// tail -n +2 docs/asvs.csv | cut -d, -f1,2 | sha256sum
/// ```
const IDS_SHA256: &str = "ee09334faed652b38563b1e97ecb77f218e04b0e8d73fa9ca3197b185404c8cd";

/// Shorter reasons are none.
const FEWEST_WORDS_OF_A_REASON: usize = 6;

/// An answer that does not hold.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Of the sheet; 0 where it is about all of it.
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(formatter, "{SHEET}: {}", self.message),
            line => write!(formatter, "{SHEET}:{line}: {}", self.message),
        }
    }
}

/// What there is to say after a check that found nothing.
pub struct Report {
    pub summary: String,
    pub skipped: Option<String>,
}

/// Errors: what does not hold, each place told.
pub fn run(workspace: &Workspace) -> Result<Report> {
    let read = |path: &str| {
        let file = workspace.root.join(path);
        std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let (rows, mut findings) = sheet::parse(&read(SHEET)?);
    let evidence = Evidence::gather(&workspace.root, &tidy::listed(workspace)?)?;
    let known = reference::read(&workspace.root.join("../shared/asvs/asvs-5.0.0.json"))?;
    findings.extend(complete(&rows, REQUIREMENTS, IDS_SHA256));
    findings.extend(rows.iter().flat_map(|row| answered(row, &evidence)));
    findings.extend(known.iter().flat_map(|known| compared(&rows, known)));
    let summary = summary(&rows);
    findings.extend(told(&summary, &read(SECURITY)?));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("what {SHEET} says does not hold in {} places", findings.len());
    }
    let skipped = "the sheet is not compared with the standard: there is no ../shared/asvs/asvs-5.0.0.json";
    Ok(Report { summary, skipped: known.is_none().then(|| skipped.to_owned()) })
}

fn summary(rows: &[Row]) -> String {
    let count = |wanted: Answer| rows.iter().filter(|row| row.answer == wanted).count();
    format!(
        "asvs: {} requirements: {} tests, {} design, {} n/a, {} open",
        rows.len(),
        count(Answer::Test),
        count(Answer::Design),
        count(Answer::NotApplicable),
        count(Answer::Open)
    )
}

/// Every requirement once, in the order of the standard, and no other.
fn complete(rows: &[Row], count: usize, sha256: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pair in rows.windows(2) {
        if pair[0].id >= pair[1].id {
            let message = format!("{} comes after {}: each once, in order", pair[1].id, pair[0].id);
            findings.push(Finding { line: pair[1].line, message });
        }
    }
    if rows.len() != count {
        let message = format!("{} requirements are answered, and there are {count}", rows.len());
        findings.push(Finding { line: 0, message });
    }
    let ids: String = rows.iter().map(|row| format!("{},{}\n", row.id, row.level)).collect();
    let digest: String = Sha256::digest(ids.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    if digest != sha256 {
        let message = "these are not the ids and levels of the standard (see IDS_SHA256)".to_owned();
        findings.push(Finding { line: 0, message });
    }
    findings
}

/// Whether what the row says can be looked up.
fn answered(row: &Row, evidence: &Evidence) -> Vec<Finding> {
    let mut messages = Vec::new();
    let places = || row.pointer.split_whitespace();
    match row.answer {
        Answer::Test | Answer::Design if row.pointer.trim().is_empty() => {
            messages.push("names nothing that could be looked up".to_owned());
        }
        Answer::Test => messages.extend(places().filter_map(|name| evidence.lacks_test(name))),
        Answer::Design | Answer::NotApplicable | Answer::Open => {
            messages.extend(places().filter_map(|place| evidence.lacks_place(place)));
        }
    }
    let unanswered = matches!(row.answer, Answer::NotApplicable | Answer::Open);
    if unanswered && row.note.split_whitespace().count() < FEWEST_WORDS_OF_A_REASON {
        messages.push(format!("says {} without a reason", row.answer.as_str()));
    }
    messages
        .into_iter()
        .map(|message| Finding { line: row.line, message: format!("{} {message}", row.id) })
        .collect()
}

/// The same ids and levels as the standard, and none of its sentences.
fn compared(rows: &[Row], known: &[Requirement]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let answered: BTreeSet<_> = rows.iter().map(|row| (row.id, row.level)).collect();
    let wanted: BTreeSet<_> = known.iter().map(|requirement| (requirement.id, requirement.level)).collect();
    for (id, level) in wanted.difference(&answered) {
        findings.push(Finding { line: 0, message: format!("{id} of level {level} has no answer") });
    }
    for row in rows {
        let requirement = known.iter().find(|requirement| requirement.id == row.id);
        let message = match requirement {
            None => format!("{} is no requirement of levels 1 and 2", row.id),
            Some(requirement) if requirement.level != row.level => {
                format!("{} is of level {}", row.id, requirement.level)
            }
            Some(requirement) if requirement.is_quoted_in(&row.note) => {
                format!("{} quotes the standard: say it in words of our own", row.id)
            }
            Some(_) => continue,
        };
        findings.push(Finding { line: row.line, message });
    }
    findings
}

/// The page of security says the same numbers.
fn told(summary: &str, security: &str) -> Option<Finding> {
    let is_told = security.lines().any(|line| line.trim() == summary);
    let message =
        format!("{SECURITY} has to say in a line of its own, and say why where more is open: {summary}");
    (!is_told).then_some(Finding { line: 0, message })
}
