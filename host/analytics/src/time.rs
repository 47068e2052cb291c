//! How a question says its grain; the calendar itself is `portolan_core`'s.

use portolan_core::calendar::{DateRange, Grain};
use serde::{Deserialize, Serialize};

/// The longest range, in periods, that one question may ask for.
pub const MAX_PERIODS: usize = 4_000;

/// A grain, or the choice left to the range. The ledger knows business dates, not hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrainChoice {
    /// Months beyond 365 days, else days.
    Auto,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl GrainChoice {
    pub fn resolve(self, range: DateRange) -> Grain {
        match self {
            Self::Auto => Grain::automatic(range).on_dates(),
            Self::Day => Grain::Day,
            Self::Week => Grain::Week,
            Self::Month => Grain::Month,
            Self::Quarter => Grain::Quarter,
            Self::Year => Grain::Year,
        }
    }
}
