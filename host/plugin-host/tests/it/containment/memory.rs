//! However much a plugin hoards, the process grows by its limits and not more. Measured by the kernel, in
//! a process of its own for each: the peak of a process says nothing about who caused it.

use std::io::Write;
use std::process::Command;

use portolan_connector::PluginRuntime;

use super::cases::{HOARDERS, SINK};
use super::outcome_of;
use crate::parasite::replaced;
use crate::support::{Sandbox, behaving, options};

/// Which of them a child process is to run.
const CHOICE: &str = "PORTOLAN_HOARDER";

/// Ten in a hundred, and what the runtime itself needs to run a call: stacks, tables, threads.
fn most(limit_bytes: u64) -> u64 {
    limit_bytes + limit_bytes / 10 + (16 << 20)
}

/// The hostile plugin, and the same one with a minute of computing.
async fn sandbox(patient: bool) -> Sandbox {
    let mut options = options();
    options.limits.sink_bytes = usize::try_from(SINK).expect("small");
    options.limits.sink_rows = 50_000;
    let mut sandbox = Sandbox::with(options).await;
    if patient {
        let component =
            replaced(r#""cpu_ms": 500, "wall_ms": 20000, "#, r#""cpu_ms":60000,"wall_ms":60000,  "#);
        sandbox.plugin = sandbox.runtime.install(component).await.expect("it installs").plugin;
    }
    sandbox
}

/// Without a choice the first: then it is a test like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hoards_stays_within_its_limits() {
    let choice = std::env::var(CHOICE).ok().and_then(|choice| choice.parse::<usize>().ok());
    let hoarder = &HOARDERS[choice.unwrap_or_default()];
    let (case, limit_bytes) = (&hoarder.case, hoarder.limit_bytes);
    let sandbox = sandbox(hoarder.patient).await;
    assert_eq!(sandbox.fetched_text(behaving("echo", "well")).await, "well");
    // From here on: what compiling took is not the guest's.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = peak_bytes();
    let outcome = outcome_of(&sandbox, case).await;
    assert_eq!(outcome.ended, case.ends, "{}: {}", case.behaviour, outcome.words);
    let (Some(before), Some(after)) = (before, peak_bytes()) else { return };
    let grown = after.saturating_sub(before);
    assert!(
        grown <= most(limit_bytes),
        "{} grew the process by {} MiB, its limit is {} MiB",
        case.behaviour,
        grown >> 20,
        limit_bytes >> 20
    );
    let _ = writeln!(std::io::stdout(), "grown: {} by {} of {limit_bytes} bytes", case.behaviour, grown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hoards_stays_within_the_limits() {
    // Compiled once, for all children.
    sandbox(true).await;
    let this = std::env::current_exe().expect("this program");
    let mut findings = Vec::new();
    for (choice, hoarder) in HOARDERS.iter().enumerate() {
        let output = Command::new(&this)
            .args(["--exact", "containment::memory::one_that_hoards_stays_within_its_limits", "--nocapture"])
            .env(CHOICE, choice.to_string())
            .output()
            .expect("this program runs again");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        // A child that ran nothing would succeed, too.
        let measured = told.contains(&format!("grown: {} ", hoarder.case.behaviour));
        if !output.status.success() || !measured && cfg!(target_os = "linux") {
            findings.push(format!("{told}{}", String::from_utf8_lossy(&output.stderr)));
        }
        let line = told.lines().find(|line| line.starts_with("grown")).unwrap_or_default();
        let _ = writeln!(std::io::stdout(), "{line}");
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// The most memory that this process ever had; none where the system has no such file.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
