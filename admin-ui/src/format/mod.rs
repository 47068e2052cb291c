//! Numbers, moments and spans as people read them.
//!
//! Thousands are parted by a narrow no-break space, negatives carry a true minus, a missing value is
//! "–" and zero is 0. All arithmetic is on integers.

use portolan_core::{Currency, Duration, Instant, LocalDate};

use crate::parts::{Delta, Direction, When};

/// What stands where a value is missing.
pub const MISSING: &str = "–";
/// Narrow no-break space.
pub const THIN_SPACE: char = '\u{202f}';
/// A true minus sign.
pub const MINUS: char = '\u{2212}';

/// An amount in minor units without its code: `−1 234.50`.
pub fn money(amount_minor: impl Into<i128>, currency: Currency) -> String {
    scaled(amount_minor.into(), currency.exponent())
}

/// An amount with its ISO code: `−1 234.50 EUR`.
pub fn money_with_code(amount_minor: impl Into<i128>, currency: Currency) -> String {
    format!("{}{THIN_SPACE}{currency}", money(amount_minor, currency))
}

/// A whole number: `25 900`.
pub fn count(number: impl Into<i128>) -> String {
    scaled(number.into(), 0)
}

/// Thousandths without needless zeros: 1 500 → `1.5`, 2 000 → `2`.
pub fn quantity_milli(quantity_milli: impl Into<i128>) -> String {
    let text = scaled(quantity_milli.into(), 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share with one decimal: `12.5 %`; "–" when there is nothing to compare with.
pub fn percent(part: impl Into<i128>, whole: impl Into<i128>) -> String {
    match per_mille(part.into(), whole.into()) {
        Some(per_mille) => format!("{}{THIN_SPACE}%", scaled(per_mille, 1)),
        None => MISSING.to_owned(),
    }
}

/// The change from `previous` to `current` in percent of `previous`; `None` where there is nothing to
/// compare with. `higher_is_better`: `None` for figures that are neither good nor bad.
pub fn delta(
    current: impl Into<i128>,
    previous: impl Into<i128>,
    higher_is_better: Option<bool>,
    compared_with: &str,
) -> Option<Delta> {
    let (current, previous) = (current.into(), previous.into());
    let per_mille = per_mille(current.checked_sub(previous)?, previous.checked_abs()?)?;
    let direction = match per_mille.signum() {
        1 => Direction::Up,
        -1 => Direction::Down,
        _ => Direction::Flat,
    };
    let better = match direction {
        Direction::Up => higher_is_better,
        Direction::Down => higher_is_better.map(|higher| !higher),
        Direction::Flat => None,
    };
    let sign = if per_mille > 0 { "+" } else { "" };
    // Beyond a thousandfold the percentage says less than its size.
    let text = if per_mille.abs() > 1_000_000 {
        format!("{sign}{}×", count(current / previous))
    } else {
        format!("{sign}{}{THIN_SPACE}%", scaled(per_mille, 1))
    };
    Some(Delta { text, direction, better, compared_with: compared_with.to_owned() })
}

/// `1.2 MB`; powers of 1,000.
pub fn bytes(size_bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if size_bytes < 1_000 {
        return format!("{size_bytes}{THIN_SPACE}B");
    }
    let mut tenths = u128::from(size_bytes) * 10 / 1_000;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    let number = if tenths >= 1_000 { count((tenths / 10) as i128) } else { scaled(tenths as i128, 1) };
    format!("{number}{THIN_SPACE}{}", UNITS[unit])
}

/// A span in its two largest units: `4 min 12 s`, `1 d 3 h`, `0.4 s`.
pub fn span(duration: Duration) -> String {
    let ms = duration.as_ms().max(0);
    if ms < 10_000 {
        return format!("{}{THIN_SPACE}s", scaled(i128::from(ms / 100), 1));
    }
    let seconds = ms / 1_000;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(number, _)| *number > 0).unwrap_or(3);
    let shown: Vec<String> = parts[first..]
        .iter()
        .take(2)
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{THIN_SPACE}{unit}"))
        .collect();
    shown.join(" ")
}

/// Records or events in a second: `1 830/s`.
pub fn rate(number: u64, duration: Duration) -> Option<String> {
    let ms = u128::try_from(duration.as_ms()).ok().filter(|ms| *ms > 0)?;
    let per_second = u128::from(number) * 1_000 / ms;
    Some(format!("{}/s", count(per_second as i128)))
}

/// `3 Mar 2026`.
pub fn date(date: LocalDate) -> String {
    date.to_naive().format("%-d %b %Y").to_string()
}

/// `1–30 Nov 2026`, `28 Oct – 3 Nov 2026`; both ends included.
pub fn date_range(from: LocalDate, until: LocalDate) -> String {
    if from == until {
        return date(from);
    }
    let (start, end) = (from.to_naive(), until.to_naive());
    let month_of = |day: LocalDate| day.to_naive().format("%Y-%m").to_string();
    if month_of(from) == month_of(until) {
        return format!("{}–{}", start.format("%-d"), end.format("%-d %b %Y"));
    }
    if from.year() == until.year() {
        return format!("{} – {}", start.format("%-d %b"), end.format("%-d %b %Y"));
    }
    format!("{} – {}", date(from), date(until))
}

/// A moment as of `now`, in a zone that is `offset_minutes` ahead of UTC at that moment.
pub fn when(instant: Instant, now: Instant, offset_minutes: i32, zone: &str) -> When {
    let local = (instant + Duration::from_minutes(i64::from(offset_minutes))).to_utc();
    When {
        text: relative_time(instant, now, offset_minutes),
        full: format!("{} {zone}", local.format("%-d %B %Y %H:%M:%S")),
        iso: instant.to_rfc3339(),
    }
}

/// Relative within a day ("4 min ago", "in 2 h"), else the date, else with its year.
pub fn relative_time(instant: Instant, now: Instant, offset_minutes: i32) -> String {
    let seconds = now.since(instant).as_ms() / 1_000;
    let distance = seconds.abs();
    let amount = match distance {
        0..=9 => return if seconds >= 0 { "just now".into() } else { "in a moment".into() },
        10..=59 => format!("{distance}{THIN_SPACE}s"),
        60..=3_599 => format!("{}{THIN_SPACE}min", distance / 60),
        3_600..=86_399 => format!("{}{THIN_SPACE}h", distance / 3_600),
        _ => {
            let local = (instant + Duration::from_minutes(i64::from(offset_minutes))).to_utc();
            return local.format("%-d %b %Y, %H:%M").to_string();
        }
    };
    if seconds >= 0 { format!("{amount} ago") } else { format!("in {amount}") }
}

/// Rounded half away from zero; `None` when `whole` is zero or the numbers are out of reach.
fn per_mille(part: i128, whole: i128) -> Option<i128> {
    if whole == 0 {
        return None;
    }
    let scaled = part.checked_mul(2_000)?.checked_div(whole)?;
    Some((scaled + scaled.signum()) / 2)
}

/// `number` × 10^-`scale`, grouped by thousands.
fn scaled(number: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let mut text = String::with_capacity(digits.len() * 2);
    if number < 0 {
        text.push(MINUS);
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(THIN_SPACE);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests;
