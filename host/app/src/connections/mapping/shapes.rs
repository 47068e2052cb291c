//! What kind of values a column holds, by how they are written.

/// The decimal mark of a file's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Point,
    Comma,
}

/// Digits, grouped by three or not at all, and at most one decimal mark: `1.234,50` or `1,234.50`.
pub fn is_number(text: &str, mark: Mark) -> bool {
    let (point, grouping) = match mark {
        Mark::Point => ('.', ','),
        Mark::Comma => (',', '.'),
    };
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = text.split_once(point).unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split([grouping, ' ', '\u{a0}', '\u{202f}', '\'']);
    let first = groups.next().unwrap_or_default();
    digits(first) && groups.all(|group| group.len() == 3 && digits(group)) && digits(fraction)
}

/// The mark that more values speak for; the point where none does.
pub fn decimal_mark<'a>(values: impl Iterator<Item = &'a str>) -> Mark {
    let (mut point, mut comma) = (0_usize, 0_usize);
    for value in values {
        match (is_number(value, Mark::Point), is_number(value, Mark::Comma)) {
            (true, false) => point += 1,
            (false, true) => comma += 1,
            _ => {}
        }
    }
    if comma > point { Mark::Comma } else { Mark::Point }
}

/// Whole numbers that were written as `17850.0`.
pub fn is_whole_with_zero(text: &str) -> bool {
    text.split_once('.').is_some_and(|(whole, zeros)| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits(whole) && !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0')
    })
}

pub fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A mail address or a telephone number: personal, whatever its column is called.
pub fn is_personal(text: &str) -> bool {
    let mail = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let phone = text.starts_with('+')
        && digits >= 7
        && text.chars().skip(1).all(|character| character.is_ascii_digit() || " -/()".contains(character));
    mail || phone
}

/// How the dates of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dates {
    /// ISO 8601: needs no format.
    Iso,
    /// strftime.
    Format(String),
    /// The same, but day and month could be the other way round.
    Ambiguous(String),
}

/// The one way in which every value is written; `None` where there is none.
pub fn dates(values: &[&str]) -> Option<Dates> {
    let first = Pattern::of(values.first()?)?;
    let mut day_first = 0;
    let mut month_first = 0;
    for value in values {
        let pattern = Pattern::of(value)?;
        if pattern.text != first.text {
            return None;
        }
        day_first += usize::from(pattern.numbers[0] > 12);
        month_first += usize::from(pattern.numbers[1] > 12);
    }
    let (date, clock) = first.text.split_once('T').map_or_else(
        || {
            first
                .text
                .split_once(' ')
                .map_or((first.text.as_str(), None), |(date, clock)| (date, Some(clock)))
        },
        |(date, clock)| (date, Some(clock)),
    );
    let separator = date.chars().find(|character| !character.is_ascii_digit())?;
    let clock_format = match clock {
        None => String::new(),
        Some("2:2") => " %H:%M".to_owned(),
        Some("2:2:2") => " %H:%M:%S".to_owned(),
        Some("2:2:2 +4" | "2:2:2 -4") => " %H:%M:%S %z".to_owned(),
        // With a T, fractions or offsets it is ISO 8601 or nothing.
        Some(_) if date == "4-2-2" => return Some(Dates::Iso),
        Some(_) => return None,
    };
    if date.starts_with('4') {
        if date != format!("4{separator}2{separator}2") {
            return None;
        }
        if separator == '-' && (clock.is_none() || first.text.contains('T')) {
            return Some(Dates::Iso);
        }
        return Some(Dates::Format(format!("%Y{separator}%m{separator}%d{clock_format}")));
    }
    let year = match date.rsplit(separator).next()? {
        "4" => "%Y",
        "2" => "%y",
        _ => return None,
    };
    if !date.starts_with(&format!("2{separator}2{separator}")) {
        return None;
    }
    let format =
        |first: &str, second: &str| format!("{first}{separator}{second}{separator}{year}{clock_format}");
    match (day_first, month_first) {
        // Points stand between day and month in every country that writes them.
        _ if separator == '.' => Some(Dates::Format(format("%d", "%m"))),
        (0, 0) => Some(Dates::Ambiguous(format("%d", "%m"))),
        (_, 0) => Some(Dates::Format(format("%d", "%m"))),
        (0, _) => Some(Dates::Format(format("%m", "%d"))),
        _ => None,
    }
}

/// A text with its runs of digits as their lengths: `1.12.2026 8:05` is `2.2.4 2:2`.
struct Pattern {
    text: String,
    numbers: Vec<u32>,
}

impl Pattern {
    /// `None` for what can't be a date.
    fn of(value: &str) -> Option<Self> {
        let mut text = String::new();
        let mut numbers = Vec::new();
        let mut run = String::new();
        if value.len() > 40 {
            return None;
        }
        for character in value.chars().chain(['\0']) {
            if character.is_ascii_digit() {
                run.push(character);
                continue;
            }
            if !run.is_empty() {
                // One digit is two without its zero; a fraction of a second has any number.
                let length = if run.len() == 1 { 2 } else { run.len() };
                text.push_str(&length.to_string());
                numbers.push(run.parse().ok()?);
                run.clear();
            }
            match character {
                '\0' => {}
                '.' | '/' | '-' | ' ' | ':' | 'T' | '+' | 'Z' => text.push(character),
                _ => return None,
            }
        }
        (numbers.len() >= 3).then_some(Self { text, numbers })
    }
}
