//! How dates form weeks, months, quarters and years.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::DateRange;
use crate::LocalDate;

/// The width of a bucket of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// A clock hour of the store. Ledger dimensions are business dates, which know no hours: over
    /// dates it means a day ([`Grain::on_dates`]); over instants see
    /// [`StoreCalendar::hour_start`](super::StoreCalendar::hour_start).
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// The text names no grain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no grain: use hour, day, week, month, quarter or year")]
pub struct UnknownGrain(pub String);

impl Grain {
    pub const ALL: [Self; 6] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The grain of a range for which nobody chose one: more than 365 days by month, more than 30 by
    /// day, else by hour (over business dates: by day).
    pub fn automatic(range: DateRange) -> Self {
        match range.days() {
            366.. => Self::Month,
            31..=365 => Self::Day,
            _ => Self::Hour,
        }
    }

    /// The finest grain that business dates can answer.
    pub const fn on_dates(self) -> Self {
        match self {
            Self::Hour => Self::Day,
            coarser => coarser,
        }
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Grain {
    type Err = UnknownGrain;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|grain| grain.as_str() == text);
        named.ok_or_else(|| UnknownGrain(text.chars().take(40).collect()))
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    #[default]
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// The text names no day of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no day of the week: use monday to sunday")]
pub struct UnknownWeekday(pub String);

impl Weekday {
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// Monday is 0.
    pub const fn index(self) -> i32 {
        self as i32
    }
}

impl FromStr for Weekday {
    type Err = UnknownWeekday;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|day| day.as_str() == text);
        named.ok_or_else(|| UnknownWeekday(text.chars().take(40).collect()))
    }
}

/// How a tenant counts weeks and fiscal years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TenantCalendar {
    pub week_start: Weekday,
    /// 1 to 12; quarters and years begin with it. 1 is the calendar year.
    fiscal_start_month: u8,
}

/// No month has this number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fiscal year cannot start in month {0}: use 1 to 12")]
pub struct InvalidFiscalMonth(pub i64);

/// One bucket of a grain, as far as it lies in the range that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// First day of the whole bucket: its key. May lie before the range.
    pub start: LocalDate,
    /// The days of the range inside this bucket.
    pub range: DateRange,
    /// Whether the range holds every day of the bucket.
    pub complete: bool,
}

impl Default for TenantCalendar {
    fn default() -> Self {
        Self { week_start: Weekday::Monday, fiscal_start_month: 1 }
    }
}

impl TenantCalendar {
    pub fn new(week_start: Weekday, fiscal_start_month: i64) -> Result<Self, InvalidFiscalMonth> {
        match u8::try_from(fiscal_start_month) {
            Ok(month @ 1..=12) => Ok(Self { week_start, fiscal_start_month: month }),
            _ => Err(InvalidFiscalMonth(fiscal_start_month)),
        }
    }

    pub const fn fiscal_start_month(&self) -> u8 {
        self.fiscal_start_month
    }

    /// The first day of the bucket that holds `date`.
    pub fn bucket_start(&self, grain: Grain, date: LocalDate) -> LocalDate {
        let month_start = date.plus_days(1 - date.day() as i32);
        let months_into_year = (date.month() as i32 - i32::from(self.fiscal_start_month)).rem_euclid(12);
        match grain.on_dates() {
            Grain::Hour | Grain::Day => date,
            Grain::Week => {
                let days_into_week = (date.weekday().index() - self.week_start.index()).rem_euclid(7);
                date.plus_days(-days_into_week)
            }
            Grain::Month => month_start,
            Grain::Quarter => month_start.plus_months(-(months_into_year % 3)),
            Grain::Year => month_start.plus_months(-months_into_year),
        }
    }

    /// The first day of the bucket after the one that holds `date`.
    pub fn next_bucket(&self, grain: Grain, date: LocalDate) -> LocalDate {
        let start = self.bucket_start(grain, date);
        match grain.on_dates() {
            Grain::Hour | Grain::Day => start.plus_days(1),
            Grain::Week => start.plus_days(7),
            Grain::Month => start.plus_months(1),
            Grain::Quarter => start.plus_months(3),
            Grain::Year => start.plus_months(12),
        }
    }

    /// The first day of the bucket before the one that holds `date`.
    pub fn previous_bucket(&self, grain: Grain, date: LocalDate) -> LocalDate {
        self.bucket_start(grain, self.bucket_start(grain, date).plus_days(-1))
    }

    /// The whole bucket that holds `date`.
    pub fn bucket(&self, grain: Grain, date: LocalDate) -> DateRange {
        DateRange { from: self.bucket_start(grain, date), until: self.next_bucket(grain, date) }
    }

    /// The buckets of a range, oldest first; their parts of the range tile it.
    pub fn buckets(&self, grain: Grain, range: DateRange) -> impl Iterator<Item = Bucket> + use<> {
        let calendar = *self;
        let mut from = range.from;
        std::iter::from_fn(move || {
            if from >= range.until {
                return None;
            }
            let whole = calendar.bucket(grain, from);
            let part = DateRange { from, until: whole.until.min(range.until) };
            from = whole.until;
            Some(Bucket { start: whole.from, range: part, complete: part == whole })
        })
    }
}
