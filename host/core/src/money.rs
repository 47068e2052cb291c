//! Money: minor units and a currency; sums in `i128`; parts that add up to their whole.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decimal::InvalidDecimal;
use crate::{Currency, Decimal};

/// An amount in the minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub amount_minor: i64,
    pub currency: Currency,
}

/// What can go wrong with money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("cannot add {right} to {left}: convert one of them first")]
    UnlikeCurrencies { left: Currency, right: Currency },
    #[error("amount does not fit into 64 bits of minor units")]
    Overflow,
}

impl Money {
    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self { amount_minor, currency }
    }

    /// The sum of two amounts of one currency.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::UnlikeCurrencies { left: self.currency, right: other.currency });
        }
        let sum = self.amount_minor.checked_add(other.amount_minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(sum, self.currency))
    }

    /// Reads plain digits with at most as many decimals as the currency has: `12.34`, `-5`, `1200`.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, InvalidDecimal> {
        let amount_minor = text.parse::<Decimal>()?.to_minor(currency);
        let amount_minor = amount_minor.ok_or_else(|| InvalidDecimal(text.chars().take(40).collect()))?;
        Ok(Self::new(amount_minor, currency))
    }
}

/// `12.34 EUR`; plain digits, for logs and tests. Pages format by locale.
impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(formatter, self.amount_minor.into(), self.currency.exponent())?;
        write!(formatter, " {}", self.currency)
    }
}

/// Sums per currency, wide enough that they cannot overflow; unlike currencies stay apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoneyTotals {
    sums: BTreeMap<Currency, i128>,
}

impl MoneyTotals {
    pub fn add(&mut self, money: Money) {
        *self.sums.entry(money.currency).or_default() += i128::from(money.amount_minor);
    }

    pub fn get(&self, currency: Currency) -> i128 {
        self.sums.get(&currency).copied().unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Currency, i128)> + '_ {
        self.sums.iter().map(|(currency, sum)| (*currency, *sum))
    }
}

/// Spreads `total` over `weights` so that the parts add up to it exactly (largest remainder;
/// ties go to the earlier part). Negative weights count as zero; without any weight the parts
/// are as even as possible. Empty weights give no parts.
pub fn allocate(total: i64, weights: &[i64]) -> Vec<i64> {
    if weights.is_empty() {
        return Vec::new();
    }
    let mut weights: Vec<i128> = weights.iter().map(|weight| i128::from((*weight).max(0))).collect();
    let mut weight_sum: i128 = weights.iter().sum();
    if weight_sum == 0 {
        weights.fill(1);
        weight_sum = weights.len() as i128;
    }
    let magnitude = i128::from(total).abs();
    let mut parts: Vec<i128> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        parts.push(magnitude * weight / weight_sum);
        remainders.push((magnitude * weight % weight_sum, index));
    }
    // Fewer than there are parts: each division lost less than one.
    let missing = (magnitude - parts.iter().sum::<i128>()) as usize;
    remainders.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    for (_, index) in remainders.into_iter().take(missing) {
        parts[index] += 1;
    }
    let sign = i128::from(total.signum());
    parts.into_iter().map(|part| (part * sign) as i64).collect()
}

pub(crate) fn write_scaled(formatter: &mut fmt::Formatter<'_>, unscaled: i128, scale: u8) -> fmt::Result {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if fraction.is_empty() {
        write!(formatter, "{sign}{whole}")
    } else {
        write!(formatter, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests;
