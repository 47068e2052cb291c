//! How long a failed job rests.

use portolan_core::{Duration, Random};

/// Exponential, capped, with jitter so that jobs that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Before the second attempt.
    pub base: Duration,
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { base: Duration::from_secs(10), cap: Duration::from_hours(1) }
    }
}

/// The longest rest that another party's request for patience gets: a mistaken `Retry-After` of a year must
/// not end a connection for a year.
pub const LONGEST_PATIENCE: Duration = Duration::from_hours(24);

impl RetryPolicy {
    /// `rand(0.5..1) · min(cap, base · 2^(attempt − 1))`; the first attempt is 1. Never less than `after`, which
    /// counts up to [`LONGEST_PATIENCE`] and gets up to a tenth more, so that those who were told the same
    /// do not come back together.
    pub fn delay(&self, attempt: i32, after: Option<Duration>, random: &dyn Random) -> Duration {
        let floor = patience(after.unwrap_or(Duration::ZERO));
        let backoff = self.backoff(attempt, random);
        if backoff >= floor { backoff } else { Duration(floor.0 + below(random, floor.0 / 10)) }
    }

    fn backoff(&self, attempt: i32, random: &dyn Random) -> Duration {
        let doublings = u32::try_from(attempt - 1).unwrap_or_default().min(40);
        let full = i128::from(self.base.0) << doublings;
        let full = i64::try_from(full.min(i128::from(self.cap.0))).unwrap_or(self.cap.0);
        Duration(full / 2 + below(random, full / 2))
    }
}

/// What is granted of the rest that was asked for.
pub(crate) fn patience(asked: Duration) -> Duration {
    asked.clamp(Duration::ZERO, LONGEST_PATIENCE)
}

/// A number from 0 to `limit`, inclusive.
pub(crate) fn below(random: &dyn Random, limit: i64) -> i64 {
    let limit = u64::try_from(limit).unwrap_or_default();
    i64::try_from(random.next_u64() % (limit + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
