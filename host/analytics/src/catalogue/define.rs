//! Metrics as short as their definitions are.

use super::{Additivity, DateBasis, Formula, Metric, Sum, Unit};

pub(super) const fn money(
    id: &'static str,
    label: &'static str,
    sum: Sum,
    description: &'static str,
) -> Metric {
    additive(id, label, Unit::Money, sum, description)
}

pub(super) const fn quantity(
    id: &'static str,
    label: &'static str,
    sum: Sum,
    description: &'static str,
) -> Metric {
    additive(id, label, Unit::Quantity, sum, description)
}

pub(super) const fn additive(
    id: &'static str,
    label: &'static str,
    unit: Unit,
    sum: Sum,
    description: &'static str,
) -> Metric {
    Metric {
        id,
        label,
        unit,
        additivity: Additivity::Additive,
        date_basis: DateBasis::Event,
        formula: Formula::Sum(sum),
        less_is_better: false,
        description,
    }
}

pub(super) const fn count(
    id: &'static str,
    label: &'static str,
    sum: Sum,
    description: &'static str,
) -> Metric {
    Metric {
        id,
        label,
        unit: Unit::Count,
        additivity: Additivity::Non,
        date_basis: DateBasis::Order,
        formula: Formula::Sum(sum),
        less_is_better: false,
        description,
    }
}

pub(super) const fn ratio(
    id: &'static str,
    label: &'static str,
    unit: Unit,
    numerator: Sum,
    denominator: Sum,
    scale: i64,
    description: &'static str,
) -> Metric {
    Metric {
        id,
        label,
        unit,
        additivity: Additivity::Non,
        date_basis: DateBasis::Event,
        formula: Formula::Ratio { numerator, denominator, scale },
        less_is_better: false,
        description,
    }
}

pub(super) const fn less(metric: Metric) -> Metric {
    Metric { less_is_better: true, ..metric }
}

/// Additive over every breakdown but one, in which a thing may belong to several rows.
pub(super) const fn semi(metric: Metric) -> Metric {
    Metric { additivity: Additivity::Semi, ..metric }
}

/// Counted by the date of the payment, whatever date was asked.
pub(super) const fn by_payment(metric: Metric) -> Metric {
    Metric { date_basis: DateBasis::Order, ..metric }
}
