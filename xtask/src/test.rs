//! `cargo xtask test`: the whole check, phase by phase. A failing phase shows its output and those that
//! don't need it go on, so that one run tells everything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::postgres::{Keeps, Postgres};
use crate::setup::{self, Need};
use crate::workspace::Workspace;
use crate::{assets, asvs, browser, plugins, process, supply, tidy};

/// One phase.
struct Phase {
    name: &'static str,
    /// What it is good for, in the summary.
    what: &'static str,
    /// Phases without which it makes no sense.
    needs: &'static [&'static str],
    run: fn(&mut Check<'_>) -> Result<()>,
}

const PHASES: &[Phase] = &[
    Phase { name: "setup", what: "tools and packages are there", needs: &[], run: run_setup },
    Phase { name: "assets", what: "scripts and styles are bundled", needs: &["setup"], run: run_assets },
    Phase { name: "fmt", what: "Rust is formatted", needs: &[], run: run_fmt },
    Phase { name: "tidy", what: "rules of the house", needs: &[], run: run_tidy },
    Phase { name: "asvs", what: "what is said about OWASP ASVS can be looked up", needs: &[], run: run_asvs },
    Phase {
        name: "supply",
        what: "what comes from outside: weaknesses, licences, sources",
        needs: &[],
        run: run_supply,
    },
    Phase { name: "plugins", what: "plugins and guests are built", needs: &["setup"], run: run_plugins },
    Phase { name: "clippy", what: "lints, warnings are errors", needs: &["assets"], run: run_clippy },
    Phase { name: "postgres", what: "a PostgreSQL of our own runs", needs: &["setup"], run: run_postgres },
    Phase {
        name: "tests",
        what: "unit, property and integration tests on both databases",
        needs: &["assets", "plugins", "postgres"],
        run: run_tests,
    },
    Phase { name: "pages", what: "pages in a real browser", needs: &["assets", "plugins"], run: run_pages },
];

/// What the phases of one run share.
struct Check<'a> {
    workspace: &'a Workspace,
    log: PathBuf,
    /// Where the pictures of the pages go.
    images: PathBuf,
    postgres: Option<Postgres>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// What it needs failed.
    Blocked,
    /// Left out by `--only` or `--skip`.
    LeftOut,
}

pub fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<()> {
    let only = arguments.values("--only")?;
    let skip = arguments.values("--skip")?;
    let keep_images = arguments.flag("--images");
    arguments.finish()?;
    for name in only.iter().chain(&skip) {
        if !PHASES.iter().any(|phase| phase.name == name) {
            bail!("no phase is called {name}; there are: {}", names().join(", "));
        }
    }
    let wanted = wanted(&only, &skip);

    let start = Instant::now();
    let images =
        if keep_images { workspace.root.join("docs/images") } else { workspace.scratch_dir().join("images") };
    let mut check = Check { workspace, log: PathBuf::new(), images, postgres: None };
    let mut outcomes = BTreeMap::new();
    for phase in PHASES {
        let outcome = if !wanted.contains(&phase.name) {
            Outcome::LeftOut
        } else if phase.needs.iter().any(|need| is_bad(outcomes.get(need))) {
            println!("skip  {:<9} because what it needs failed", phase.name);
            Outcome::Blocked
        } else {
            check.run(phase)?
        };
        outcomes.insert(phase.name, outcome);
    }
    drop(check);
    summary(&outcomes, start.elapsed())
}

impl Check<'_> {
    /// Errors: only when the person wants to stop.
    fn run(&mut self, phase: &Phase) -> Result<Outcome> {
        self.log = self.workspace.scratch_dir().join("log").join(format!("{}.log", phase.name));
        let _ = std::fs::remove_file(&self.log);
        println!("      {:<9} {}", phase.name, phase.what);
        let start = Instant::now();
        let result = (phase.run)(self);
        let seconds = start.elapsed().as_secs_f32();
        if process::interrupted() {
            bail!("interrupted");
        }
        let Err(error) = result else {
            println!("ok    {:<9} {seconds:.1} s", phase.name);
            return Ok(Outcome::Passed);
        };
        if let Ok(output) = std::fs::read_to_string(&self.log) {
            println!("{output}");
        }
        println!("FAIL  {:<9} {seconds:.1} s: {error:#}", phase.name);
        Ok(Outcome::Failed)
    }

    /// Runs a cargo command with its output in the log of the phase.
    fn cargo(&self, words: &[&str]) -> Result<()> {
        let mut cargo = self.workspace.cargo();
        cargo.args(words).env("PORTOLAN_PLUGINS_DIR", self.workspace.plugins_dir());
        if let Some(postgres) = &self.postgres {
            cargo.env("PORTOLAN_TEST_POSTGRES_URL", postgres.url());
        }
        process::run_logged(&mut cargo, &self.log)
    }
}

