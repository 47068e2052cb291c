//! Instants as Shopify writes them: whole seconds in UTC. In this crate they are `i64` seconds.

use chrono::{DateTime, Datelike, NaiveDate, Offset, SecondsFormat, TimeZone, Timelike};
use chrono_tz::Tz;

pub const DAY: i64 = 86_400;
pub const HOUR: i64 = 3_600;

/// `2026-06-30T12:00:00Z`.
pub fn instant_text(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Reads an RFC 3339 instant or a date (midnight UTC). A fraction of a second rounds up, so that
/// `x >= bound` and `x < bound` mean the same for whole seconds.
pub fn parse_instant(text: &str) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp() + i64::from(instant.nanosecond() > 0));
    }
    let date = text.parse::<NaiveDate>().ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
}

/// Seconds to add to UTC for the clock on the wall.
pub fn offset_seconds(zone: Tz, seconds: i64) -> i64 {
    let utc = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}

/// Year and month of the wall clock, `2026-06`.
pub fn local_month(zone: Tz, seconds: i64) -> String {
    let local = DateTime::from_timestamp(seconds + offset_seconds(zone, seconds), 0).unwrap_or_default();
    format!("{:04}-{:02}", local.year(), local.month())
}

/// `2026-06-30 17:30:00` on the wall clock.
pub fn local_text(zone: Tz, seconds: i64) -> String {
    let local = DateTime::from_timestamp(seconds + offset_seconds(zone, seconds), 0).unwrap_or_default();
    local.format("%Y-%m-%d %H:%M:%S").to_string()
}
