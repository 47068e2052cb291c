//! On which business date of a store something happened.

use std::fmt;

use chrono_tz::Tz;

use super::DateRange;
use super::zone::{self, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE};
use crate::{Instant, LocalDate};

/// A store's zones and day cut-overs, effective-dated by business date.
///
/// A business day begins when the store's clocks first show the cut-over time (midnight plus
/// `day_cutover_minutes`; a café that closes at 02:00 has 120) and lasts until the next day begins, so
/// every instant lies in exactly one day and dates never run backwards: not when clocks are set back
/// across the cut-over (the day that has begun goes on), not when a day has 23 or 25 hours, and not
/// when the store moves to another zone (the last day before a move ends when the first day of the new
/// zone begins).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreCalendar {
    /// Ascending; the first one reaches back without end.
    eras: Vec<Era>,
}

/// One zone and cut-over, from a business date on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Era {
    from: LocalDate,
    zone: Tz,
    cutover_minutes: i64,
}

/// What makes a store's calendar impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    #[error("{0:?} is no time zone: use an IANA name such as Europe/Berlin or Asia/Kolkata")]
    UnknownZone(String),
    #[error("day cut-over of {0} minutes is out of range: use 0 to 1439 minutes after midnight")]
    CutoverOutOfRange(i32),
    #[error("a change of zone on {later} must come after the one on {earlier}")]
    ChangesOutOfOrder { earlier: LocalDate, later: LocalDate },
}

impl StoreCalendar {
    /// A store that has always been in `zone` (an IANA name).
    pub fn new(zone: &str, day_cutover_minutes: i32) -> Result<Self, CalendarError> {
        Ok(Self { eras: vec![Era::new(LocalDate(i32::MIN), zone, day_cutover_minutes)?] })
    }

    /// UTC days.
    pub fn utc() -> Self {
        Self { eras: vec![Era { from: LocalDate(i32::MIN), zone: Tz::UTC, cutover_minutes: 0 }] }
    }

    /// The same store, in another zone or with another cut-over from business date `from` on.
    pub fn with_change(
        mut self,
        from: LocalDate,
        zone: &str,
        day_cutover_minutes: i32,
    ) -> Result<Self, CalendarError> {
        let era = Era::new(from, zone, day_cutover_minutes)?;
        if let Some(last) = self.eras.last().filter(|last| last.from >= from) {
            return Err(CalendarError::ChangesOutOfOrder { earlier: last.from, later: from });
        }
        self.eras.push(era);
        Ok(self)
    }

    /// The business date on which an instant falls.
    pub fn business_date(&self, at: Instant) -> LocalDate {
        let at = zone::within_supported(at);
        let mut last_date = LocalDate(i32::MAX);
        for era in self.eras.iter().rev() {
            if era.from == LocalDate(i32::MIN) || at >= era.day_start(era.from) {
                return era.date_of(at).min(last_date);
            }
            last_date = era.from.plus_days(-1);
        }
        last_date
    }

    /// The first instant of a business date; where clocks skipped the whole day, of the next one.
    pub fn day_start(&self, date: LocalDate) -> Instant {
        let index = self.eras.iter().rposition(|era| era.from <= date).unwrap_or_default();
        let start = self.eras[index].day_start(date);
        match self.eras.get(index + 1) {
            Some(next) => start.min(next.day_start(next.from)),
            None => start,
        }
    }

    /// The instants of a range of business dates: from the first, before the second.
    pub fn instants(&self, range: DateRange) -> (Instant, Instant) {
        (self.day_start(range.from), self.day_start(range.until))
    }

    /// The instant at which the store's clocks showed `local` (microseconds since
    /// 1970-01-01T00:00:00 without a zone). A moment that showed twice is its first showing; one that
    /// clocks skipped is moved behind the jump by as much as it lies inside it (02:30 becomes 03:30).
    pub fn resolve_local(&self, local: i64) -> Instant {
        let era = self.eras.iter().rev().find(|era| era.from <= era.date_shown(local));
        zone::resolve(era.unwrap_or(&self.eras[0]).zone, local)
    }

    /// What the store's clocks show at an instant (microseconds without a zone): for people to read.
    pub fn local_micros(&self, at: Instant) -> i64 {
        zone::local_micros(self.era_at(at).zone, at)
    }

    /// When the clock hour began in which an instant lies: in Asia/Kolkata that is half past in UTC.
    pub fn hour_start(&self, at: Instant) -> Instant {
        Instant(at.0.saturating_sub(self.local_micros(at).rem_euclid(MICROS_PER_HOUR)))
    }

    /// The IANA name of the zone in force on a business date.
    pub fn zone_name(&self, date: LocalDate) -> &'static str {
        let index = self.eras.iter().rposition(|era| era.from <= date).unwrap_or_default();
        self.eras[index].zone.name()
    }

    fn era_at(&self, at: Instant) -> &Era {
        let started = |era: &&Era| era.from == LocalDate(i32::MIN) || at >= era.day_start(era.from);
        self.eras.iter().rev().find(started).unwrap_or(&self.eras[0])
    }
}

impl Era {
    fn new(from: LocalDate, zone: &str, cutover_minutes: i32) -> Result<Self, CalendarError> {
        let zone = zone.parse().map_err(|_| CalendarError::UnknownZone(zone.chars().take(60).collect()))?;
        if !(0..1_440).contains(&cutover_minutes) {
            return Err(CalendarError::CutoverOutOfRange(cutover_minutes));
        }
        Ok(Self { from, zone, cutover_minutes: cutover_minutes.into() })
    }

    fn day_start(&self, date: LocalDate) -> Instant {
        let midnight = i64::from(date.0).saturating_mul(MICROS_PER_DAY);
        zone::first_instant(self.zone, midnight.saturating_add(self.cutover_minutes * MICROS_PER_MINUTE))
    }

    /// The date that clocks and cut-over show, before asking when that day began.
    fn date_shown(&self, local: i64) -> LocalDate {
        let since_cutover = local.saturating_sub(self.cutover_minutes * MICROS_PER_MINUTE);
        LocalDate(since_cutover.div_euclid(MICROS_PER_DAY) as i32)
    }

    fn date_of(&self, at: Instant) -> LocalDate {
        let mut date = self.date_shown(zone::local_micros(self.zone, at));
        // What clocks show has begun; where they were set back, a later day may have begun before.
        while self.day_start(date.plus_days(1)) <= at {
            date = date.plus_days(1);
        }
        date
    }
}

impl fmt::Debug for Era {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} +{} min from day {}", self.zone.name(), self.cutover_minutes, self.from.0)
    }
}
