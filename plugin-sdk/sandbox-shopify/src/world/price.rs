//! Tax and shares, in whole minor units.

/// `part` of `whole` of an amount, rounded half away from zero.
pub fn share(amount_minor: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 { 0 } else { rounded(i128::from(amount_minor) * i128::from(part), i128::from(whole)) }
}

/// Tax of an amount after discounts: inside it where prices include tax, on top where not.
pub fn tax(amount_minor: i64, basis_points: i64, included: bool) -> i64 {
    let below = if included { 10_000 + basis_points } else { 10_000 };
    rounded(i128::from(amount_minor) * i128::from(basis_points), i128::from(below))
}

/// The presentment amount of a shop amount.
pub fn present(amount_minor: i64, rate_micro: i64, from_exponent: u32, to_exponent: u32) -> i64 {
    let scaled = i128::from(amount_minor) * i128::from(rate_micro) * 10_i128.pow(to_exponent);
    rounded(scaled, 1_000_000 * 10_i128.pow(from_exponent))
}

fn rounded(numerator: i128, denominator: i128) -> i64 {
    let half = denominator / 2;
    let shifted = if numerator < 0 { numerator - half } else { numerator + half };
    (shifted / denominator) as i64
}
