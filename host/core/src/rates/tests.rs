use proptest::prelude::*;

use super::{DatedRate, Rate, RatePolicy, RateTable};
use crate::{Currency, Decimal, LocalDate};

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn rate(text: &str) -> Rate {
    Rate::new(text.parse().unwrap()).unwrap()
}

fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

fn said(on: &str, base: &str, quote: &str, text: &str) -> DatedRate {
    DatedRate { day: day(on), base: currency(base), quote: currency(quote), rate: rate(text) }
}

fn converted(table: &RateTable, amount_minor: i64, from: &str, to: &str, on: &str) -> Option<i64> {
    table.convert(amount_minor, currency(from), currency(to), day(on))
}

#[test]
fn minor_units_of_both_sides_count() {
    for (amount_minor, from, to, text, expected) in [
        (1000, "EUR", "USD", "1.0853", 1085),
        (1000, "EUR", "JPY", "163.255", 1_633),
        (1_633, "JPY", "EUR", "0.00612539", 1000),
        (1_000, "KWD", "EUR", "3.01", 301),
        (301, "EUR", "KWD", "0.332226", 1_000),
        // Half a cent goes away from zero, on both sides of it.
        (1, "EUR", "USD", "0.5", 1),
        (-1, "EUR", "USD", "0.5", -1),
        (1, "EUR", "USD", "0.499999999999", 0),
        (0, "EUR", "USD", "1.0853", 0),
    ] {
        let found = rate(text).convert(amount_minor, currency(from), currency(to));
        assert_eq!(found, Some(expected), "{amount_minor} {from} at {text}");
    }
    assert_eq!(rate("9000000").convert(i64::MAX, currency("JPY"), currency("KWD")), None);
}

#[test]
fn only_numbers_above_zero_are_rates() {
    for text in ["0", "-1.2", "0.0000000000001", "92233720.4"] {
        let decimal: Decimal = text.parse().unwrap();
        assert_eq!(Rate::new(decimal).map(|rate| rate == Rate::ONE), None, "{text}");
    }
    assert_eq!(Rate::new("1.00000000000000".parse().unwrap()), Some(Rate::ONE));
}

#[test]
fn a_day_without_a_rate_takes_the_newest_of_the_week_before() {
    let table = RateTable::new(
        RatePolicy::EventDate,
        [said("2026-05-29", "EUR", "USD", "2"), said("2026-06-01", "EUR", "USD", "4")],
    );
    for (on, expected) in [
        ("2026-05-28", None),
        ("2026-05-29", Some(200)),
        ("2026-05-31", Some(200)),
        ("2026-06-01", Some(400)),
        ("2026-06-08", Some(400)),
        ("2026-06-09", None),
    ] {
        assert_eq!(converted(&table, 100, "EUR", "USD", on), expected, "{on}");
    }
}

#[test]
fn a_month_has_its_mean_and_a_fixed_rate_is_the_newest() {
    let rates = [
        said("2026-05-30", "EUR", "USD", "9"),
        said("2026-06-01", "EUR", "USD", "1"),
        said("2026-06-30", "EUR", "USD", "2"),
    ];
    let average = RateTable::new(RatePolicy::MonthAverage, rates);
    assert_eq!(converted(&average, 100, "EUR", "USD", "2026-06-15"), Some(150));
    assert_eq!(converted(&average, 100, "EUR", "USD", "2026-07-01"), None);
    let fixed = RateTable::new(RatePolicy::Fixed, rates);
    assert_eq!(converted(&fixed, 100, "EUR", "USD", "1999-01-01"), Some(200));
}

