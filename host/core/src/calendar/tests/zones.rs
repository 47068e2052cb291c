//! Zones, cut-overs, gaps and folds: hand-written cases.

use super::{at, date, local};
use crate::calendar::{CalendarError, DateRange, StoreCalendar};
use crate::{Duration, LocalDate};

fn store(zone: &str, cutover_minutes: i32) -> StoreCalendar {
    StoreCalendar::new(zone, cutover_minutes).unwrap()
}

#[test]
fn business_dates_follow_zone_and_cutover() {
    for (zone, cutover, moment, expected) in [
        ("UTC", 0, "2026-03-01T23:59:59.999999Z", "2026-03-01"),
        ("UTC", 0, "2026-03-02T00:00:00Z", "2026-03-02"),
        // Half-hour zone: midnight in India is 18:30 UTC.
        ("Asia/Kolkata", 0, "2026-03-01T18:29:59Z", "2026-03-01"),
        ("Asia/Kolkata", 0, "2026-03-01T18:30:00Z", "2026-03-02"),
        ("Asia/Kathmandu", 0, "2026-03-01T18:15:00Z", "2026-03-02"),
        // A café that closes at two.
        ("Europe/Vienna", 120, "2026-01-10T00:59:59Z", "2026-01-09"),
        ("Europe/Vienna", 120, "2026-01-10T01:00:00Z", "2026-01-10"),
        ("Asia/Kolkata", 120, "2026-03-01T20:29:59Z", "2026-03-01"),
        ("Asia/Kolkata", 120, "2026-03-01T20:30:00Z", "2026-03-02"),
        // Before 1970.
        ("UTC", 0, "1969-12-31T23:59:59Z", "1969-12-31"),
        ("America/New_York", 0, "2026-07-01T03:59:59Z", "2026-06-30"),
    ] {
        assert_eq!(
            store(zone, cutover).business_date(at(moment)),
            date(expected),
            "{zone} +{cutover} {moment}"
        );
    }
}

#[test]
fn days_of_clock_changes_have_23_and_25_hours() {
    let berlin = store("Europe/Berlin", 0);
    for (day, hours) in [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)] {
        let (from, until) = berlin.instants(DateRange::day(date(day)));
        assert_eq!(until.since(from), Duration::from_hours(hours), "{day}");
    }
    // Half an hour of daylight saving.
    let lord_howe = store("Australia/Lord_Howe", 0);
    let (from, until) = lord_howe.instants(DateRange::day(date("2026-10-04")));
    assert_eq!(until.since(from), Duration::from_minutes(23 * 60 + 30));
}

#[test]
fn a_day_whose_midnight_is_skipped_begins_after_the_gap() {
    // Cairo skips 00:00 to 01:00 on the last Friday of April.
    let cairo = store("Africa/Cairo", 0);
    assert_eq!(cairo.day_start(date("2026-04-24")), at("2026-04-23T22:00:00Z"));
    assert_eq!(cairo.business_date(at("2026-04-23T21:59:59Z")), date("2026-04-23"));
    assert_eq!(cairo.business_date(at("2026-04-23T22:00:00Z")), date("2026-04-24"));
    // A cut-over inside the gap: the day begins where the gap ends, not half an hour later.
    let berlin = store("Europe/Berlin", 150);
    assert_eq!(berlin.day_start(date("2026-03-29")), at("2026-03-29T01:00:00Z"));
}

#[test]
fn a_day_that_has_begun_goes_on_when_clocks_are_set_back_over_its_start() {
    // Berlin shows 02:00 to 03:00 twice on 2026-10-25; the day is cut at 02:30.
    let berlin = store("Europe/Berlin", 150);
    assert_eq!(berlin.day_start(date("2026-10-25")), at("2026-10-25T00:30:00Z"));
    for moment in
        ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:29:00Z", "2026-10-25T02:00:00Z"]
    {
        assert_eq!(berlin.business_date(at(moment)), date("2026-10-25"), "{moment}");
    }
    assert_eq!(berlin.business_date(at("2026-10-25T00:29:59Z")), date("2026-10-24"));
}

#[test]
fn a_day_that_a_country_skipped_holds_nothing() {
    // Samoa went from 29 to 31 December 2011.
    let apia = store("Pacific/Apia", 0);
    assert_eq!(apia.business_date(at("2011-12-30T09:59:59Z")), date("2011-12-29"));
    assert_eq!(apia.business_date(at("2011-12-30T10:00:00Z")), date("2011-12-31"));
    let (from, until) = apia.instants(DateRange::day(date("2011-12-30")));
    assert_eq!(from, until);
}

