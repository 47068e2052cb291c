//! Exact decimals for quantities, unit prices and rates. Never a float.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `unscaled` × 10^-`scale`.
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
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::money::write_scaled(formatter, self.unscaled.into(), self.scale)
    }
}
