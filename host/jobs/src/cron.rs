//! When something is due: a cron expression in a time zone.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use portolan_core::Instant;

/// A checked cron expression (minute, hour, day, month, weekday) in an IANA zone.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    cron: Cron,
    zone: Tz,
}

/// Why a schedule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    #[error(
        "{text:?} is no cron expression ({reason}): write minute, hour, day, month, weekday, as in \"0 */6 * * *\""
    )]
    Cron { text: String, reason: String },
    #[error("{0:?} is no time zone: use a name such as Europe/Lisbon")]
    Zone(String),
    #[error("{0:?} never comes: check day and month")]
    Never(String),
}

impl CronSchedule {
    pub fn parse(cron: &str, time_zone: &str) -> Result<Self, InvalidSchedule> {
        let zone = Tz::from_str(time_zone).map_err(|_| InvalidSchedule::Zone(time_zone.to_owned()))?;
        let parsed = Cron::from_str(cron)
            .map_err(|error| InvalidSchedule::Cron { text: cron.to_owned(), reason: error.to_string() })?;
        let schedule = Self { cron: parsed, zone };
        // A day that no year has (30 February) is found here, not at the first firing.
        match schedule.next_after(Instant(0)) {
            Some(_) => Ok(schedule),
            None => Err(InvalidSchedule::Never(cron.to_owned())),
        }
    }

    /// The first due moment after this one; `None` when there is none any more.
    pub fn next_after(&self, instant: Instant) -> Option<Instant> {
        let local: DateTime<Tz> = instant.to_utc().with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&local, false).ok()?;
        Some(Instant(next.with_timezone(&Utc).timestamp_micros()))
    }
}

#[cfg(test)]
mod tests;
