//! Exactness, by cases and by property.

use proptest::prelude::*;

use super::*;

#[test]
fn decimals_are_read_exactly() {
    let cases = [
        ("0", Decimal::whole(0)),
        ("-0.00", Decimal::whole(0)),
        ("12.50", Decimal::new(125, 1)),
        ("+3", Decimal::whole(3)),
        (".5", Decimal::new(5, 1)),
        ("5.", Decimal::whole(5)),
        ("1e3", Decimal::whole(1000)),
        ("1.5E-3", Decimal::new(15, 4)),
        (" 7 ", Decimal::whole(7)),
        ("9223372036854775807", Decimal::whole(i64::MAX)),
        ("-0.000000000000000001", Decimal::new(-1, 18)),
    ];
    for (text, expected) in cases {
        assert_eq!(decimal(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_exact_decimal_is_an_error() {
    for text in [
        "",
        ".",
        "-",
        "1,5",
        "1.2.3",
        "1 000",
        "0x1",
        "NaN",
        "inf",
        "1e",
        "1e999",
        "--1",
        "9223372036854775808",
        "0.0000000000000000001",
        "١",
    ] {
        assert!(decimal(text).is_err(), "{text}");
    }
}

proptest! {
    /// The quick way for plain numbers and the one for all agree, down to the last digit.
    #[test]
    fn plain_numbers_are_read_as_any_other(text in "[-+]?[0-9]{0,20}([.][0-9]{0,20})?") {
        prop_assert_eq!(decimal(&text).ok(), any_decimal(&text).ok());
        for currency in ["EUR", "JPY", "KWD", "CLF"] {
            let through_decimal = any_decimal(&text).and_then(|amount| minor_of(amount, currency));
            prop_assert_eq!(minor(&text, currency).ok(), through_decimal.ok());
        }
    }
}

#[test]
fn excess_precision_is_an_error_and_not_a_rounding() {
    assert_eq!(minor("12.5", "EUR"), Ok(1250));
    assert_eq!(minor("12.340", "USD"), Ok(1234));
    assert_eq!(minor("500", "JPY"), Ok(500));
    assert_eq!(minor("1.234", "KWD"), Ok(1234));
    assert_eq!(minor("1.2345", "CLF"), Ok(12345));
    assert!(minor("1.005", "USD").is_err());
    assert!(minor("0.5", "JPY").is_err());
    assert!(minor("92233720368547758.08", "USD").is_err());
}

#[test]
fn a_channels_own_scale_is_brought_to_the_currencys() {
    assert_eq!(from_scaled(100, 2, "ISK"), Ok(1));
    assert!(from_scaled(150, 2, "ISK").is_err());
    assert_eq!(from_scaled(1_500_000, 6, "USD"), Ok(150));
    assert_eq!(from_scaled(15, 0, "KWD"), Ok(15_000));
}

#[test]
fn rounding_is_half_away_from_zero() {
    let cases = [
        ("0.125", 13),
        ("0.124", 12),
        ("-0.125", -13),
        ("0.135", 14),
        ("-0.004", 0),
        ("-0.005", -1),
        ("1", 100),
    ];
    for (text, expected) in cases {
        assert_eq!(decimal(text).and_then(|amount| rounded_minor(amount, "EUR")), Ok(expected), "{text}");
    }
    assert_eq!(rounded_product(Decimal::whole(3), Decimal::new(333, 3), "EUR"), Ok(100));
    assert!(rounded_product(Decimal::whole(i64::MAX), Decimal::whole(2), "EUR").is_err());
}

#[test]
fn currency_codes_are_checked() {
    assert_eq!(currency(" eur "), Ok("EUR".to_owned()));
    assert_eq!(currency("X-POINTS"), Ok("X-POINTS".to_owned()));
    for text in ["", "EU", "EURO", "E1R", "X-", "X-TOOLONGCODE"] {
        assert!(currency(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_decimal_survives_its_own_spelling(unscaled: i64, scale in 0_u8..=18) {
        let original = Decimal::new(unscaled, scale);
        let read = decimal(&original.to_string()).expect("readable");
        prop_assert_eq!(rescaled(read.unscaled.into(), read.scale, scale), Some(unscaled.into()));
    }

    #[test]
    fn exact_amounts_and_rounded_amounts_agree(amount_minor in -1_000_000_000_i64..1_000_000_000) {
        let spelt = Decimal::new(amount_minor, 2).to_string();
        prop_assert_eq!(minor(&spelt, "EUR"), Ok(amount_minor));
        prop_assert_eq!(decimal(&spelt).and_then(|exact| rounded_minor(exact, "EUR")), Ok(amount_minor));
    }

    #[test]
    fn rounding_is_symmetric_and_never_off_by_more_than_half(unscaled in -1_000_000_000_i64..1_000_000_000, scale in 0_u8..=9) {
        let amount = Decimal::new(unscaled, scale);
        let mirrored = Decimal::new(-unscaled, scale);
        let rounded = rounded_minor(amount, "EUR").expect("small enough");
        prop_assert_eq!(rounded_minor(mirrored, "EUR"), Ok(-rounded));
        let unit = 10_i128.pow(scale.into());
        let difference = i128::from(rounded) * unit - i128::from(unscaled) * 100;
        prop_assert!(difference.abs() * 2 <= unit, "{} gave {}", amount, rounded);
    }

    #[test]
    fn no_text_makes_it_panic(text: String) {
        let _ = decimal(&text);
        let _ = minor(&text, "EUR");
        let _ = currency(&text);
    }

    #[test]
    fn sums_do_not_depend_on_the_order(left: i32, left_scale in 0_u8..6, right: i32, right_scale in 0_u8..6) {
        let (left, right) = (Decimal::new(left.into(), left_scale), Decimal::new(right.into(), right_scale));
        prop_assert_eq!(left.checked_add(right), right.checked_add(left));
    }
}
