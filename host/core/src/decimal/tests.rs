use proptest::prelude::*;

use super::Decimal;

#[test]
fn plain_digits_are_read_and_nothing_else() {
    for (text, expected) in [
        ("0", Decimal::new(0, 0)),
        ("12.50", Decimal::new(1250, 2)),
        ("-12.5", Decimal::new(-125, 1)),
        ("+3", Decimal::new(3, 0)),
        (".5", Decimal::new(5, 1)),
        ("5.", Decimal::new(5, 0)),
        ("007", Decimal::new(7, 0)),
        ("-9223372036854775808", Decimal::new(i64::MIN, 0)),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
    for text in ["", "-", ".", "1e3", "1,5", "1 000", " 1", "--1", "1.2.3", "٣", "NaN", "9223372036854775808"]
    {
        assert!(text.parse::<Decimal>().is_err(), "{text}");
    }
}

#[test]
fn thousandths_lose_no_digit() {
    assert_eq!(Decimal::new(15, 1).to_milli(), Some(1_500));
    assert_eq!(Decimal::new(15_000, 4).to_milli(), Some(1_500));
    assert_eq!(Decimal::new(15_001, 4).to_milli(), None);
    assert_eq!(Decimal::new(0, 200).to_milli(), Some(0));
    assert_eq!(Decimal::new(i64::MAX, 0).to_milli(), None);
}

proptest! {
    #[test]
    fn decimals_survive_text(unscaled in any::<i64>(), scale in 0_u8..30) {
        let decimal = Decimal::new(unscaled, scale);
        prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
    }

    #[test]
    fn rescaling_up_and_back_changes_nothing(unscaled in -1_000_000_i64..1_000_000, scale in 0_u8..6, more in 0_u8..6) {
        let wider = Decimal::new(unscaled, scale).rescale(scale + more).unwrap();
        prop_assert_eq!(Decimal::new(wider, scale + more).rescale(scale), Some(unscaled));
    }
}
