//! Rate buckets: one budget per quota holder, shared by every call in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portolan_connector::{BucketScope, RateBucket};
use portolan_core::{Clock, ConnectionId};

use super::account::Account;

/// Who draws.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    pub plugin_id: &'a str,
    pub account: Account,
    pub connection: ConnectionId,
}

/// Whose quota it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Holder {
    plugin_id: String,
    bucket: String,
    share: Share,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Share {
    Connection(ConnectionId),
    Account(Account),
    Plugin,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    tokens: f64,
    at_us: i64,
}

/// All buckets of the process.
pub struct Buckets {
    levels: Mutex<HashMap<Holder, Level>>,
    clock: Arc<dyn Clock>,
}

impl Buckets {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { levels: Mutex::default(), clock }
    }

    /// Draws tokens.
    ///
    /// Errors: milliseconds until the bucket holds enough.
    pub fn draw(&self, caller: Caller<'_>, bucket: &RateBucket, cost: u32) -> Result<(), u64> {
        let cost = f64::from(cost.max(1)).min(bucket.capacity);
        let mut levels = self.levels();
        let level = self.refilled(&mut levels, caller, bucket);
        if level.tokens >= cost {
            level.tokens -= cost;
            return Ok(());
        }
        let missing = cost - level.tokens;
        Err((missing / bucket.refill_per_second * 1_000.0).ceil().clamp(1.0, 86_400_000.0) as u64)
    }

    /// The channel said how much is left. It meters and the manifest only guesses, so it is believed,
    /// also where it grants more than the manifest hoped for.
    pub fn observe(&self, caller: Caller<'_>, bucket: &RateBucket, remaining: u32) {
        let mut levels = self.levels();
        let level = self.refilled(&mut levels, caller, bucket);
        level.tokens = f64::from(remaining);
    }

    fn refilled<'a>(
        &self,
        levels: &'a mut HashMap<Holder, Level>,
        caller: Caller<'_>,
        bucket: &RateBucket,
    ) -> &'a mut Level {
        let now_us = self.clock.monotonic().0;
        let share = match bucket.scope {
            BucketScope::Connection => Share::Connection(caller.connection),
            BucketScope::Account => Share::Account(caller.account),
            BucketScope::Plugin => Share::Plugin,
        };
        let holder = Holder { plugin_id: caller.plugin_id.to_owned(), bucket: bucket.id.clone(), share };
        let level = levels.entry(holder).or_insert(Level { tokens: bucket.capacity, at_us: now_us });
        let elapsed_s = (now_us - level.at_us).max(0) as f64 / 1_000_000.0;
        // What was observed above the capacity stays until it is spent, but nothing flows in on top.
        let refilled = level.tokens + elapsed_s * bucket.refill_per_second;
        level.tokens = refilled.min(level.tokens.max(bucket.capacity));
        level.at_us = now_us;
        level
    }

    fn levels(&self) -> MutexGuard<'_, HashMap<Holder, Level>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
