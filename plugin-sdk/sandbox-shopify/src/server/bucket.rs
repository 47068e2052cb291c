//! The leaky bucket of query cost that Shopify keeps per shop and app.

use serde_json::{Value, json};

use super::sandbox::ThrottlePlan;

/// Points that refill over time.
#[derive(Debug, Clone)]
pub struct Bucket {
    plan: ThrottlePlan,
    /// Thousandths of a point, so that a slow refill is not lost to rounding.
    available_milli: u64,
    refilled_at_ms: u64,
}

impl Bucket {
    pub fn new(plan: ThrottlePlan) -> Self {
        Self { plan, available_milli: plan.maximum_available * 1_000, refilled_at_ms: 0 }
    }

    /// Takes points if they are there.
    pub fn draw(&mut self, points: u64, now_ms: u64) -> bool {
        let passed_ms = now_ms.saturating_sub(self.refilled_at_ms);
        self.refilled_at_ms = now_ms;
        self.give_back_milli(passed_ms.saturating_mul(self.plan.restore_rate));
        let enough = self.available_milli >= points * 1_000;
        if enough {
            self.available_milli -= points * 1_000;
        }
        enough
    }

    /// Returns what a query was charged and did not use.
    pub fn give_back(&mut self, points: u64) {
        self.give_back_milli(points * 1_000);
    }

    fn give_back_milli(&mut self, milli: u64) {
        self.available_milli =
            self.available_milli.saturating_add(milli).min(self.plan.maximum_available * 1_000);
    }

    /// `throttleStatus` of an answer.
    pub fn status(&self) -> Value {
        json!({
            "maximumAvailable": self.plan.maximum_available,
            "currentlyAvailable": self.available_milli / 1_000,
            "restoreRate": self.plan.restore_rate,
        })
    }
}
