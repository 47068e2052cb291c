//! Half-open ranges of dates.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::LocalDate;

/// Every day from `from` on and before `until`; empty when they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateRange {
    pub from: LocalDate,
    /// The first day that is no longer part of the range.
    pub until: LocalDate,
}

impl DateRange {
    /// `None` when `until` lies before `from`.
    pub fn new(from: LocalDate, until: LocalDate) -> Option<Self> {
        (from <= until).then_some(Self { from, until })
    }

    /// Both days are part of the range; `None` when `last` lies before `first`.
    pub fn inclusive(first: LocalDate, last: LocalDate) -> Option<Self> {
        (first <= last).then_some(Self { from: first, until: last.plus_days(1) })
    }

    pub const fn day(date: LocalDate) -> Self {
        Self { from: date, until: date.plus_days(1) }
    }

    /// Number of days.
    pub fn days(self) -> i64 {
        (i64::from(self.until.0) - i64::from(self.from.0)).max(0)
    }

    pub fn is_empty(self) -> bool {
        self.until <= self.from
    }

    pub fn contains(self, date: LocalDate) -> bool {
        self.from <= date && date < self.until
    }

    /// The last day of the range, as people write it; `None` when the range is empty.
    pub fn last(self) -> Option<LocalDate> {
        (!self.is_empty()).then(|| self.until.plus_days(-1))
    }

    /// The days that both ranges hold.
    pub fn overlap(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), until: self.until.min(other.until) };
        (!both.is_empty()).then_some(both)
    }

    /// Every day, oldest first.
    pub fn iter(self) -> impl Iterator<Item = LocalDate> {
        (self.from.0..self.until.0).map(LocalDate)
    }
}

/// `2026-01-01 to 2026-01-31`, with the last day as people write it.
impl fmt::Display for DateRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last() {
            Some(last) => write!(formatter, "{} to {last}", self.from),
            None => write!(formatter, "no day from {}", self.from),
        }
    }
}
