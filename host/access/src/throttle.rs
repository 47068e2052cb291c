//! Slows guessing down: after a few failures a name rests, longer each time.
//!
//! Counted in this process and forgotten with it; a name that was never heard of is counted like any other,
//! so resting tells nobody whether an account exists.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use portolan_core::{Duration, Instant};

/// Failures before a name rests.
const FREE: u32 = 5;
const LONGEST_REST: Duration = Duration::from_minutes(5);
/// After this long without a failure a name starts anew.
const FORGET_AFTER: Duration = Duration::from_minutes(15);
/// Names remembered at once; beyond it those that failed least are forgotten.
const MOST_NAMES: usize = 10_000;

#[derive(Default)]
pub(crate) struct Throttle {
    names: Mutex<HashMap<String, Failures>>,
}

struct Failures {
    count: u32,
    last_at: Instant,
}

impl Failures {
    /// 1 s after the fifth failure, then twice as long each time.
    fn rests_until(&self) -> Instant {
        match self.count.checked_sub(FREE) {
            None => self.last_at,
            Some(over) => self.last_at + Duration::from_secs(1 << over.min(20)).min(LONGEST_REST),
        }
    }
}

impl Throttle {
    /// Whether the name may be tried now.
    pub fn admits(&self, name: &str, now: Instant) -> bool {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(name).is_none_or(|failures| failures.rests_until() <= now)
    }

    pub fn failed(&self, name: &str, now: Instant) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST_NAMES {
            names.retain(|_, failures| now.since(failures.last_at) < FORGET_AFTER);
        }
        if names.len() >= MOST_NAMES {
            // Names that failed least go first: a flood of new names must not free one that rests.
            let least = names.iter().min_by_key(|(_, failures)| (failures.count, failures.last_at));
            let least = least.map(|(name, _)| name.clone());
            least.and_then(|least| names.remove(&least));
        }
        let failures = names.entry(name.to_owned()).or_insert(Failures { count: 0, last_at: now });
        if now.since(failures.last_at) >= FORGET_AFTER {
            failures.count = 0;
        }
        failures.count += 1;
        failures.last_at = now;
    }

    pub fn succeeded(&self, name: &str) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests;
