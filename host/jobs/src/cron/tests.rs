use portolan_core::Instant;

use super::{CronSchedule, InvalidSchedule};

fn next(cron: &str, zone: &str, after: &str) -> String {
    let schedule = CronSchedule::parse(cron, zone).expect("schedule");
    let after = Instant::parse_rfc3339(after).expect("instant");
    schedule.next_after(after).expect("due some day").to_rfc3339()
}

#[test]
fn due_moments_follow_the_zone_also_where_its_offset_is_no_whole_hour() {
    assert_eq!(next("0 */6 * * *", "UTC", "2026-03-01T00:00:00Z"), "2026-03-01T06:00:00Z");
    assert_eq!(next("0 9 * * *", "Asia/Kolkata", "2026-03-01T00:00:00Z"), "2026-03-01T03:30:00Z");
    assert_eq!(next("0 9 * * 1", "Europe/Lisbon", "2026-07-01T00:00:00Z"), "2026-07-06T08:00:00Z");
}

#[test]
fn an_hour_that_the_clock_skips_is_not_lost_and_one_that_it_repeats_fires_once() {
    // Europe/Berlin: 02:00 to 03:00 does not exist on 29 March 2026, and exists twice on 25 October 2026.
    assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
    assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
    assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
}

#[test]
fn nonsense_is_refused_with_its_reason() {
    assert!(matches!(CronSchedule::parse("every day", "UTC"), Err(InvalidSchedule::Cron { .. })));
    assert!(matches!(CronSchedule::parse("0 0 * * *", "Mars/Olympus"), Err(InvalidSchedule::Zone(_))));
    assert!(CronSchedule::parse("0 0 30 2 *", "UTC").is_err());
}