fn run_setup(check: &mut Check<'_>) -> Result<()> {
    setup::run(check.workspace, &[Need::Build, Need::Pages, Need::Tests])
}

fn run_assets(check: &mut Check<'_>) -> Result<()> {
    process::run_logged(&mut assets::command(check.workspace), &check.log)?;
    process::run_logged(&mut assets::type_check(check.workspace), &check.log)
}

fn run_fmt(check: &mut Check<'_>) -> Result<()> {
    check.cargo(&["fmt", "--all", "--check", "--", "--color=never"])
}

fn run_tidy(check: &mut Check<'_>) -> Result<()> {
    tidy::run(check.workspace)
}

fn run_asvs(check: &mut Check<'_>) -> Result<()> {
    let report = asvs::run(check.workspace)?;
    println!("      {}", report.summary);
    if let Some(skipped) = report.skipped {
        println!("      (skipped: {skipped})");
    }
    Ok(())
}

fn run_supply(check: &mut Check<'_>) -> Result<()> {
    if let Some(skipped) = supply::run(check.workspace)? {
        println!("      (skipped: {skipped})");
    }
    Ok(())
}

fn run_clippy(check: &mut Check<'_>) -> Result<()> {
    check.cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
}

fn run_plugins(check: &mut Check<'_>) -> Result<()> {
    plugins::build_logged(check.workspace, &check.log)
}

fn run_postgres(check: &mut Check<'_>) -> Result<()> {
    check.postgres = Some(Postgres::start(Keeps::NothingAfterACrash)?);
    Ok(())
}

fn run_tests(check: &mut Check<'_>) -> Result<()> {
    if process::exists("cargo-nextest") {
        return check.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
    }
    println!("      (cargo-nextest is not installed: `cargo test` is slower)");
    check.cargo(&["test", "--workspace", "--no-fail-fast"])
}

fn run_pages(check: &mut Check<'_>) -> Result<()> {
    // With the tests, so that the heavy crates keep the features they were compiled with for those.
    check.cargo(&["build", "--workspace", "--bins", "--tests"])?;
    browser::run(check.workspace, &check.log, &check.images)
}

fn names() -> Vec<&'static str> {
    PHASES.iter().map(|phase| phase.name).collect()
}

/// `--only tests` means: the tests and what they need.
fn wanted(only: &[String], skip: &[String]) -> Vec<&'static str> {
    let mut wanted: Vec<&'static str> = Vec::new();
    for phase in PHASES.iter().rev() {
        let asked = only.is_empty() || only.iter().any(|name| name == phase.name);
        let needed =
            PHASES.iter().any(|other| wanted.contains(&other.name) && other.needs.contains(&phase.name));
        if (asked || needed) && !skip.iter().any(|name| name == phase.name) {
            wanted.push(phase.name);
        }
    }
    wanted
}

fn is_bad(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Failed | Outcome::Blocked))
}

fn summary(outcomes: &BTreeMap<&str, Outcome>, elapsed: Duration) -> Result<()> {
    let named = |wanted: Outcome| {
        let of_phase = |phase: &&Phase| outcomes.get(phase.name) == Some(&wanted);
        PHASES.iter().filter(of_phase).map(|phase| phase.name).collect::<Vec<_>>()
    };
    let (failed, blocked, left_out) =
        (named(Outcome::Failed), named(Outcome::Blocked), named(Outcome::LeftOut));
    println!("\n{} phases passed in {} s", named(Outcome::Passed).len(), elapsed.as_secs());
    if !left_out.is_empty() {
        println!("left out: {}", left_out.join(", "));
    }
    if !blocked.is_empty() {
        println!("not run:  {}", blocked.join(", "));
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PHASES, wanted};

    #[test]
    fn a_phase_only_needs_phases_before_it() {
        for (place, phase) in PHASES.iter().enumerate() {
            for need in phase.needs {
                assert!(
                    PHASES[..place].iter().any(|earlier| earlier.name == *need),
                    "{} needs {need}",
                    phase.name
                );
            }
        }
    }

    #[test]
    fn only_brings_what_it_needs() {
        assert_eq!(wanted(&["tidy".to_owned()], &[]), ["tidy"]);
        let mut of_tests = wanted(&["tests".to_owned()], &[]);
        of_tests.sort_unstable();
        assert_eq!(of_tests, ["assets", "plugins", "postgres", "setup", "tests"]);
    }

    #[test]
    fn skip_wins() {
        assert!(!wanted(&[], &["pages".to_owned()]).contains(&"pages"));
    }
}
