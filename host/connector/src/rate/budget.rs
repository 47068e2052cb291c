//! One budget: a bucket that refills, that believes what the channel says, and that halves itself when the channel
//! refuses what the documents allow.

use portolan_core::{Duration, Instant};
use serde::{Deserialize, Serialize};

use crate::RateBucket;

/// How far above the documented capacity a channel's own word may fill a budget: some plans grant more than the
/// documents say, and one that says nonsense must not open the floodgates.
const HIGHEST_LEARNT: f64 = 4.0;
/// A budget never gets smaller than this share of what is documented.
const SMALLEST_SHARE: f64 = 1.0 / 64.0;
/// What a budget gets back of its share each time…
const GROWTH: f64 = 1.0 / 16.0;
/// …when so long nobody was refused.
const GROWS_EVERY: Duration = Duration::from_secs(30);
/// Requests that were in flight together are refused together: that is one refusal.
const ONE_REFUSAL: Duration = Duration::from_secs(1);
/// What a channel asks for beyond this is a mistake.
const LONGEST_REST: Duration = Duration::from_hours(24);
/// A state from further ahead than this was written by a clock that was wrong.
const SKEW: Duration = Duration::from_secs(10);
/// Rounding of sums of fractions.
const EPSILON: f64 = 1e-6;

/// What the documents say: a manifest's rate bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    pub capacity: f64,
    pub refill_per_second: f64,
}

impl From<&RateBucket> for RateLimit {
    fn from(bucket: &RateBucket) -> Self {
        Self { capacity: bucket.capacity, refill_per_second: bucket.refill_per_second }
    }
}

/// What a channel said about its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The plugin understood it: so many tokens are left, and in so many milliseconds it is full. Believed, up to
    /// [`HIGHEST_LEARNT`] times what is documented.
    Left { remaining: u32, reset_ms: u64 },
    /// Read from a header that may mean another quota: it lowers a budget and never raises it.
    AtMost { remaining: u32, reset_ms: u64 },
}

/// What is left of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Below zero after a request that cost more than the whole holds.
    tokens: f64,
    at: Instant,
    /// What is used of the documented limit: 1, or less after refusals.
    share: f64,
    /// When the share last changed.
    changed_at: Instant,
    refused_at: Option<Instant>,
    /// The channel asked for silence until then.
    rest_until: Option<Instant>,
}

impl Budget {
    pub fn full(limit: RateLimit, now: Instant) -> Self {
        Self {
            tokens: limit.capacity,
            at: now,
            share: 1.0,
            changed_at: now,
            refused_at: None,
            rest_until: None,
        }
    }

    /// Takes the tokens, if they are there. What costs more than the whole holds waits for a full budget, and the
    /// rest is a debt that those after it wait for.
    ///
    /// Errors: milliseconds until they are there, if nobody else draws.
    pub fn draw(&mut self, limit: RateLimit, cost: f64, now: Instant) -> Result<(), u64> {
        self.refill(limit, now);
        let needed = cost.min(limit.capacity * self.share);
        let missing = (needed - self.tokens - EPSILON).max(0.0);
        let missing_ms = missing / (limit.refill_per_second * self.share) * 1_000.0;
        let rest_ms = self.rest_until.map_or(0, |until| (until.since(now).0.max(0) + 999) / 1_000);
        let wait_ms = missing_ms.ceil().max(rest_ms as f64);
        if wait_ms > 0.0 {
            return Err((wait_ms.min(LONGEST_REST.as_ms() as f64) as u64).max(1));
        }
        self.tokens -= cost;
        Ok(())
    }

    /// Takes back what was drawn and not used.
    pub fn give_back(&mut self, limit: RateLimit, tokens: f64, now: Instant) {
        self.refill(limit, now);
        let most = self.tokens.max(limit.capacity * self.share);
        self.tokens = (self.tokens + tokens.max(0.0)).min(most);
    }

    /// The channel meters and the documents only guess, so it is believed.
    pub fn observe(&mut self, limit: RateLimit, told: Told, now: Instant) {
        self.refill(limit, now);
        let (remaining, reset_ms) = match told {
            Told::Left { remaining, reset_ms } => {
                self.tokens = f64::from(remaining).min(limit.capacity * self.share * HIGHEST_LEARNT);
                (remaining, reset_ms)
            }
            Told::AtMost { remaining, reset_ms } => {
                self.tokens = self.tokens.min(f64::from(remaining));
                (remaining, reset_ms)
            }
        };
        if remaining == 0 && reset_ms > 0 {
            self.rest(reset_ms, now);
        }
    }

    /// Too many in spite of the budget: strangers share the quota, or the documents are wrong. Half as many from now
    /// on, growing back slowly.
    pub fn refused(&mut self, limit: RateLimit, after_ms: Option<u64>, now: Instant) {
        self.refill(limit, now);
        self.tokens = self.tokens.min(0.0);
        if let Some(after_ms) = after_ms {
            self.rest(after_ms, now);
        }
        if self.refused_at.is_some_and(|at| now.since(at).0.abs() < ONE_REFUSAL.0) {
            return;
        }
        self.share = (self.share / 2.0).max(SMALLEST_SHARE);
        self.changed_at = now;
        self.refused_at = Some(now);
    }

    /// Whether forgetting it changes nothing: a new one would be the same.
    pub fn is_as_new(mut self, limit: RateLimit, now: Instant) -> bool {
        self.refill(limit, now);
        let rests = self.rest_until.is_some_and(|until| until > now);
        self.share >= 1.0 && !rests && (self.tokens - limit.capacity).abs() < EPSILON
    }

    /// When it was last changed.
    pub fn at(&self) -> Instant {
        self.at
    }

    fn rest(&mut self, ms: u64, now: Instant) {
        let ms = i64::try_from(ms).unwrap_or(i64::MAX).min(LONGEST_REST.as_ms());
        let until = now + Duration::from_ms(ms);
        self.rest_until = Some(self.rest_until.map_or(until, |known| known.max(until)));
    }

    /// Brings it up to now. A clock that stands before the state's own is another worker's that lags: nothing flows
    /// in, until it has caught up.
    fn refill(&mut self, limit: RateLimit, now: Instant) {
        if self.at.since(now) > SKEW {
            // Nobody's clock is so far ahead: it would keep everybody waiting.
            (self.at, self.changed_at) = (now, now);
            self.rest_until = self.rest_until.map(|until| until.min(now + LONGEST_REST));
        }
        let elapsed = now.since(self.at).0.max(0);
        let refilled = elapsed as f64 / 1_000_000.0 * limit.refill_per_second * self.share;
        self.at = self.at.max(now);
        let quiet = now.since(self.changed_at).0.max(0);
        if self.share < 1.0 && quiet >= GROWS_EVERY.0 {
            let steps = quiet / GROWS_EVERY.0;
            self.share = (self.share + GROWTH * steps as f64).min(1.0);
            self.changed_at = self.changed_at + Duration(steps * GROWS_EVERY.0);
        }
        // What was observed above the capacity stays until it is spent, but nothing flows in on top.
        let most = self.tokens.max(limit.capacity * self.share);
        self.tokens = (self.tokens + refilled).min(most);
    }
}

#[cfg(test)]
mod tests;
