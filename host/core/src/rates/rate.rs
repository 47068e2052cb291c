//! How much of one currency one unit of another is.

use crate::{Currency, Decimal};

const SCALE: u8 = 12;
const UNIT: i128 = 10_i128.pow(SCALE as u32);

/// Units of one currency for one unit of another, in millionths of a millionth; above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(i64);

impl Rate {
    /// A currency against itself.
    pub const ONE: Self = Self(UNIT as i64);

    /// `None` where it is not above zero, or too large to be a rate.
    pub fn new(decimal: Decimal) -> Option<Self> {
        let unscaled = i128::from(decimal.unscaled);
        let fits = match decimal.scale {
            scale if scale <= SCALE => unscaled.checked_mul(power_of_ten(SCALE - scale)?)?,
            scale => round_div(unscaled, power_of_ten(scale - SCALE)?),
        };
        Self::of_scaled(fits)
    }

    /// The rate the other way round.
    pub fn inverse(self) -> Option<Self> {
        Self::of_scaled(round_div(UNIT * UNIT, i128::from(self.0)))
    }

    /// From one currency to a third, by way of the second.
    pub fn then(self, next: Self) -> Option<Self> {
        Self::of_scaled(round_div(i128::from(self.0) * i128::from(next.0), UNIT))
    }

    /// The mean of some rates; `None` of none.
    pub fn mean(rates: &[Self]) -> Option<Self> {
        let sum: i128 = rates.iter().map(|rate| i128::from(rate.0)).sum();
        if rates.is_empty() { None } else { Self::of_scaled(round_div(sum, rates.len() as i128)) }
    }

    /// Minor units of `to` for minor units of `from`, rounded half away from zero: so what is taken back is converted
    /// to exactly what was given. `None` where it does not fit.
    pub fn convert(self, amount_minor: i64, from: Currency, to: Currency) -> Option<i64> {
        let product = i128::from(amount_minor) * i128::from(self.0);
        let (from, to) = (from.exponent(), to.exponent());
        let (product, divisor) = if to >= from {
            (product.checked_mul(power_of_ten(to - from)?)?, UNIT)
        } else {
            (product, UNIT.checked_mul(power_of_ten(from - to)?)?)
        };
        i64::try_from(round_div(product, divisor)).ok()
    }

    fn of_scaled(scaled: i128) -> Option<Self> {
        i64::try_from(scaled).ok().filter(|scaled| *scaled > 0).map(Self)
    }
}

impl From<Rate> for Decimal {
    fn from(rate: Rate) -> Self {
        Self::new(rate.0, SCALE)
    }
}

fn power_of_ten(exponent: u8) -> Option<i128> {
    10_i128.checked_pow(exponent.into())
}

/// Half away from zero. `divisor` is above zero.
fn round_div(dividend: i128, divisor: i128) -> i128 {
    let (quotient, remainder) = (dividend / divisor, dividend % divisor);
    // Not 2 × remainder, which may not fit.
    if remainder.abs() >= divisor - remainder.abs() { quotient + dividend.signum() } else { quotient }
}
