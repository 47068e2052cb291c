//! A question as it is asked: over the API, by a page, on the command line.

use portolan_core::Currency;
use portolan_core::calendar::{Comparison, DateRange};
use serde::{Deserialize, Serialize};

use crate::as_of::AsOf;
use crate::catalogue::DateBasis;
use crate::iso_date;
use crate::time::GrainChoice;

/// Which metrics, over which days, cut by what.
///
/// Money is answered per currency: a question with a money metric has one row per currency, and
/// amounts of unlike currencies are never added. With a display currency, amounts are converted into it one by one
/// where a rate is known; the others stay in rows of their own currencies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Ids of the catalogue, in the order of the answer's columns.
    pub metrics: Vec<String>,
    /// Ids of dimensions, in the order of the answer's columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<String>,
    /// Rows per day, week...; absent: one row over the whole range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grain: Option<GrainChoice>,
    /// Business dates from `from` on and before `until`, as `YYYY-MM-DD`.
    #[serde(with = "iso_date::range")]
    pub range: DateRange,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// Overrides the metrics' own date basis; orders and customers always count on the order's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_basis: Option<DateBasis>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Absent: by time and dimensions, or by the first metric, largest first, if there is no grain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<OrderBy>,
    /// At most this many rows; totals are over all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// With a grain: also rows for periods in which nothing happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dense: bool,
    /// Converts amounts at the rate of their order's day, or their payment's, rounded one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_currency: Option<Currency>,
    /// The answer as it was at that moment: of what was recorded by then, converted at the rates of
    /// exchange that counted then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<AsOf>,
}

/// Keeps the events whose dimension is (not) one of the values. `null` means unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    pub dimension: String,
    #[serde(default)]
    pub op: FilterOp,
    pub values: Vec<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum FilterOp {
    #[default]
    In,
    NotIn,
}

/// A column of the answer to sort by: a metric's or dimension's id, or `period`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderBy {
    pub by: String,
    #[serde(default)]
    pub direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Ascending,
    #[default]
    Descending,
}

impl Query {
    /// These metrics over these days, without anything else.
    pub fn over(range: DateRange, metrics: &[&str]) -> Self {
        Self {
            metrics: metrics.iter().map(|id| (*id).to_owned()).collect(),
            dimensions: Vec::new(),
            grain: None,
            range,
            comparison: None,
            date_basis: None,
            filters: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            dense: false,
            display_currency: None,
            as_of: None,
        }
    }

    /// Converted into this currency, where rates are known.
    pub fn shown_in(mut self, currency: Currency) -> Self {
        self.display_currency = Some(currency);
        self
    }

    /// As it was reported then.
    pub fn reported(mut self, as_of: AsOf) -> Self {
        self.as_of = Some(as_of);
        self
    }

    pub fn by(mut self, dimension: &str) -> Self {
        self.dimensions.push(dimension.to_owned());
        self
    }

    pub fn every(mut self, grain: GrainChoice) -> Self {
        self.grain = Some(grain);
        self
    }

    pub fn compared_to(mut self, comparison: Comparison) -> Self {
        self.comparison = Some(comparison);
        self
    }

    pub fn only(mut self, dimension: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| Some((*value).to_owned())).collect();
        self.filters.push(Filter { dimension: dimension.to_owned(), op: FilterOp::In, values });
        self
    }

    pub fn top(mut self, limit: u32, by: &str) -> Self {
        self.order_by = vec![OrderBy { by: by.to_owned(), direction: Direction::Descending }];
        self.limit = Some(limit);
        self
    }
}