#[test]
fn zoneless_moments_are_resolved_in_the_store_zone() {
    let berlin = store("Europe/Berlin", 0);
    for (shown, expected) in [
        ("2026-01-15T12:00:00", "2026-01-15T11:00:00Z"),
        // Skipped: as far behind the jump as it lay inside it.
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        // Shown twice: the first showing.
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
    ] {
        assert_eq!(berlin.resolve_local(local(shown)), at(expected), "{shown}");
    }
    assert_eq!(
        store("Asia/Kolkata", 0).resolve_local(local("2026-03-02T00:10:00")),
        at("2026-03-01T18:40:00Z")
    );
}

#[test]
fn a_store_that_moves_east_or_west_keeps_its_days_in_order() {
    let moved = date("2026-06-01");
    let east = store("America/New_York", 0).with_change(moved, "Asia/Kolkata", 0).unwrap();
    // The first day in Kolkata begins at its midnight, which cuts the last day in New York short.
    assert_eq!(east.business_date(at("2026-05-31T18:29:59Z")), date("2026-05-31"));
    assert_eq!(east.business_date(at("2026-05-31T18:30:00Z")), moved);
    assert_eq!(east.day_start(moved), at("2026-05-31T18:30:00Z"));

    let west = store("Asia/Kolkata", 0).with_change(moved, "America/New_York", 0).unwrap();
    // Kolkata's midnight is passed, but the first day in New York has not begun: still the day before.
    assert_eq!(west.business_date(at("2026-05-31T20:00:00Z")), date("2026-05-31"));
    assert_eq!(west.business_date(at("2026-06-01T03:59:59Z")), date("2026-05-31"));
    assert_eq!(west.business_date(at("2026-06-01T04:00:00Z")), moved);
    assert_eq!(west.resolve_local(local("2026-05-31T12:00:00")), at("2026-05-31T06:30:00Z"));
    assert_eq!(west.resolve_local(local("2026-06-01T12:00:00")), at("2026-06-01T16:00:00Z"));
    assert_eq!(
        (west.zone_name(date("2026-05-31")), west.zone_name(moved)),
        ("Asia/Kolkata", "America/New_York")
    );
}

#[test]
fn a_store_that_moves_by_more_than_a_day_loses_one() {
    // From eleven hours behind UTC to fourteen ahead: 1 June begins there before 31 May began here.
    let moved =
        store("Pacific/Pago_Pago", 0).with_change(date("2026-06-01"), "Pacific/Kiritimati", 0).unwrap();
    let start = at("2026-05-31T10:00:00Z");
    assert_eq!(moved.instants(DateRange::day(date("2026-05-31"))), (start, start));
    assert_eq!(moved.business_date(at("2026-05-31T09:59:59Z")), date("2026-05-30"));
    assert_eq!(moved.business_date(start), date("2026-06-01"));
}

#[test]
fn impossible_calendars_are_refused() {
    assert_eq!(StoreCalendar::new("Mars/Olympus", 0), Err(CalendarError::UnknownZone("Mars/Olympus".into())));
    assert_eq!(StoreCalendar::new("UTC", 1_440), Err(CalendarError::CutoverOutOfRange(1_440)));
    assert_eq!(StoreCalendar::new("UTC", -1), Err(CalendarError::CutoverOutOfRange(-1)));
    let changed = StoreCalendar::utc().with_change(LocalDate(10), "Asia/Tokyo", 0).unwrap();
    assert!(matches!(
        changed.with_change(LocalDate(10), "Asia/Seoul", 0),
        Err(CalendarError::ChangesOutOfOrder { .. })
    ));
}

#[test]
fn hours_of_half_hour_zones_begin_at_half_past_utc() {
    let kolkata = store("Asia/Kolkata", 0);
    assert_eq!(kolkata.hour_start(at("2026-03-01T18:45:12Z")), at("2026-03-01T18:30:00Z"));
    assert_eq!(store("UTC", 0).hour_start(at("1969-12-31T23:45:12Z")), at("1969-12-31T23:00:00Z"));
}

#[test]
fn moments_at_the_edge_of_time_have_a_date() {
    let store = store("Pacific/Auckland", 300);
    assert!(store.business_date(crate::Instant(i64::MIN)) < store.business_date(crate::Instant(i64::MAX)));
    store.day_start(LocalDate(i32::MIN));
    store.day_start(LocalDate(i32::MAX));
    store.resolve_local(i64::MIN);
    store.resolve_local(i64::MAX);
}
