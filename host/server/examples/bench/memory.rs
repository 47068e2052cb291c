//! How much memory a process takes, as Linux tells it.

use std::fs;

use anyhow::{Context, Result};

/// Peaks count from now on.
pub fn forget_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("the peak of memory cannot be reset")
}

/// The most that this process has taken since [`forget_peak`], in megabytes.
pub fn peak_mb() -> Result<f64> {
    field_mb("self", "VmHWM")
}

/// What another process takes now, in megabytes.
pub fn resident_mb(process: u32) -> Result<f64> {
    field_mb(&process.to_string(), "VmRSS")
}

fn field_mb(process: &str, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    Ok(kilobytes.with_context(|| format!("the system does not say {field} of a process"))? / 1_024.0)
}
