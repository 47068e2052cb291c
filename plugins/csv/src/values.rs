//! Numbers, dates and keys as files write them.

use portolan_sdk::read::Row;
use portolan_sdk::{BadRecord, BadValue, Decimal, Moment, money, time};

use crate::mapping::{DecimalMark, Locale, TimesIn};

/// A decimal as the locale writes it: `1.234,50` or `1,234.50`. A grouping mark has to stand
/// before exactly three digits, so that a wrong locale is an error and not a thousandfold.
pub fn decimal(locale: &Locale, text: &str) -> Result<Decimal, BadValue> {
    let (point, grouping) = match locale.decimal_mark {
        DecimalMark::Point => ('.', ','),
        DecimalMark::Comma => (',', '.'),
    };
    let bad = || {
        BadValue::new(format!(
            "{:?} is not a number with the decimal mark {point:?}",
            text.chars().take(40).collect::<String>()
        ))
    };
    let (whole, fraction) = text.split_once(point).unwrap_or((text, ""));
    let is_space = |character: char| matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\'');
    let separator = |character: char| character == grouping || is_space(character);
    let mut groups = whole.split(separator);
    let mut digits = groups.next().unwrap_or_default().to_owned();
    for group in groups {
        if group.len() != 3 || digits.trim_start_matches(['-', '+']).is_empty() {
            return Err(bad());
        }
        digits.push_str(group);
    }
    if fraction.contains(separator) || fraction.contains(point) {
        return Err(bad());
    }
    let plain = if text.contains(point) { format!("{digits}.{fraction}") } else { digits };
    money::decimal(&plain).map_err(|_| bad())
}

/// A moment by the mapping's formats.
pub fn moment(locale: &Locale, text: &str) -> Result<Moment, BadValue> {
    let read = if locale.date_formats.is_empty() {
        time::moment(text).or_else(|bad| match time::local_date(text) {
            Ok(day) => Ok(Moment::Local(i64::from(day) * 86_400_000_000)),
            Err(_) => Err(bad),
        })?
    } else {
        by_formats(&locale.date_formats, text)?
    };
    Ok(match (read, locale.times_in) {
        (Moment::Local(clock), TimesIn::Utc) => Moment::At(clock),
        (moment, _) => moment,
    })
}

fn by_formats(formats: &[String], text: &str) -> Result<Moment, BadValue> {
    let found = formats.iter().find_map(|format| {
        if format.contains("%z") || format.contains("%:z") || format.contains("%#z") {
            return time::instant_by(text, format).ok().map(Moment::At);
        }
        time::local_by(text, format).ok().map(Moment::Local)
    });
    found.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        BadValue::new(format!("{shown:?} is not a date like {}", formats.join(" or ")))
    })
}

/// Microseconds by which moments of one file are ordered.
pub fn order_of(moment: &Moment) -> i64 {
    match moment {
        Moment::At(micros) | Moment::Local(micros) => *micros,
    }
}

/// A text field; `None` where it is empty or there is no such column.
pub fn text(locale: &Locale, row: &Row<'_>, column: Option<&String>) -> Option<String> {
    let column = column?;
    let field = row.get(column).filter(|field| !field.is_empty())?;
    let stripped = if locale.strip_decimal_zero.contains(column) { whole_number(field) } else { field };
    Some(stripped.to_owned())
}

/// A number field; `None` where it is empty or there is no such column.
pub fn number(locale: &Locale, row: &Row<'_>, column: Option<&String>) -> Result<Option<Decimal>, BadRecord> {
    let Some(column) = column else { return Ok(None) };
    match row.get(column) {
        None | Some("") => Ok(None),
        Some(field) => {
            decimal(locale, field).map(Some).map_err(|bad| bad.at(column.as_str()).in_record(row.src()))
        }
    }
}

/// `17850.0` as `17850`; anything else stays as it is.
fn whole_number(field: &str) -> &str {
    match field.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => field,
    }
}
