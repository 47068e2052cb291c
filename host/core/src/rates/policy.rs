//! Which of the known rates is a day's rate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which of the known rates is a day's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatePolicy {
    /// The day's own, or the newest of the week before it: banks rest on weekends and holidays.
    #[default]
    EventDate,
    /// The mean of all that is known of the day's month.
    MonthAverage,
    /// One for all days: the newest that is known.
    Fixed,
}

/// No policy has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rate policy: use event_date, month_average or fixed")]
pub struct UnknownRatePolicy(pub String);

impl RatePolicy {
    pub const ALL: [Self; 3] = [Self::EventDate, Self::MonthAverage, Self::Fixed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventDate => "event_date",
            Self::MonthAverage => "month_average",
            Self::Fixed => "fixed",
        }
    }
}

impl fmt::Display for RatePolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for RatePolicy {
    type Err = UnknownRatePolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        found.ok_or_else(|| UnknownRatePolicy(text.chars().take(40).collect()))
    }
}
