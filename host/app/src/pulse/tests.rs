use portolan_core::LocalDate;
use portolan_core::calendar::{Comparison, DateRange, Grain, TenantCalendar};

use portolan_admin_ui::pages::FreshnessRow;
use portolan_admin_ui::parts::{Badge, Tone, When};

use super::queries::tenant_calendar;
use super::scope::{LedgerDays, PulseQuery, Scope};
use super::views::freshness_text;

fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).expect("a date")
}

fn resolve(query: &PulseQuery, days: LedgerDays) -> Scope {
    Scope::resolve(query, days, day("2026-11-20"), &TenantCalendar::default())
}

fn dates(from: &str, until: &str) -> PulseQuery {
    PulseQuery { from: from.to_owned(), until: until.to_owned(), ..PulseQuery::default() }
}

fn named(range: &str) -> PulseQuery {
    PulseQuery { range: range.to_owned(), ..PulseQuery::default() }
}

fn range(first: &str, last: &str) -> DateRange {
    DateRange::inclusive(day(first), day(last)).expect("in order")
}

fn historic() -> LedgerDays {
    Some((day("2010-12-01"), day("2011-12-09")))
}

#[test]
fn without_a_question_the_last_thirty_days_are_shown() {
    let scope = resolve(&PulseQuery::default(), Some((day("2026-01-01"), day("2026-11-20"))));
    assert_eq!(scope.range, range("2026-10-22", "2026-11-20"));
    assert_eq!(scope.comparison, Some(Comparison::PreviousPeriod));
    assert!(!scope.ends_with_newest_data);
}

#[test]
fn historic_data_ends_the_range_and_the_page_says_so() {
    let scope = resolve(&PulseQuery::default(), historic());
    assert_eq!(scope.range, range("2011-11-10", "2011-12-09"));
    assert!(scope.ends_with_newest_data);
    let month = resolve(&named("previous_month"), historic());
    assert_eq!(month.range, range("2011-11-01", "2011-11-30"));
}

#[test]
fn data_of_the_future_does_not_move_today() {
    let scope = resolve(&PulseQuery::default(), Some((day("2026-01-01"), day("2031-01-01"))));
    assert_eq!(scope.range.last(), Some(day("2026-11-20")));
}

#[test]
fn everything_is_compared_with_nothing_unless_asked() {
    let scope = resolve(&named("all"), historic());
    assert_eq!(scope.range, range("2010-12-01", "2011-12-09"));
    assert_eq!(scope.comparison, None);
    let asked = PulseQuery { compare: "year".to_owned(), ..named("all") };
    assert_eq!(resolve(&asked, historic()).comparison, Some(Comparison::PreviousYear));
}

#[test]
fn dates_are_taken_as_they_are_given() {
    let scope = resolve(&dates("2011-01-01", "2011-01-31"), historic());
    assert_eq!(scope.range, range("2011-01-01", "2011-01-31"));
    assert_eq!(scope.error, None);
    assert!(!scope.ends_with_newest_data);
    assert_eq!(scope.compared_text().as_deref(), Some("1–31 Dec 2010"));
}

#[test]
fn one_date_is_enough() {
    assert_eq!(resolve(&dates("2011-12-01", ""), historic()).range, range("2011-12-01", "2011-12-09"));
    assert_eq!(resolve(&dates("", "2011-06-30"), historic()).range, range("2011-06-01", "2011-06-30"));
    assert_eq!(resolve(&dates("2026-01-05", ""), historic()).range, range("2026-01-05", "2026-01-05"));
}

#[test]
fn a_bad_date_is_an_error_beside_the_filter_and_the_default_is_shown() {
    for query in [
        dates("2011-02-30", "2011-03-01"),
        dates("yesterday", ""),
        dates("0001-01-01", "2011-01-01"),
        dates("2011-03-01", "2011-02-01"),
        named("last_0_days"),
        named("<script>"),
    ] {
        let scope = resolve(&query, historic());
        assert!(scope.error.is_some(), "{query:?}");
        assert_eq!(scope.range, range("2011-11-10", "2011-12-09"));
    }
}

#[test]
fn the_current_preset_is_marked_and_keeps_the_other_filters() {
    let query =
        PulseQuery { compare: "none".to_owned(), connection: "abc-1".to_owned(), ..named("last_7_days") };
    let scope = resolve(&query, historic());
    let presets = query.presets(&scope);
    let current: Vec<&str> =
        presets.iter().filter(|preset| preset.current).map(|preset| preset.text.as_str()).collect();
    assert_eq!(current, ["7 days"]);
    assert_eq!(presets[0].href, "/pulse?range=last_7_days&compare=none&connection=abc-1");
    assert_eq!(query.live_address(&scope), presets[0].href);
}

