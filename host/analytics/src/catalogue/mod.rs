//! The metric catalogue: each metric is defined once, here, and everything else looks it up.

mod define;
mod measure;
mod metrics;

use serde::{Deserialize, Serialize};

use crate::Fact;

pub use measure::{FlowColumn, Happened, Kinds, MEASURE_COUNT, Measure, Source, Term};
pub use metrics::METRICS;

/// What a metric's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Money,
    Count,
    Ratio,
    Duration,
    Quantity,
}

/// Whether the parts of a breakdown add up to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Additivity {
    /// Over every breakdown.
    Additive,
    /// Over time and channels, but one order may hold several products, and money that a bank sent back is in the payout
    /// that failed and in the next one.
    Semi,
    /// Never: totals are computed anew.
    Non,
}

/// Which of an event's dates decides where it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum DateBasis {
    /// The business date on which it happened.
    #[default]
    Event,
    /// The business date of its order; of a balance's movement, of its payment.
    Order,
}

/// A signed sum of measures.
pub type Sum = &'static [(Measure, i16)];

/// How a metric is computed from measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    Sum(Sum),
    /// Ratio of sums over the group, never a mean of ratios; 0/0 and x/0 are null, never 0.
    Ratio {
        numerator: Sum,
        denominator: Sum,
        scale: i64,
    },
}

/// One metric of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    pub id: &'static str,
    pub label: &'static str,
    pub unit: Unit,
    pub additivity: Additivity,
    /// The date a question uses unless it says otherwise. Orders, customers and disputes always use `Order`.
    pub date_basis: DateBasis,
    pub formula: Formula,
    /// Where less is better, so that pages colour a change rightly.
    pub less_is_better: bool,
    /// In words, for the tooltip and the receipt.
    pub description: &'static str,
}

impl Metric {
    /// Every measure that the formula needs, in order, each once.
    pub fn measures(&self) -> Vec<Measure> {
        let mut measures: Vec<Measure> = match self.formula {
            Formula::Sum(sum) => sum.iter().map(|(measure, _)| *measure).collect(),
            Formula::Ratio { numerator, denominator, .. } => {
                numerator.iter().chain(denominator).map(|(measure, _)| *measure).collect()
            }
        };
        measures.sort_unstable();
        measures.dedup();
        measures
    }

    /// Whether it is asked of this table.
    pub fn needs(&self, fact: Fact) -> bool {
        self.measures().iter().any(|measure| measure.source().fact() == fact)
    }

    /// Whether it must be asked per currency: some part of it is money.
    pub fn needs_currency(&self) -> bool {
        self.measures().iter().any(|measure| measure.is_money())
    }

    /// Ids of the metrics above and below the line of a ratio, where the catalogue has them.
    pub fn ratio_parts(&self) -> Option<(&'static Metric, &'static Metric)> {
        let Formula::Ratio { numerator, denominator, .. } = self.formula else { return None };
        let named = |sum: Sum| METRICS.iter().find(|metric| metric.sums_like(sum));
        Some((named(numerator)?, named(denominator)?))
    }
}

impl Metric {
    /// Whether it is this sum, its scale aside.
    fn sums_like(&self, other: Sum) -> bool {
        let Formula::Sum(own) = self.formula else { return false };
        let signs =
            |sum: Sum| sum.iter().map(|(measure, factor)| (*measure, factor.signum())).collect::<Vec<_>>();
        signs(own) == signs(other)
    }
}

/// The metric with this id.
pub fn metric(id: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.id == id)
}

/// A metric as the API describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetricInfo {
    pub id: &'static str,
    pub label: &'static str,
    pub unit: Unit,
    pub additivity: Additivity,
    pub date_basis: DateBasis,
    pub numerator: Option<&'static str>,
    pub denominator: Option<&'static str>,
    pub less_is_better: bool,
    pub per_currency: bool,
    pub description: &'static str,
}

impl From<&'static Metric> for MetricInfo {
    fn from(metric: &'static Metric) -> Self {
        let parts = metric.ratio_parts();
        Self {
            id: metric.id,
            label: metric.label,
            unit: metric.unit,
            additivity: metric.additivity,
            date_basis: metric.date_basis,
            numerator: parts.map(|(numerator, _)| numerator.id),
            denominator: parts.map(|(_, denominator)| denominator.id),
            less_is_better: metric.less_is_better,
            per_currency: metric.needs_currency(),
            description: metric.description,
        }
    }
}
