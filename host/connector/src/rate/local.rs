//! Budgets of one process: where it is the only one, as on SQLite.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use portolan_core::{Clock, Duration, Instant};

use super::{Budget, Holder, RateBudgets, RateLimit, Told};

/// Holders that are remembered at once.
const MOST_HOLDERS: usize = 10_000;
/// How often those are looked for that can be forgotten.
const SWEEP_EVERY: Duration = Duration::from_minutes(1);

/// All budgets of the process.
pub struct LocalBudgets {
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    budgets: HashMap<Holder, (RateLimit, Budget)>,
    swept_at: Instant,
}

impl LocalBudgets {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Mutex::default() }
    }

    /// How many holders are remembered.
    pub fn holders(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).budgets.len()
    }

    fn change<T>(
        &self,
        holder: &Holder,
        limit: RateLimit,
        change: impl FnOnce(&mut Budget, Instant) -> T,
    ) -> T {
        // Of the process alone, so it may count from its own start and never goes back.
        let now = Instant(self.clock.monotonic().0);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.make_room(holder, now);
        let (stored, budget) =
            known.budgets.entry(holder.clone()).or_insert_with(|| (limit, Budget::full(limit, now)));
        *stored = limit;
        change(budget, now)
    }
}

impl Known {
    /// Forgets whom it changes nothing to forget; where that is not enough, who has been silent longest.
    fn make_room(&mut self, wanted: &Holder, now: Instant) {
        let full = self.budgets.len() >= MOST_HOLDERS && !self.budgets.contains_key(wanted);
        if !full && now.since(self.swept_at) < SWEEP_EVERY {
            return;
        }
        self.swept_at = now;
        self.budgets.retain(|_, (limit, budget)| !budget.is_as_new(*limit, now));
        while self.budgets.len() >= MOST_HOLDERS {
            let oldest = self.budgets.iter().min_by_key(|(_, (_, budget))| budget.at());
            let Some(oldest) = oldest.map(|(holder, _)| holder.clone()) else { return };
            self.budgets.remove(&oldest);
        }
    }
}

#[async_trait]
impl RateBudgets for LocalBudgets {
    async fn draw(&self, holder: &Holder, limit: RateLimit, cost: u32) -> Result<(), u64> {
        self.change(holder, limit, |budget, now| budget.draw(limit, f64::from(cost.max(1)), now))
    }

    fn observe(&self, holder: &Holder, limit: RateLimit, told: Told) {
        self.change(holder, limit, |budget, now| budget.observe(limit, told, now));
    }

    async fn refused(&self, holder: &Holder, limit: RateLimit, after_ms: Option<u64>) {
        self.change(holder, limit, |budget, now| budget.refused(limit, after_ms, now));
    }
}

#[cfg(test)]
mod tests;
