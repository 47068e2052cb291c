use super::*;

fn currency(code: &str) -> Currency {
    code.parse().expect("a currency of the test")
}

/// Narrow spaces are hard to see in a test; they are written as `_` here.
fn shown(text: impl Into<String>) -> String {
    text.into().replace(THIN_SPACE, "_").replace(MINUS, "-")
}

#[test]
fn money_follows_the_exponent_of_its_currency() {
    let cases = [
        (123_456_789, "EUR", "1_234_567.89"),
        (98_000, "JPY", "98_000"),
        (1_234, "KWD", "1.234"),
        (5, "CLF", "0.0005"),
        (0, "EUR", "0.00"),
        (-1, "EUR", "-0.01"),
        (-100_000, "EUR", "-1_000.00"),
        (i64::MIN, "EUR", "-92_233_720_368_547_758.08"),
    ];
    for (minor, code, expected) in cases {
        assert_eq!(shown(money(minor, currency(code))), expected);
    }
    assert_eq!(shown(money_with_code(1_250, currency("EUR"))), "12.50_EUR");
}

#[test]
fn counts_are_grouped_by_thousands() {
    assert_eq!(shown(count(0)), "0");
    assert_eq!(shown(count(999)), "999");
    assert_eq!(shown(count(1_000)), "1_000");
    assert_eq!(shown(count(-541_909)), "-541_909");
    assert_eq!(shown(quantity_milli(1_500)), "1.5");
    assert_eq!(shown(quantity_milli(2_000_000)), "2_000");
    assert_eq!(shown(quantity_milli(-1)), "-0.001");
}

#[test]
fn percentages_have_one_decimal_and_no_division_by_zero() {
    assert_eq!(shown(percent(1, 3)), "33.3_%");
    assert_eq!(shown(percent(2, 3)), "66.7_%");
    assert_eq!(shown(percent(-1, 8)), "-12.5_%");
    assert_eq!(percent(1, 0), MISSING);
}

#[test]
fn a_delta_says_whether_it_is_for_the_better() {
    let rise = delta(110, 100, Some(true), "vs October").expect("comparable");
    assert_eq!(
        (shown(rise.text), rise.direction, rise.better),
        ("+10.0_%".into(), Direction::Up, Some(true))
    );
    let fewer_refunds = delta(-50, -100, Some(true), "vs October").expect("comparable");
    assert_eq!((shown(fewer_refunds.text), fewer_refunds.better), ("+50.0_%".into(), Some(true)));
    let costs = delta(90, 100, Some(false), "vs October").expect("comparable");
    assert_eq!((costs.direction, costs.better), (Direction::Down, Some(true)));
    let same = delta(5, 5, Some(true), "vs October").expect("comparable");
    assert_eq!((shown(same.text), same.better), ("0.0_%".into(), None));
    assert_eq!(delta(5, 0, Some(true), "vs October"), None);
    let huge = delta(5_000_000, 1, Some(true), "vs October").expect("comparable");
    assert_eq!(shown(huge.text), "+5_000_000×");
}

#[test]
fn moments_are_relative_within_a_day() {
    let now = Instant::parse_rfc3339("2026-03-03T13:05:09Z").expect("a moment of the test");
    let at = |seconds: i64| shown(relative_time(now - Duration::from_secs(seconds), now, 60));
    assert_eq!(at(3), "just now");
    assert_eq!(at(42), "42_s ago");
    assert_eq!(at(240), "4_min ago");
    assert_eq!(at(7_300), "2_h ago");
    assert_eq!(at(-7_300), "in 2_h");
    assert_eq!(at(90_000), "2 Mar 2026, 13:05");
    let moment = when(now, now, 60, "Europe/Berlin");
    assert_eq!(moment.full, "3 March 2026 14:05:09 Europe/Berlin");
    assert_eq!(moment.iso, "2026-03-03T13:05:09Z");
}

#[test]
fn spans_and_sizes_keep_two_units() {
    assert_eq!(shown(span(Duration::from_ms(420))), "0.4_s");
    assert_eq!(shown(span(Duration::from_secs(252))), "4_min 12_s");
    assert_eq!(shown(span(Duration::from_secs(97_200))), "1_d 3_h");
    assert_eq!(shown(span(Duration::from_secs(3_600))), "1_h");
    assert_eq!(shown(bytes(999)), "999_B");
    assert_eq!(shown(bytes(48_200_000)), "48.2_MB");
    assert_eq!(shown(bytes(412_300)), "412_kB");
    assert_eq!(rate(1_000, Duration::ZERO), None);
    assert_eq!(rate(1_830, Duration::from_secs(1)).map(shown), Some("1_830/s".into()));
}

#[test]
fn ranges_name_a_month_once() {
    let day = |text| LocalDate::parse(text).expect("a date of the test");
    assert_eq!(date_range(day("2026-11-01"), day("2026-11-30")), "1–30 Nov 2026");
    assert_eq!(date_range(day("2026-10-28"), day("2026-11-03")), "28 Oct – 3 Nov 2026");
    assert_eq!(date_range(day("2025-12-28"), day("2026-01-03")), "28 Dec 2025 – 3 Jan 2026");
    assert_eq!(date_range(day("2026-11-03"), day("2026-11-03")), "3 Nov 2026");
}