#[test]
fn what_was_said_comes_before_what_follows() {
    let table = RateTable::new(
        RatePolicy::EventDate,
        [
            said("2026-06-01", "EUR", "USD", "1.25"),
            said("2026-06-01", "EUR", "GBP", "0.8"),
            said("2026-06-01", "GBP", "USD", "1.6"),
        ],
    );
    let at = |from, to| converted(&table, 10_000, from, to, "2026-06-01");
    assert_eq!(at("GBP", "USD"), Some(16_000));
    assert_eq!(at("USD", "GBP"), Some(6_250));
    assert_eq!(at("USD", "EUR"), Some(8_000));
    assert_eq!(at("USD", "INR"), None);
    assert_eq!(at("INR", "INR"), Some(10_000));
    let by_euro = RateTable::new(
        RatePolicy::EventDate,
        [said("2026-06-01", "EUR", "USD", "1.25"), said("2026-06-01", "EUR", "GBP", "0.8")],
    );
    assert_eq!(converted(&by_euro, 10_000, "GBP", "USD", "2026-06-01"), Some(15_625));
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (1_i64..1_000_000_000_000, 3_u8..12)
        .prop_filter_map("a rate", |(unscaled, scale)| Rate::new(Decimal::new(unscaled, scale)))
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["EUR", "USD", "JPY", "KWD", "CLF"]).prop_map(currency)
}

proptest! {
    /// So a full refund nets to zero, whatever the rate.
    #[test]
    fn what_is_taken_back_is_converted_to_what_was_given(
        rate in any_rate(), amount_minor in any::<i64>(), from in any_currency(), to in any_currency(),
    ) {
        let amount_minor = amount_minor.max(-i64::MAX);
        let (given, back) = (rate.convert(amount_minor, from, to), rate.convert(-amount_minor, from, to));
        prop_assert_eq!(given, back.map(|back| -back));
    }

    #[test]
    fn the_result_is_within_half_a_minor_unit(
        rate in any_rate(), amount_minor in -1_000_000_000_i64..1_000_000_000, from in any_currency(), to in any_currency(),
    ) {
        let Some(found) = rate.convert(amount_minor, from, to) else { return Ok(()) };
        let units = Decimal::from(rate);
        let scale = 10_i128.pow(u32::from(units.scale));
        // found / 10^to ≈ amount / 10^from × rate, both sides times 2 × 10^from × 10^to × scale.
        let (from, to) = (10_i128.pow(from.exponent().into()), 10_i128.pow(to.exponent().into()));
        let exact = i128::from(amount_minor) * i128::from(units.unscaled) * to;
        let found = i128::from(found) * scale * from;
        prop_assert!(2 * (exact - found).abs() <= scale * from, "{} {}", exact, found);
    }

    #[test]
    fn a_larger_amount_is_never_worth_less(
        rate in any_rate(), left in any::<i32>(), right in any::<i32>(), from in any_currency(), to in any_currency(),
    ) {
        let (less, more) = (i64::from(left.min(right)), i64::from(left.max(right)));
        if let (Some(less), Some(more)) = (rate.convert(less, from, to), rate.convert(more, from, to)) {
            prop_assert!(less <= more);
        }
    }

    #[test]
    fn the_order_in_which_rates_became_known_does_not_matter(
        mut rates in prop::collection::vec((0_i32..60, any_currency(), any_currency(), any_rate()), 0..30),
        asked in 0_i32..70, from in any_currency(), to in any_currency(),
        policy in prop::sample::select(RatePolicy::ALL.to_vec()),
    ) {
        // One word for each pair and day.
        rates.sort_by_key(|(day, base, quote, _)| (*day, *base, *quote));
        rates.dedup_by_key(|(day, base, quote, _)| (*day, *base, *quote));
        let mut dated: Vec<DatedRate> = rates
            .into_iter()
            .map(|(day, base, quote, rate)| DatedRate { day: LocalDate(day), base, quote, rate })
            .collect();
        let forth = RateTable::new(policy, dated.iter().copied());
        dated.reverse();
        let back = RateTable::new(policy, dated);
        prop_assert_eq!(forth.rate(from, to, LocalDate(asked)), back.rate(from, to, LocalDate(asked)));
        prop_assert_eq!(forth.rate(from, from, LocalDate(asked)), Some(Rate::ONE));
    }

    #[test]
    fn there_and_back_is_nearly_the_same(rate in any_rate()) {
        if let Some(inverse) = rate.inverse() {
            let both = rate.then(inverse).map(Decimal::from);
            // Twelve digits of the smaller one are lost at most.
            if Decimal::from(rate).unscaled > 1_000_000 && Decimal::from(inverse).unscaled > 1_000_000 {
                let unscaled = both.map_or(0, |both| both.unscaled);
                prop_assert!((unscaled - 1_000_000_000_000).abs() <= 1_000_000, "{}", unscaled);
            }
        }
    }
}
