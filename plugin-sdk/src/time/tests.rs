//! Spellings of moments and dates.

use proptest::prelude::*;

use super::*;

const NEW_YEAR: i64 = 1_767_225_600_000_000;

#[test]
fn instants_are_read_with_any_offset() {
    for text in [
        "2026-01-01T00:00:00Z",
        "2026-01-01T05:30:00+05:30",
        "2025-12-31T19:00:00-0500",
        "2026-01-01 00:00:00+00",
        "2026-01-01 01:00:00 +0100",
        "2026-01-01T00:00:00.000Z",
    ] {
        assert_eq!(instant(text), Ok(NEW_YEAR), "{text}");
    }
    assert_eq!(instant("2026-01-01T00:00:00.1234567Z"), Ok(NEW_YEAR + 123_456));
    for text in ["", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "yesterday"] {
        assert!(instant(text).is_err(), "{text}");
    }
}

proptest! {
    /// The quick way for the usual spelling and the one for all agree, also about what is no moment.
    #[test]
    fn the_usual_spelling_is_read_as_any_other(
        year in 0_u32..10_000, month in 0_u32..14, day in 0_u32..33, hour in 0_u32..26, minute in 0_u32..62, second in 0_u32..62
    ) {
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        prop_assert_eq!(instant(&text), any_instant(&text));
    }
}

#[test]
fn a_clock_without_an_offset_stays_without_one() {
    assert_eq!(moment("2026-01-01 00:00:00"), Ok(Moment::Local(NEW_YEAR)));
    assert_eq!(moment("2026-01-01T00:00"), Ok(Moment::Local(NEW_YEAR)));
    assert_eq!(moment("2026-01-01T00:00:00Z"), Ok(Moment::At(NEW_YEAR)));
    assert!(moment("2026-01-01").is_err());
}

#[test]
fn dates_are_days() {
    assert_eq!(local_date("1970-01-02"), Ok(1));
    assert_eq!(local_date("1969-12-31"), Ok(-1));
    assert_eq!(local_date_by("31.01.2026", "%d.%m.%Y"), local_date("2026-01-31"));
    assert!(local_date("2026-02-29").is_err());
}

#[test]
fn formats_of_ones_own() {
    assert_eq!(local_by("01/01/2026 00:00", "%m/%d/%Y %H:%M"), Ok(NEW_YEAR));
    assert_eq!(local_by("01/01/2026", "%m/%d/%Y"), Ok(NEW_YEAR));
    assert_eq!(instant_by("2026-01-01 02:00 +0200", "%Y-%m-%d %H:%M %z"), Ok(NEW_YEAR));
    assert!(local_by("13/13/2026", "%m/%d/%Y").is_err());
}

#[test]
fn epochs_that_do_not_fit_are_errors() {
    assert_eq!(from_epoch_seconds(1_767_225_600), Ok(NEW_YEAR));
    assert_eq!(from_epoch_ms(1_767_225_600_000), Ok(NEW_YEAR));
    assert!(from_epoch_seconds(i64::MAX).is_err());
    assert!(from_epoch_ms(i64::MIN).is_err());
}

#[test]
fn http_dates_measure_a_wait() {
    let ms = ms_between_http_dates("Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:30 GMT");
    assert_eq!(ms, Some(30_000));
    assert_eq!(ms_between_http_dates("Thu, 01 Jan 2026 00:00:30 GMT", "Thu, 01 Jan 2026 00:00:00 GMT"), None);
}

proptest! {
    #[test]
    fn an_instant_survives_its_own_spelling(micros in 0_i64..4_102_444_800_000_000) {
        prop_assert_eq!(instant(&rfc3339(micros)), Ok(micros));
    }

    #[test]
    fn no_text_makes_it_panic(text: String, format: String) {
        let _ = instant(&text);
        let _ = moment(&text);
        let _ = local_date(&text);
        let _ = local_by(&text, &format);
        let _ = instant_by(&text, &format);
    }
}
