//! `Retry-After`, as RFC 9110 lets a channel write it: seconds, or a date. Hostile like all that comes from
//! outside: bounded, and without a number or a date it says nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use portolan_core::Instant;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// What a channel asks for beyond a day is a mistake.
pub const LONGEST_MS: u64 = 24 * 3_600_000;

/// For how many milliseconds the channel asks for silence. A date counts from the answer's own `Date`, so that
/// neither clock has to be right; where that is missing, from `now`. A date that has passed asks for none.
pub fn retry_after_ms(headers: &HeaderMap, now: Instant) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(until_ms) = unix_ms(text) {
        let answered = headers.get(DATE).and_then(|date| unix_ms(date.to_str().ok()?.trim()));
        let from_ms = answered.unwrap_or_else(|| now.unix_ms());
        let wait_ms = u64::try_from(until_ms.saturating_sub(from_ms)).unwrap_or_default();
        return Some(wait_ms.min(LONGEST_MS));
    }
    // Some proxies join repeated headers: `30, 30`.
    seconds_as_ms(text.split([',', ';']).next()?.trim())
}

/// Digits with at most one point among them; the part of a millisecond counts as a whole one.
fn seconds_as_ms(text: &str) -> Option<u64> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit())
        && text.len() <= 40
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = text.parse().ok().filter(|_| is_number)?;
    Some((seconds * 1_000.0).ceil().min(LONGEST_MS as f64) as u64)
}

/// Any of the three spellings of a date in HTTP.
fn unix_ms(text: &str) -> Option<i64> {
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    /// 2026-01-01T00:00:00Z.
    const NOW: Instant = Instant::from_unix_ms(1_767_225_600_000);

    fn asked(value: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("a value"));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).expect("a date"));
        }
        retry_after_ms(&headers, NOW)
    }

    fn spelt(unix_s: u64) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix_s))
    }

    #[test]
    fn both_spellings_are_read() {
        assert_eq!(retry_after_ms(&HeaderMap::new(), NOW), None);
        for (value, ms) in
            [("30", 30_000), ("30.0", 30_000), ("2.5", 2_500), ("0", 0), (" 7 ", 7_000), ("30, 30", 30_000)]
        {
            assert_eq!(asked(value, None), Some(ms), "{value}");
        }
        for date in
            ["Thu, 01 Jan 2026 00:01:30 GMT", "Thursday, 01-Jan-26 00:01:30 GMT", "Thu Jan  1 00:01:30 2026"]
        {
            assert_eq!(asked(date, None), Some(90_000), "{date}");
            assert_eq!(asked(date, Some("Thu, 01 Jan 2026 00:01:20 GMT")), Some(10_000), "{date}");
        }
        assert_eq!(asked("Wed, 01 Jan 2020 00:00:00 GMT", None), Some(0), "it has passed");
        for nonsense in
            ["soon", "-1", "", "1e9", "inf", "NaN", ".5", "1.2.3", "0x10", "Thu, 99 Jan 2026 00:00:00 GMT"]
        {
            assert_eq!(asked(nonsense, None), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn seconds_and_the_date_they_lead_to_say_the_same(seconds in 0_u64..200_000, skew_s in -100_000_i64..100_000) {
            let now_s = NOW.unix_ms().unsigned_abs() / 1_000;
            let wanted = Some((seconds * 1_000).min(LONGEST_MS));
            prop_assert_eq!(asked(&seconds.to_string(), None), wanted);
            prop_assert_eq!(asked(&spelt(now_s + seconds), None), wanted);
            // The channel's clock may be wrong by any amount where it says what it shows.
            let theirs = now_s.saturating_add_signed(skew_s);
            prop_assert_eq!(asked(&spelt(theirs + seconds), Some(&spelt(theirs))), wanted);
        }

        #[test]
        fn whatever_stands_there_is_bounded(value in "[ -~]{0,60}", date in proptest::option::of("[ -~]{0,40}")) {
            let ms = asked(&value, date.as_deref());
            prop_assert!(ms.is_none_or(|ms| ms <= LONGEST_MS));
        }

        #[test]
        fn numbers_of_any_length_are_bounded(digits in "[0-9]{1,60}(\\.[0-9]{0,20})?") {
            prop_assert!(asked(&digits, None).is_none_or(|ms| ms <= LONGEST_MS));
        }
    }
}
