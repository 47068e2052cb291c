//! From exact sums to what is shown: money, counts, ratios; and how one period changed to another.

use portolan_core::{Currency, Decimal, Money};

use super::fold::Sums;
use crate::AnalyticsError;
use crate::catalogue::{Formula, Metric, Sum, Unit};
use crate::table::{Cell, Compared};

/// The value of a metric. `currency` is present whenever money is among the question's metrics.
pub(super) fn metric_cell(
    metric: &'static Metric,
    sums: &Sums,
    currency: Option<Currency>,
) -> Result<Cell, AnalyticsError> {
    match metric.formula {
        Formula::Sum(sum) => amount(metric, total(sum, sums), currency),
        Formula::Ratio { numerator, denominator, scale } => {
            let above = total(numerator, sums) * i128::from(scale);
            let below = total(denominator, sums);
            if below == 0 {
                return Ok(Cell::Null);
            }
            match metric.unit {
                Unit::Ratio => Ok(Cell::Ratio(above as f64 / below as f64)),
                _ => amount(metric, divide_rounded(above, below), currency),
            }
        }
    }
}

/// The value then, and the relative change since.
pub(super) fn compared(now: &Cell, then: Cell) -> Compared {
    let change = match (now.as_f64(), then.as_f64()) {
        (Some(now), Some(then)) if then.abs() > 0.0 => Some((now - then) / then.abs()),
        _ => None,
    };
    Compared { value: then, change }
}

fn total(sum: Sum, sums: &Sums) -> i128 {
    sum.iter().map(|(measure, factor)| i128::from(*factor) * sums[measure.index()]).sum()
}

fn amount(metric: &'static Metric, amount: i128, currency: Option<Currency>) -> Result<Cell, AnalyticsError> {
    let overflow = || AnalyticsError::Overflow {
        metric: metric.label,
        currency: currency.map(|code| code.to_string()).unwrap_or_default(),
    };
    let amount = i64::try_from(amount).map_err(|_| overflow())?;
    Ok(match (metric.unit, currency) {
        (Unit::Money, Some(currency)) => Cell::Money(Money::new(amount, currency)),
        (Unit::Quantity, _) => Cell::Quantity(short(amount)),
        _ => Cell::Count(amount),
    })
}

/// Thousandths of units without needless zeros: `2`, not `2.000`.
fn short(milli: i64) -> Decimal {
    let mut decimal = Decimal::new(milli, 3);
    while decimal.scale > 0 && decimal.unscaled % 10 == 0 {
        decimal = Decimal::new(decimal.unscaled / 10, decimal.scale - 1);
    }
    decimal
}

/// Halves away from zero, as people round money.
fn divide_rounded(above: i128, below: i128) -> i128 {
    let quotient = above / below;
    let remainder = above % below;
    if remainder.abs() * 2 >= below.abs() {
        quotient + if (above < 0) == (below < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}
