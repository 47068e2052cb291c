//! A measured number, as the runner reads it, and what many measurements come to.

use std::io::Write;

use anyhow::Result;
use portolan_core::{Clock, SystemClock};
use serde_json::json;

/// What a figure is held against.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    None,
}

/// Prints a figure.
pub fn report(name: &str, value: f64, unit: &str, target: Target, note: &str) -> Result<()> {
    let (target, better) = match target {
        Target::AtLeast(target) => (Some(target), "higher"),
        Target::AtMost(target) => (Some(target), "lower"),
        Target::None => (None, "lower"),
    };
    let line = json!({"figure": name, "value": value, "unit": unit, "target": target, "better": better, "note": note});
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

/// A ledger of so many events: its figures make a column of a table.
#[derive(Clone, Copy)]
pub struct OfSize(pub u64);

impl OfSize {
    /// Prints a figure of this size.
    pub fn report(self, name: &str, value: f64, unit: &str, note: &str) -> Result<()> {
        let line = json!({"figure": name, "value": value, "unit": unit, "better": "lower", "note": note, "events": self.0});
        writeln!(std::io::stdout().lock(), "{line}")?;
        Ok(())
    }
}

/// Microseconds since the program began.
pub fn now_us() -> f64 {
    SystemClock.monotonic().0 as f64
}

/// The middle of several measurements: one that was disturbed does not move it.
pub fn median(measured: &mut [f64]) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured.get(measured.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The smallest measurement: how fast it can be where nothing disturbs.
pub fn smallest(measured: &[f64]) -> f64 {
    measured.iter().copied().fold(f64::INFINITY, f64::min)
}
