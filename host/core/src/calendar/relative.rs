//! Ranges relative to today, and the period that a range is compared with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{DateRange, Grain, TenantCalendar};
use crate::LocalDate;

/// A range that moves with today. Stored and spoken as text: `last_30_days`, `month_to_date`, ….
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RelativeRange {
    Today,
    Yesterday,
    /// That many days, today being the last.
    LastDays(u32),
    /// The whole bucket that holds today, its future days included.
    This(Grain),
    /// The whole bucket before that.
    Previous(Grain),
    /// The bucket that holds today, up to and including today.
    ToDate(Grain),
}

/// The text names no relative range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no range: use today, yesterday, last_30_days, this_month, previous_month, month_to_date \
     (or week, quarter, year)"
)]
pub struct UnknownRange(pub String);

/// Longest `last_N_days`: some two hundred and seventy years.
const MAX_LAST_DAYS: u32 = 99_999;

impl RelativeRange {
    /// The days it means when today is `today`.
    pub fn resolve(self, today: LocalDate, calendar: &TenantCalendar) -> DateRange {
        match self {
            Self::Today => DateRange::day(today),
            Self::Yesterday => DateRange::day(today.plus_days(-1)),
            Self::LastDays(days) => {
                let days = i32::try_from(days.clamp(1, MAX_LAST_DAYS)).unwrap_or(1);
                DateRange { from: today.plus_days(1 - days), until: today.plus_days(1) }
            }
            Self::This(grain) => calendar.bucket(grain, today),
            Self::Previous(grain) => {
                calendar.bucket(grain, calendar.bucket_start(grain, today).plus_days(-1))
            }
            Self::ToDate(grain) => {
                DateRange { from: calendar.bucket_start(grain, today), until: today.plus_days(1) }
            }
        }
    }
}

impl fmt::Display for RelativeRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Today => formatter.write_str("today"),
            Self::Yesterday => formatter.write_str("yesterday"),
            Self::LastDays(days) => write!(formatter, "last_{days}_days"),
            Self::This(grain) => write!(formatter, "this_{grain}"),
            Self::Previous(grain) => write!(formatter, "previous_{grain}"),
            Self::ToDate(grain) => write!(formatter, "{grain}_to_date"),
        }
    }
}

impl FromStr for RelativeRange {
    type Err = UnknownRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownRange(text.chars().take(40).collect());
        let grain = |name: &str| match name.parse() {
            Ok(grain @ (Grain::Week | Grain::Month | Grain::Quarter | Grain::Year)) => Ok(grain),
            _ => Err(unknown()),
        };
        if text == "today" {
            Ok(Self::Today)
        } else if text == "yesterday" {
            Ok(Self::Yesterday)
        } else if let Some(days) = text.strip_prefix("last_").and_then(|rest| rest.strip_suffix("_days")) {
            match days.parse() {
                Ok(days @ 1..=MAX_LAST_DAYS) => Ok(Self::LastDays(days)),
                _ => Err(unknown()),
            }
        } else if let Some(name) = text.strip_prefix("this_") {
            grain(name).map(Self::This)
        } else if let Some(name) = text.strip_prefix("previous_") {
            grain(name).map(Self::Previous)
        } else if let Some(name) = text.strip_suffix("_to_date") {
            grain(name).map(Self::ToDate)
        } else {
            Err(unknown())
        }
    }
}

impl From<RelativeRange> for String {
    fn from(range: RelativeRange) -> Self {
        range.to_string()
    }
}

impl TryFrom<String> for RelativeRange {
    type Error = UnknownRange;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// What a range is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// As many days just before; for whole calendar months, as many whole months just before.
    PreviousPeriod,
    /// The same dates a year earlier; 29 February becomes 28 February.
    PreviousYear,
    /// 52 weeks earlier: every day meets a day of the same name.
    PreviousYearByWeekday,
}

impl Comparison {
    /// The range to compare `range` with. An empty range gives an empty one.
    pub fn range(self, range: DateRange) -> DateRange {
        let Some(last) = range.last() else { return range };
        match self {
            Self::PreviousPeriod => match whole_months(range) {
                Some(months) => DateRange { from: range.from.plus_months(-months), until: range.from },
                None => {
                    let days = i32::try_from(range.days()).unwrap_or(i32::MAX);
                    DateRange { from: range.from.plus_days(-days), until: range.from }
                }
            },
            Self::PreviousYear => {
                DateRange { from: range.from.plus_months(-12), until: last.plus_months(-12).plus_days(1) }
            }
            Self::PreviousYearByWeekday => {
                DateRange { from: range.from.plus_days(-364), until: range.until.plus_days(-364) }
            }
        }
    }
}

/// How many whole calendar months a range is made of, if it is.
fn whole_months(range: DateRange) -> Option<i32> {
    let aligned = range.from.day() == 1 && range.until.day() == 1;
    let months = (range.until.year() - range.from.year()) * 12 + range.until.month() as i32
        - range.from.month() as i32;
    (aligned && months > 0).then_some(months)
}
