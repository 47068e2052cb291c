//! What was said of currencies on days, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rate, RatePolicy};
use crate::{Currency, LocalDate};

/// How old a rate may be to stand for a day that has none.
const OLDEST_DAYS: i32 = 7;

/// What somebody said on a day: one `base` is so many `quote`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedRate {
    pub day: LocalDate,
    pub base: Currency,
    pub quote: Currency,
    pub rate: Rate,
}

/// Known rates under a policy.
///
/// A pair's rate is what was said of it; else the inverse of what was said the other way round; else what follows by way
/// of one third currency, the first in alphabetical order that serves on that day. So the same facts give the same rate,
/// in whatever order they came.
#[derive(Debug, Clone, Default)]
pub struct RateTable {
    policy: RatePolicy,
    said: BTreeMap<(Currency, Currency), BTreeMap<LocalDate, Rate>>,
    /// Currencies that rates name.
    known: BTreeSet<Currency>,
}

impl RateTable {
    /// Of two rates of one pair and day the later in `rates` counts.
    pub fn new(policy: RatePolicy, rates: impl IntoIterator<Item = DatedRate>) -> Self {
        let mut table = Self { policy, ..Self::default() };
        for DatedRate { day, base, quote, rate } in rates {
            if base != quote {
                table.said.entry((base, quote)).or_default().insert(day, rate);
                table.known.extend([base, quote]);
            }
        }
        table
    }

    pub fn policy(&self) -> RatePolicy {
        self.policy
    }

    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// The rate of a day; `None` where none is known that may stand for it.
    pub fn rate(&self, from: Currency, to: Currency, day: LocalDate) -> Option<Rate> {
        if from == to {
            return Some(Rate::ONE);
        }
        if let Some(rate) = self.of_pair(from, to, day) {
            return Some(rate);
        }
        let mut ways = self.known.iter().filter(|way| **way != from && **way != to);
        ways.find_map(|way| self.of_pair(from, *way, day)?.then(self.of_pair(*way, to, day)?))
    }

    /// An amount at its day's rate, rounded; `None` where there is no rate, or it does not fit.
    pub fn convert(&self, amount_minor: i64, from: Currency, to: Currency, day: LocalDate) -> Option<i64> {
        self.rate(from, to, day)?.convert(amount_minor, from, to)
    }

    fn of_pair(&self, from: Currency, to: Currency, day: LocalDate) -> Option<Rate> {
        let said = |pair| self.said.get(&pair).and_then(|days| self.of_day(days, day));
        said((from, to)).or_else(|| said((to, from))?.inverse())
    }

    fn of_day(&self, days: &BTreeMap<LocalDate, Rate>, day: LocalDate) -> Option<Rate> {
        match self.policy {
            RatePolicy::EventDate => {
                let newest = days.range(day.plus_days(-OLDEST_DAYS)..=day).next_back();
                newest.map(|(_, rate)| *rate)
            }
            RatePolicy::MonthAverage => {
                let first = day.plus_days(1 - day.day() as i32);
                let month: Vec<Rate> =
                    days.range(first..first.plus_months(1)).map(|(_, rate)| *rate).collect();
                Rate::mean(&month)
            }
            RatePolicy::Fixed => days.last_key_value().map(|(_, rate)| *rate),
        }
    }
}
