//! What holds for every calendar.

use proptest::prelude::*;

use crate::calendar::{Comparison, DateRange, Grain, RelativeRange, StoreCalendar, TenantCalendar, Weekday};
use crate::{Instant, LocalDate};

const HOUR: i64 = 3_600_000_000;

fn zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Asia/Beirut",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "Antarctica/Casey",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "Pacific/Marquesas",
    ])
}

/// Between 1970 and 2040, often close to a whole hour.
fn instant() -> impl Strategy<Value = Instant> {
    (0_i64..613_000, prop_oneof![Just(0), Just(-1), Just(1), 0..HOUR])
        .prop_map(|(hours, micros)| Instant(hours * HOUR + micros))
}

fn store() -> impl Strategy<Value = StoreCalendar> {
    let change = (0_i32..25_000, zone(), 0_i32..1_440);
    (zone(), 0_i32..1_440, prop::option::of(change)).prop_map(|(zone, cutover, change)| {
        let store = StoreCalendar::new(zone, cutover).unwrap();
        match change {
            Some((day, zone, cutover)) => store.with_change(LocalDate(day), zone, cutover).unwrap(),
            None => store,
        }
    })
}

fn tenant() -> impl Strategy<Value = TenantCalendar> {
    (prop::sample::select(Weekday::ALL.to_vec()), 1_i64..=12)
        .prop_map(|(week_start, month)| TenantCalendar::new(week_start, month).unwrap())
}

fn grain() -> impl Strategy<Value = Grain> {
    prop::sample::select(Grain::ALL.to_vec())
}

fn date_range() -> impl Strategy<Value = DateRange> {
    (-20_000_i32..40_000, 0_i32..1_500)
        .prop_map(|(from, days)| DateRange { from: LocalDate(from), until: LocalDate(from + days) })
}

proptest! {
    #[test]
    fn business_dates_never_run_backwards(store in store(), at in instant(), step in 0_i64..48 * HOUR) {
        prop_assert!(store.business_date(at) <= store.business_date(Instant(at.0 + step)));
    }

    #[test]
    fn each_instant_lies_in_exactly_one_day(store in store(), at in instant()) {
        let date = store.business_date(at);
        prop_assert!(store.day_start(date) <= at);
        prop_assert!(at < store.day_start(date.plus_days(1)));
    }

    #[test]
    fn days_follow_each_other_without_gap(store in store(), day in 0_i32..25_000) {
        let (from, until) = store.instants(DateRange::day(LocalDate(day)));
        prop_assert!(from <= until);
        if from < until {
            prop_assert_eq!(store.business_date(from), LocalDate(day));
            prop_assert_eq!(store.business_date(Instant(until.0 - 1)), LocalDate(day));
        }
    }

    #[test]
    fn what_clocks_show_comes_back(zone in zone(), at in instant()) {
        let store = StoreCalendar::new(zone, 0).unwrap();
        let shown = store.local_micros(at);
        let back = store.resolve_local(shown);
        // In a fold the first showing is taken: it shows the same and is never later.
        prop_assert!(back <= at);
        prop_assert_eq!(store.local_micros(back), shown);
    }

    #[test]
    fn hours_hold_their_instants(zone in zone(), at in instant()) {
        let store = StoreCalendar::new(zone, 0).unwrap();
        let start = store.hour_start(at);
        prop_assert!(start <= at && at.0 - start.0 < HOUR);
    }

    #[test]
    fn buckets_tile_the_range(tenant in tenant(), grain in grain(), range in date_range()) {
        let mut next = range.from;
        for bucket in tenant.buckets(grain, range) {
            prop_assert_eq!(bucket.range.from, next);
            prop_assert!(bucket.start <= bucket.range.from && !bucket.range.is_empty());
            prop_assert_eq!(bucket.complete, bucket.range == tenant.bucket(grain, bucket.start));
            next = bucket.range.until;
        }
        prop_assert_eq!(next, range.until);
    }

    #[test]
    fn every_date_lies_in_its_bucket(tenant in tenant(), grain in grain(), day in -20_000_i32..40_000) {
        let date = LocalDate(day);
        let bucket = tenant.bucket(grain, date);
        prop_assert!(bucket.contains(date));
        prop_assert_eq!(tenant.bucket_start(grain, bucket.from), bucket.from);
        prop_assert_eq!(tenant.bucket_start(grain, bucket.until), bucket.until);
        prop_assert_eq!(tenant.next_bucket(grain, tenant.previous_bucket(grain, date)), bucket.from);
    }

    #[test]
    fn coarser_buckets_are_made_of_finer_ones(tenant in tenant(), day in -20_000_i32..40_000) {
        let date = LocalDate(day);
        let [month, quarter, year] =
            [Grain::Month, Grain::Quarter, Grain::Year].map(|grain| tenant.bucket(grain, date));
        prop_assert!(quarter.from <= month.from && month.until <= quarter.until);
        prop_assert!(year.from <= quarter.from && quarter.until <= year.until);
    }

    #[test]
    fn comparisons_never_overlap_their_range(from in -20_000_i32..40_000, days in 1_i32..=300) {
        let range = DateRange { from: LocalDate(from), until: LocalDate(from + days) };
        for comparison in [Comparison::PreviousPeriod, Comparison::PreviousYear, Comparison::PreviousYearByWeekday] {
            let compared = comparison.range(range);
            prop_assert!(!compared.is_empty());
            prop_assert_eq!(compared.overlap(range), None);
        }
        prop_assert_eq!(Comparison::PreviousYearByWeekday.range(range).days(), range.days());
        prop_assert_eq!(Comparison::PreviousPeriod.range(range).until, range.from);
    }

    #[test]
    fn relative_ranges_survive_text(
        days in 1_u32..9_999,
        grain in prop::sample::select(vec![Grain::Week, Grain::Month, Grain::Quarter, Grain::Year]),
    ) {
        for range in [
            RelativeRange::LastDays(days),
            RelativeRange::This(grain),
            RelativeRange::Previous(grain),
            RelativeRange::ToDate(grain),
        ] {
            prop_assert_eq!(range.to_string().parse(), Ok(range));
        }
    }

    #[test]
    fn dates_survive_text(day in -200_000_i32..200_000) {
        let date = LocalDate(day);
        prop_assert_eq!(LocalDate::parse(&date.to_string()), Some(date));
        prop_assert_eq!(LocalDate::from_ymd(date.year(), date.month(), date.day()), Some(date));
    }
}
