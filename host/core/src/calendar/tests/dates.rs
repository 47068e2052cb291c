//! Grains, ranges and comparisons: hand-written cases.

use super::date;
use crate::calendar::{Comparison, DateRange, Grain, RelativeRange, TenantCalendar, Weekday};

fn range(first: &str, last: &str) -> DateRange {
    DateRange::inclusive(date(first), date(last)).unwrap()
}

#[test]
fn buckets_begin_where_the_tenant_says() {
    let calendar = TenantCalendar::default();
    let american = TenantCalendar::new(Weekday::Sunday, 1).unwrap();
    let indian = TenantCalendar::new(Weekday::Monday, 4).unwrap();
    for (tenant, grain, day, expected) in [
        (calendar, Grain::Hour, "2026-03-04", "2026-03-04"),
        (calendar, Grain::Day, "2026-03-04", "2026-03-04"),
        (calendar, Grain::Week, "2026-03-01", "2026-02-23"),
        (american, Grain::Week, "2026-03-01", "2026-03-01"),
        (american, Grain::Week, "2026-02-28", "2026-02-22"),
        (calendar, Grain::Month, "2024-02-29", "2024-02-01"),
        (calendar, Grain::Quarter, "2026-12-31", "2026-10-01"),
        (calendar, Grain::Year, "2026-12-31", "2026-01-01"),
        (indian, Grain::Quarter, "2026-03-31", "2026-01-01"),
        (indian, Grain::Year, "2026-03-31", "2025-04-01"),
        (indian, Grain::Year, "2026-04-01", "2026-04-01"),
    ] {
        assert_eq!(tenant.bucket_start(grain, date(day)), date(expected), "{grain} {day}");
    }
    assert!(TenantCalendar::new(Weekday::Monday, 13).is_err());
    assert!(TenantCalendar::new(Weekday::Monday, 0).is_err());
}

#[test]
fn edge_buckets_say_that_they_are_incomplete() {
    let calendar = TenantCalendar::default();
    let buckets: Vec<_> = calendar.buckets(Grain::Month, range("2026-01-15", "2026-03-31")).collect();
    let told: Vec<_> = buckets.iter().map(|bucket| (bucket.start, bucket.range, bucket.complete)).collect();
    assert_eq!(
        told,
        [
            (date("2026-01-01"), range("2026-01-15", "2026-01-31"), false),
            (date("2026-02-01"), range("2026-02-01", "2026-02-28"), true),
            (date("2026-03-01"), range("2026-03-01", "2026-03-31"), true),
        ]
    );
}

#[test]
fn relative_ranges_resolve_on_a_given_day() {
    let calendar = TenantCalendar::default();
    let today = date("2024-03-15");
    for (text, first, last) in [
        ("today", "2024-03-15", "2024-03-15"),
        ("yesterday", "2024-03-14", "2024-03-14"),
        ("last_30_days", "2024-02-15", "2024-03-15"),
        ("last_1_days", "2024-03-15", "2024-03-15"),
        ("this_week", "2024-03-11", "2024-03-17"),
        ("previous_week", "2024-03-04", "2024-03-10"),
        ("this_month", "2024-03-01", "2024-03-31"),
        ("previous_month", "2024-02-01", "2024-02-29"),
        ("previous_quarter", "2023-10-01", "2023-12-31"),
        ("previous_year", "2023-01-01", "2023-12-31"),
        ("month_to_date", "2024-03-01", "2024-03-15"),
        ("year_to_date", "2024-01-01", "2024-03-15"),
    ] {
        let relative: RelativeRange = text.parse().unwrap();
        assert_eq!(relative.resolve(today, &calendar), range(first, last), "{text}");
        assert_eq!(relative.to_string(), text);
    }
    let fiscal = TenantCalendar::new(Weekday::Monday, 4).unwrap();
    assert_eq!(RelativeRange::ToDate(Grain::Year).resolve(today, &fiscal), range("2023-04-01", "2024-03-15"));
    for text in ["", "last_0_days", "last_-1_days", "this_hour", "previous_day", "last_9999999_days", "now"] {
        assert!(text.parse::<RelativeRange>().is_err(), "{text}");
    }
}

#[test]
fn comparisons_meet_a_like_period() {
    use Comparison::{PreviousPeriod, PreviousYear, PreviousYearByWeekday};
    for (comparison, asked, expected) in [
        (PreviousPeriod, range("2026-03-05", "2026-03-11"), range("2026-02-26", "2026-03-04")),
        // Whole months are compared with whole months, however long.
        (PreviousPeriod, range("2026-03-01", "2026-03-31"), range("2026-02-01", "2026-02-28")),
        (PreviousPeriod, range("2026-01-01", "2026-03-31"), range("2025-10-01", "2025-12-31")),
        (PreviousYear, range("2024-02-29", "2024-02-29"), range("2023-02-28", "2023-02-28")),
        (PreviousYear, range("2024-02-01", "2024-02-29"), range("2023-02-01", "2023-02-28")),
        (PreviousYear, range("2024-02-01", "2024-02-28"), range("2023-02-01", "2023-02-28")),
        (PreviousYear, range("2026-03-05", "2026-03-11"), range("2025-03-05", "2025-03-11")),
        (PreviousYearByWeekday, range("2026-03-02", "2026-03-08"), range("2025-03-03", "2025-03-09")),
    ] {
        assert_eq!(comparison.range(asked), expected, "{comparison:?} {asked}");
    }
    let today = date("2026-03-05");
    assert_eq!(today.plus_days(-364).weekday(), today.weekday());
}

#[test]
fn the_automatic_grain_depends_on_length_alone() {
    let starting = date("2026-01-01");
    for (days, expected) in
        [(1, Grain::Hour), (30, Grain::Hour), (31, Grain::Day), (365, Grain::Day), (366, Grain::Month)]
    {
        let range = DateRange::new(starting, starting.plus_days(days)).unwrap();
        assert_eq!(Grain::automatic(range), expected, "{days}");
    }
    assert_eq!(Grain::Hour.on_dates(), Grain::Day);
    assert_eq!(Grain::Month.on_dates(), Grain::Month);
}

#[test]
fn ranges_know_their_days() {
    let march = range("2026-03-01", "2026-03-31");
    assert_eq!((march.days(), march.last()), (31, Some(date("2026-03-31"))));
    assert_eq!(march.to_string(), "2026-03-01 to 2026-03-31");
    assert!(march.contains(date("2026-03-31")) && !march.contains(date("2026-04-01")));
    assert_eq!(march.overlap(range("2026-03-31", "2026-05-01")), Some(DateRange::day(date("2026-03-31"))));
    assert_eq!(march.overlap(range("2026-04-01", "2026-05-01")), None);
    assert_eq!(march.iter().count(), 31);
    assert_eq!(DateRange::new(date("2026-03-02"), date("2026-03-01")), None);
    assert!(DateRange::new(date("2026-03-02"), date("2026-03-02")).unwrap().is_empty());
}

#[test]
fn weekdays_and_months_of_dates_are_right() {
    assert_eq!(date("1970-01-01").weekday(), Weekday::Thursday);
    assert_eq!(date("1969-12-28").weekday(), Weekday::Sunday);
    assert_eq!(date("2026-11-20").weekday(), Weekday::Friday);
    assert_eq!(date("2024-01-31").plus_months(1), date("2024-02-29"));
    assert_eq!(date("2024-03-31").plus_months(-1), date("2024-02-29"));
    assert_eq!("sunday".parse::<Weekday>(), Ok(Weekday::Sunday));
}
