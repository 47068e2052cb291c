//! Clocks of one zone: instants to local time and back, with gaps and folds decided.
//!
//! - **Fold** (a local moment shows twice when clocks go back): the earlier instant.
//! - **Gap** (a local moment never shows when clocks go forward): as far after the jump as the moment
//!   lies inside the gap, so 02:30 of a day that skips 02:00–03:00 is 03:30.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::Instant;

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(super) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
pub(super) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
pub(super) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// Years 1 to 9999. What lies outside is treated as its edge: no shop sold anything then, and the
/// order of instants is kept.
const FIRST_MICROS: i64 = -62_135_596_800 * MICROS_PER_SECOND;
const LAST_MICROS: i64 = 253_402_214_400 * MICROS_PER_SECOND;

fn naive(micros: i64) -> NaiveDateTime {
    DateTime::from_timestamp_micros(micros.clamp(FIRST_MICROS, LAST_MICROS)).unwrap_or_default().naive_utc()
}

fn clamp(micros: i64) -> i64 {
    micros.clamp(FIRST_MICROS, LAST_MICROS)
}

/// Far enough from the edges that the days around an instant are still told apart.
pub(super) fn within_supported(at: Instant) -> Instant {
    Instant(at.0.clamp(FIRST_MICROS + 3 * MICROS_PER_DAY, LAST_MICROS - 3 * MICROS_PER_DAY))
}

fn offset_micros(zone: Tz, utc_micros: i64) -> i64 {
    let seconds = zone.offset_from_utc_datetime(&naive(utc_micros)).fix().local_minus_utc();
    i64::from(seconds) * MICROS_PER_SECOND
}

/// What the zone's clocks show at an instant, in microseconds since 1970-01-01T00:00:00 local.
pub(super) fn local_micros(zone: Tz, at: Instant) -> i64 {
    let utc = clamp(at.0);
    utc + offset_micros(zone, utc)
}

/// The instant at which the zone's clocks show `local`; see the module for gaps and folds.
pub(super) fn resolve(zone: Tz, local: i64) -> Instant {
    let local = clamp(local);
    match earliest(zone, local) {
        Some(at) => at,
        None => Instant(local - offset_before_gap(zone, local)),
    }
}

/// The first instant at which the zone's clocks show `local` or later: where it falls into a gap,
/// the end of the gap.
pub(super) fn first_instant(zone: Tz, local: i64) -> Instant {
    let local = clamp(local);
    if let Some(at) = earliest(zone, local) {
        return at;
    }
    let before = offset_before_gap(zone, local);
    // The offset changes somewhere between these two: the jump is the first second with a new one.
    let mut still_before = (local - MICROS_PER_DAY - before).div_euclid(MICROS_PER_SECOND);
    let mut after = (local - before).div_euclid(MICROS_PER_SECOND);
    while after - still_before > 1 {
        let middle = still_before + (after - still_before) / 2;
        if offset_micros(zone, middle * MICROS_PER_SECOND) == before {
            still_before = middle;
        } else {
            after = middle;
        }
    }
    Instant(after * MICROS_PER_SECOND)
}

fn earliest(zone: Tz, local: i64) -> Option<Instant> {
    let offset = zone.offset_from_local_datetime(&naive(local)).earliest()?.fix().local_minus_utc();
    Some(Instant(local - i64::from(offset) * MICROS_PER_SECOND))
}

fn offset_before_gap(zone: Tz, local: i64) -> i64 {
    // No offset reaches a day, and no zone has jumped twice within two: a day back is before the jump.
    offset_micros(zone, local - MICROS_PER_DAY)
}
