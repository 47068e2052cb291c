//! Exact decimals for quantities, unit prices and rates. Never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Currency;

/// `unscaled` × 10^-`scale`. Equality is of digits: 1.0 and 1.00 differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decimal {
    pub unscaled: i64,
    pub scale: u8,
}

impl Decimal {
    pub const fn new(unscaled: i64, scale: u8) -> Self {
        Self { unscaled, scale }
    }

    pub const fn whole(number: i64) -> Self {
        Self { unscaled: number, scale: 0 }
    }

    /// The same number at `scale` digits; `None` when digits would be lost or it does not fit.
    pub fn rescale(self, scale: u8) -> Option<i64> {
        let mut unscaled = self.unscaled;
        if unscaled == 0 {
            return Some(0);
        }
        for _ in self.scale..scale {
            unscaled = unscaled.checked_mul(10)?;
        }
        for _ in scale..self.scale {
            if unscaled % 10 != 0 {
                return None;
            }
            unscaled /= 10;
        }
        Some(unscaled)
    }

    /// Thousandths, as the ledger counts units; `None` when digits would be lost.
    pub fn to_milli(self) -> Option<i64> {
        self.rescale(3)
    }

    /// Minor units of a currency; `None` when digits would be lost (`12.345 EUR`).
    pub fn to_minor(self, currency: Currency) -> Option<i64> {
        self.rescale(currency.exponent())
    }

    /// An amount in minor units as a decimal number.
    pub fn from_minor(amount_minor: i64, currency: Currency) -> Self {
        Self::new(amount_minor, currency.exponent())
    }
}

/// The text is no decimal number, or has more digits than fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number")]
pub struct InvalidDecimal(pub String);

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    /// Reads plain digits: an optional sign, digits, optionally a point and digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidDecimal(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<Decimal> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut unscaled = 0_i64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(digit - b'0');
        let shifted = unscaled.checked_mul(10)?;
        unscaled = if negative { shifted.checked_sub(digit)? } else { shifted.checked_add(digit)? };
    }
    Some(Decimal::new(unscaled, u8::try_from(fraction.len()).ok()?))
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::money::write_scaled(formatter, self.unscaled.into(), self.scale)
    }
}

#[cfg(test)]
mod tests;
