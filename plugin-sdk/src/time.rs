//! Moments and dates as channels spell them.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::error::BadValue;
use crate::money::shortened;
use crate::{Instant, LocalDate, Moment};

/// An exact instant: RFC 3339, also with `+0000` for an offset or a space for the `T`. Digits
/// beyond the microsecond are cut off.
pub fn instant(text: &str) -> Result<Instant, BadValue> {
    match utc_instant(text.as_bytes()) {
        Some(instant) => Ok(instant),
        None => any_instant(text),
    }
}

/// The spelling of most APIs, `2026-01-31T08:30:00Z`, with nothing more and nothing less: records are
/// full of them.
fn utc_instant(text: &[u8]) -> Option<Instant> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', rest @ ..] = text else { return None };
    let [h1, h2, b':', n1, n2, b':', s1, s2, b'Z'] = rest else { return None };
    let number = |digits: &[&u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(**digit - b'0'))
        })
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    Some((i64::from(date.to_epoch_days()) * 86_400 + seconds) * 1_000_000)
}

fn any_instant(text: &str) -> Result<Instant, BadValue> {
    let trimmed = text.trim();
    DateTime::parse_from_rfc3339(trimmed)
        .or_else(|_| DateTime::parse_from_str(trimmed, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(trimmed, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(trimmed, "%Y-%m-%d %H:%M:%S%.f %#z"))
        .map(|moment| moment.timestamp_micros())
        .map_err(|_| BadValue::new(format!("{:?} is not a date and time with an offset", shortened(text))))
}

/// A moment: an instant where the text says its offset, else the time of a clock without a zone,
/// which the host resolves in the store's zone.
pub fn moment(text: &str) -> Result<Moment, BadValue> {
    let trimmed = text.trim();
    if let Ok(instant) = instant(trimmed) {
        return Ok(Moment::At(instant));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(trimmed, format).ok())
        .map(|clock| Moment::Local(clock.and_utc().timestamp_micros()))
        .ok_or_else(|| BadValue::new(format!("{:?} is not a date and time", shortened(text))))
}

/// A date, `2026-01-31`, as days since 1970-01-01: never a midnight of some zone.
pub fn local_date(text: &str) -> Result<LocalDate, BadValue> {
    local_date_by(text, "%Y-%m-%d")
}

/// A date by a format of strftime: `%d.%m.%Y`.
pub fn local_date_by(text: &str, format: &str) -> Result<LocalDate, BadValue> {
    let date = NaiveDate::parse_from_str(text.trim(), format)
        .map_err(|_| BadValue::new(format!("{:?} is not a date like {format}", shortened(text))))?;
    Ok(date.to_epoch_days())
}

/// A clock without a zone by a format of strftime, as microseconds; a format without a time of day
/// gives midnight.
pub fn local_by(text: &str, format: &str) -> Result<i64, BadValue> {
    let trimmed = text.trim();
    if let Ok(clock) = NaiveDateTime::parse_from_str(trimmed, format) {
        return Ok(clock.and_utc().timestamp_micros());
    }
    let days = local_date_by(trimmed, format)?;
    Ok(i64::from(days) * 86_400_000_000)
}

/// An instant by a format of strftime that has an offset (`%z`).
pub fn instant_by(text: &str, format: &str) -> Result<Instant, BadValue> {
    DateTime::parse_from_str(text.trim(), format)
        .map(|moment| moment.timestamp_micros())
        .map_err(|_| BadValue::new(format!("{:?} is not a date and time like {format}", shortened(text))))
}

/// Seconds since 1970 as an instant.
pub fn from_epoch_seconds(seconds: i64) -> Result<Instant, BadValue> {
    seconds
        .checked_mul(1_000_000)
        .ok_or_else(|| BadValue::new(format!("{seconds} is not a moment in seconds")))
}

/// Milliseconds since 1970 as an instant.
pub fn from_epoch_ms(milliseconds: i64) -> Result<Instant, BadValue> {
    milliseconds
        .checked_mul(1_000)
        .ok_or_else(|| BadValue::new(format!("{milliseconds} is not a moment in milliseconds")))
}

/// The instant as RFC 3339 in UTC, as request parameters want it: `2026-01-31T08:30:00Z`, with
/// microseconds only where it has any.
pub fn rfc3339(instant: Instant) -> String {
    DateTime::from_timestamp_micros(instant)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// Milliseconds from one HTTP date to another; `None` where either is none.
pub(crate) fn ms_between_http_dates(from: &str, to: &str) -> Option<u64> {
    let from = DateTime::parse_from_rfc2822(from.trim()).ok()?;
    let to = DateTime::parse_from_rfc2822(to.trim()).ok()?;
    u64::try_from((to - from).num_milliseconds()).ok()
}

#[cfg(test)]
mod tests;