#[test]
fn an_address_carries_no_foreign_words() {
    let query = PulseQuery { connection: "x&from=1".to_owned(), ..named("last_7_days") };
    assert_eq!(query.live_address(&resolve(&query, None)), "/pulse?range=last_7_days");
}

#[test]
fn a_currency_is_chosen_by_address_and_kept() {
    let (euro, yen) = ("EUR".parse().expect("a currency"), "JPY".parse().expect("a currency"));
    let query = PulseQuery { compare: "year".to_owned(), ..named("last_7_days") };
    assert_eq!(query.asked_currency(), None);
    let links = query.currencies(&resolve(&query, historic()), &[euro, yen], euro);
    let found: Vec<(&str, bool)> = links.iter().map(|link| (link.href.as_str(), link.current)).collect();
    assert_eq!(
        found,
        [
            ("/pulse?range=last_7_days&compare=year&currency=EUR", true),
            ("/pulse?range=last_7_days&compare=year&currency=JPY", false),
        ]
    );
    let chosen = PulseQuery { currency: "JPY".to_owned(), ..query };
    assert_eq!(chosen.asked_currency(), Some(yen));
    let scope = resolve(&chosen, historic());
    assert!(chosen.presets(&scope).iter().all(|preset| preset.href.ends_with("&currency=JPY")));
    assert!(chosen.live_address(&scope).ends_with("&currency=JPY"));
    for typed in ["", "EUR&x=1", "e\u{301}uro", "EURO EURO"] {
        let odd = PulseQuery { currency: typed.to_owned(), ..named("last_7_days") };
        assert_eq!(odd.live_address(&resolve(&odd, None)), "/pulse?range=last_7_days", "{typed}");
    }
}

#[test]
fn a_day_of_reporting_is_kept_in_addresses_until_somebody_goes_back() {
    let query = PulseQuery { as_of: "2026-11-10".to_owned(), ..named("last_7_days") };
    let scope = resolve(&query, historic());
    assert_eq!((scope.as_of, scope.error.as_deref()), (Some(day("2026-11-10")), None));
    assert_eq!(query.live_address(&scope), "/pulse?range=last_7_days&as_of=2026-11-10");
    assert_eq!(query.back_to_now(&scope), "/pulse?range=last_7_days");
    let of_then = resolve(&query, None).range;
    assert_eq!(
        (of_then.from, of_then.until),
        (day("2026-11-04"), day("2026-11-11")),
        "the seven days before it"
    );
    let today = PulseQuery { as_of: "2026-11-20".to_owned(), ..named("last_7_days") };
    assert_eq!(resolve(&today, historic()).as_of, None, "today is not over");
    let odd = PulseQuery { as_of: "yesterday".to_owned(), ..named("last_7_days") };
    let scope = resolve(&odd, historic());
    assert_eq!(scope.as_of, None);
    assert!(scope.error.is_some_and(|error| error.starts_with("As reported on")));
}

#[test]
fn weeks_begin_on_the_day_that_the_tenant_says() {
    let tenant = |week_start| portolan_db::entity::tenant::Model {
        id: uuid::Uuid::nil(),
        slug: "shop".to_owned(),
        name: "Shop".to_owned(),
        reporting_currency: "EUR".to_owned(),
        rate_policy: "event_date".to_owned(),
        rates_changed_at: 0,
        time_zone: "UTC".to_owned(),
        week_start,
        fiscal_start_month: 1,
        created_at: 0,
        access_version: 0,
        parent_id: None,
    };
    // 20 November 2026 is a Friday.
    let first_day =
        |week_start| tenant_calendar(&tenant(week_start)).bucket_start(Grain::Week, day("2026-11-20"));
    assert_eq!(first_day(1), day("2026-11-16"), "one is Monday");
    assert_eq!(first_day(7), day("2026-11-15"), "seven is Sunday");
    assert_eq!(first_day(0), day("2026-11-16"), "what no calendar knows is Monday");
}

#[test]
fn a_source_that_has_not_come_is_named() {
    let row = |label: &str, when: Option<When>| FreshnessRow {
        label: label.to_owned(),
        href: String::new(),
        state: Badge::new("up to date", Tone::Good),
        when,
        note: None,
    };
    let when =
        |text: &str, iso: &str| When { text: text.to_owned(), full: String::new(), iso: iso.to_owned() };
    let fresh = row("Shop", Some(when("1 min ago", "2026-11-20T11:59:00Z")));
    let stale = row("Till", Some(when("2 h ago", "2026-11-20T10:00:00Z")));
    assert_eq!(freshness_text([&fresh, &stale].into_iter()).as_deref(), Some("complete as of 2 h ago"));
    let never = row("Market", None);
    let told = freshness_text([&fresh, &never].into_iter());
    assert_eq!(told.as_deref(), Some("without Market, which is not complete yet"));
    assert_eq!(freshness_text([].into_iter()), None);
}
