//! "What did we report on that day": the ledger only grows, so what was reported is what was recorded by then.

use std::fmt;

use portolan_core::calendar::{DateRange, StoreCalendar};
use portolan_core::{Instant, LocalDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment as of which a question is answered: RFC 3339, or `YYYY-MM-DD` for the end of that day in the tenant's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AsOf {
    Day(LocalDate),
    Moment(Instant),
}

impl AsOf {
    /// `None` where the text is neither a date nor a moment.
    pub fn parse(text: &str) -> Option<Self> {
        LocalDate::parse(text).map(Self::Day).or_else(|| Instant::parse_rfc3339(text).map(Self::Moment))
    }

    /// The last moment that counts.
    pub fn moment(self, zone: &StoreCalendar) -> Instant {
        match self {
            Self::Moment(moment) => moment,
            Self::Day(day) => {
                let (_, next) = zone.instants(DateRange::day(day));
                Instant(next.0 - 1)
            }
        }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(formatter),
            Self::Moment(moment) => formatter.write_str(&moment.to_rfc3339()),
        }
    }
}

impl Serialize for AsOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AsOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no moment: write it as YYYY-MM-DD, or as 2026-03-01T12:00:00Z"
            ))
        })
    }
}
