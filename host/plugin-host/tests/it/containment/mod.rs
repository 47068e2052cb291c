//! Annex of hostile plugins: each way to misbehave, what ends it, and in which words people are told.
//!
//! One place for all, so that what is promised of one is asked of every one: the call ends, soon after its
//! deadline, with words that help; the next call of a neighbour is answered as if nothing had happened.

mod cases;
mod memory;
mod neighbours;
mod upstreams;

use std::time::Duration;

use portolan_connector::{Fault, Normalized, PluginRuntime};
use portolan_core::{Clock, SystemClock};

use crate::support::{NOW, Sandbox, behaving};

/// The hostile plugin's own limit of computing (its manifest).
const CPU_MS: i64 = 500;
/// On an idle machine 1.2 × the deadline is kept with ease (`cargo xtask bench containment` has the figure);
/// the tests of a whole workspace run side by side, so the assertion is wider.
const LATEST_MS: i64 = 8 * CPU_MS;

/// One way to misbehave.
pub struct Case {
    pub behaviour: &'static str,
    pub call: Call,
    pub ends: Ends,
    /// What the words for people contain.
    pub says: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub enum Call {
    Check,
    Partitions,
    /// With this argument.
    Fetch(&'static str),
    /// With this body.
    Normalize(&'static str),
}

/// What a call ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The sandbox stopped it at this limit.
    At(&'static str),
    /// It is told that the plugin is at fault.
    Bug,
    /// The plugin's own error, made harmless.
    Fault(&'static str),
    /// An answer, made harmless.
    Well,
}

/// What a case ended in, and the words.
pub struct Outcome {
    pub ended: Ends,
    pub words: String,
    pub took_ms: i64,
}

pub async fn outcome_of(sandbox: &Sandbox, case: &Case) -> Outcome {
    let start = SystemClock.monotonic();
    let answer = answer_of(sandbox, case).await;
    let took_ms = (SystemClock.monotonic().0 - start.0) / 1_000;
    let (ended, words) = match answer {
        Ok(words) => (Ends::Well, words),
        Err(fault) => (ended_by(&fault), fault.to_string()),
    };
    Outcome { ended, words, took_ms }
}

async fn answer_of(sandbox: &Sandbox, case: &Case) -> Result<String, Fault> {
    match case.call {
        Call::Check => sandbox.check(behaving(case.behaviour, "")).await.map(|report| format!("{report:?}")),
        Call::Partitions => {
            let context = behaving(case.behaviour, "").context();
            let found = sandbox.runtime.partitions(&sandbox.plugin, context, "orders", NOW).await;
            found.map(|partitions| format!("{partitions:?}"))
        }
        Call::Fetch(argument) => {
            let page = sandbox.fetch(behaving(case.behaviour, argument)).await?;
            Ok(format!("{:?} {:?} {:?} {:?}", page.chunks, page.next, page.expected, page.progress_percent))
        }
        Call::Normalize(body) => sandbox.normalize(case.behaviour, body).await.map(told),
    }
}

fn told(normalized: Normalized) -> String {
    let Normalized { documents, skipped, seen, .. } = normalized;
    format!("{} documents of {seen}, {skipped:?}", documents.len())
}

fn ended_by(fault: &Fault) -> Ends {
    match fault {
        Fault::Stopped { limit, .. } => {
            let limits = ["cpu", "memory", "output", "trap", "deadline", "resources"];
            Ends::At(limits.into_iter().find(|known| known == limit).unwrap_or("an unknown limit"))
        }
        Fault::PluginBug { .. } => Ends::Bug,
        Fault::Transient { .. } => Ends::Fault("transient"),
        _ => Ends::Fault("other"),
    }
}

/// All findings at once: forty red tests in a row would say less.
async fn contain(cases: &[Case]) {
    let sandbox = Sandbox::new().await;
    let mut findings = Vec::new();
    for case in cases {
        let calling = tokio::time::timeout(Duration::from_secs(60), outcome_of(&sandbox, case));
        let Ok(outcome) = calling.await else { panic!("{} did not end", case.behaviour) };
        let Outcome { ended, words, took_ms } = outcome;
        let shown: String = words.chars().take(300).collect();
        if ended != case.ends {
            findings.push(format!("{}: {ended:?} in place of {:?}: {shown}", case.behaviour, case.ends));
        }
        let missing = case.says.iter().filter(|word| !words.contains(**word));
        findings.extend(missing.map(|word| format!("{}: says nothing of {word:?}: {shown}", case.behaviour)));
        if words.len() > 20_000 || is_hostile_text(&words) {
            findings.push(format!("{}: hostile text got through: {shown:?}", case.behaviour));
        }
        if took_ms > LATEST_MS {
            findings.push(format!("{}: ended after {took_ms} ms, too late", case.behaviour));
        }
        let neighbour = sandbox.fetched_text(behaving("echo", "well")).await;
        if neighbour != "well" {
            findings.push(format!("{}: the next call answered {neighbour:?}", case.behaviour));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// As it is, or as `Debug` shows it.
fn is_hostile_text(words: &str) -> bool {
    words.contains(['\u{1b}', '\u{202e}', '\0']) || words.contains("\\u{1b}") || words.contains("\\u{202e}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fetching_plugins_try_is_contained() {
    contain(cases::FETCHING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_normalizing_plugins_try_is_contained() {
    contain(cases::NORMALIZING).await;
}

#[test]
fn the_annex_has_at_least_forty() {
    assert!(cases::FETCHING.len() + cases::NORMALIZING.len() >= 40);
}
