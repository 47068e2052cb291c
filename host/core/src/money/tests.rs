use proptest::prelude::*;

use super::{Money, MoneyError, MoneyTotals, allocate};
use crate::Currency;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF", "INR", "X-POINTS"]).prop_map(currency)
}

/// Small amounts, huge amounts and the edges.
fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![-1_000_i64..1_000, any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0)]
}

#[test]
fn the_largest_remainder_gets_the_odd_cent() {
    for (total, weights, expected) in [
        (100, vec![1, 1, 1], vec![34, 33, 33]),
        (-100, vec![1, 1, 1], vec![-34, -33, -33]),
        (10, vec![2, 1], vec![7, 3]),
        (10, vec![1, 2], vec![3, 7]),
        (5, vec![0, 0], vec![3, 2]),
        (5, vec![-3, 0], vec![3, 2]),
        (5, vec![-3, 1], vec![0, 5]),
        (0, vec![3, 4], vec![0, 0]),
        (7, vec![], vec![]),
        (i64::MIN, vec![1], vec![i64::MIN]),
    ] {
        assert_eq!(allocate(total, &weights), expected, "{total} over {weights:?}");
    }
}

#[test]
fn exponents_follow_iso_4217() {
    for (code, exponent, shown) in [
        ("EUR", 2, "12.34 EUR"),
        ("JPY", 0, "1234 JPY"),
        ("KWD", 3, "1.234 KWD"),
        ("CLF", 4, "0.1234 CLF"),
        ("X-POINTS", 2, "12.34 X-POINTS"),
    ] {
        assert_eq!(currency(code).exponent(), exponent, "{code}");
        assert_eq!(Money::new(1234, currency(code)).to_string(), shown);
    }
    assert_eq!(Money::new(-5, currency("EUR")).to_string(), "-0.05 EUR");
    for text in ["", "eur", "EURO", "E1R", "X-", "X-lower", "X-ABCDEFGHIJKLM"] {
        assert!(text.parse::<Currency>().is_err(), "{text}");
    }
}

#[test]
fn an_amount_never_has_more_digits_than_its_currency() {
    assert_eq!(Money::parse("12.3", currency("EUR")), Ok(Money::new(1230, currency("EUR"))));
    assert_eq!(Money::parse("12.340", currency("EUR")), Ok(Money::new(1234, currency("EUR"))));
    assert_eq!(Money::parse("-0.5", currency("KWD")), Ok(Money::new(-500, currency("KWD"))));
    assert!(Money::parse("12.345", currency("EUR")).is_err());
    assert!(Money::parse("0.5", currency("JPY")).is_err());
}

proptest! {
    #[test]
    fn parts_add_up_to_the_whole(total in amount(), weights in prop::collection::vec(amount(), 1..40)) {
        let parts = allocate(total, &weights);
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(total));
    }

    #[test]
    fn parts_have_the_sign_of_the_whole(total in amount(), weights in prop::collection::vec(amount(), 1..40)) {
        for part in allocate(total, &weights) {
            prop_assert!(part == 0 || part.signum() == total.signum());
        }
    }

    #[test]
    fn each_part_is_within_one_of_its_exact_share(
        total in -1_000_000_000_i64..1_000_000_000,
        weights in prop::collection::vec(0_i64..1_000_000, 1..40),
    ) {
        let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        prop_assume!(sum > 0);
        for (part, weight) in allocate(total, &weights).into_iter().zip(weights) {
            // |part − total × weight / sum| < 1, without dividing.
            let distance = i128::from(part) * sum - i128::from(total) * i128::from(weight);
            prop_assert!(distance.abs() < sum);
            prop_assert!(weight > 0 || part == 0);
        }
    }

    #[test]
    fn unlike_currencies_never_add(
        left in (amount(), any_currency()), right in (amount(), any_currency()),
    ) {
        let (left, right) = (Money::new(left.0, left.1), Money::new(right.0, right.1));
        match left.checked_add(right) {
            Ok(sum) => {
                prop_assert_eq!(left.currency, right.currency);
                prop_assert_eq!(sum.amount_minor, left.amount_minor + right.amount_minor);
            }
            Err(MoneyError::Overflow) => {
                prop_assert!(left.amount_minor.checked_add(right.amount_minor).is_none());
            }
            Err(MoneyError::UnlikeCurrencies { .. }) => prop_assert_ne!(left.currency, right.currency),
        }
    }

    #[test]
    fn totals_keep_currencies_apart_and_cannot_overflow(
        amounts in prop::collection::vec((amount(), any_currency()), 0..50),
    ) {
        let mut totals = MoneyTotals::default();
        for (amount_minor, currency) in &amounts {
            totals.add(Money::new(*amount_minor, *currency));
        }
        for (currency, sum) in totals.iter() {
            let own = amounts.iter().filter(|(_, code)| *code == currency);
            prop_assert_eq!(sum, own.map(|(amount, _)| i128::from(*amount)).sum::<i128>());
        }
    }

    #[test]
    fn amounts_survive_text(amount_minor in amount(), currency in any_currency()) {
        let money = Money::new(amount_minor, currency);
        let shown = money.to_string();
        let (digits, code) = shown.split_once(' ').unwrap();
        prop_assert_eq!(Money::parse(digits, code.parse().unwrap()), Ok(money));
    }
}
