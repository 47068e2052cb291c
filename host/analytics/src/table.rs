//! The answer: the same object for API, page, export and mail.

use std::sync::Arc;

use portolan_core::calendar::{Bucket, Comparison, DateRange, Grain};
use portolan_core::{Currency, Decimal, Instant, LocalDate, Money};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::catalogue::{Additivity, DateBasis, Unit};
use crate::iso_date;
use crate::visibility::MASKED;

/// Rows and their totals. Cells stand in the order of `columns`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Arc<[Row]>,
    /// How many rows there are without the limit.
    pub row_count: usize,
    /// Over all rows, limited or not; one per currency if money was asked, else one.
    pub totals: Vec<Row>,
    #[serde(with = "iso_date::range")]
    pub range: DateRange,
    pub grain: Option<Grain>,
    pub comparison: Option<ComparedRange>,
    /// What amounts were converted into, where that was asked.
    pub display_currency: Option<Currency>,
    /// Currencies of amounts that could not be converted: shown beside the others, added to none of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unconverted: Vec<Currency>,
    /// The version of the tenant's data that this answers.
    pub data_version: i64,
    /// What was recorded later is not in it.
    #[serde(serialize_with = "rfc3339")]
    pub as_of: Instant,
    pub engine_ms: u64,
    pub rows_scanned: Option<u64>,
}

/// One column of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    pub id: String,
    pub label: String,
    pub role: Role,
    /// For metrics.
    pub unit: Option<Unit>,
    /// For metrics: `additive` totals are the sum of the rows; others are computed anew.
    pub additivity: Option<Additivity>,
    pub date_basis: Option<DateBasis>,
    pub less_is_better: bool,
    /// For money, when the whole answer is in one currency.
    pub currency: Option<Currency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Period,
    Dimension,
    Metric,
}

/// One row; `compared` has one entry per metric, in their order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub cells: Vec<Cell>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Vec<Compared>>,
}

/// A metric in the other period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    pub value: Cell,
    /// (now − then) ÷ |then|; absent when `then` is nothing.
    pub change: Option<f64>,
}

/// The other period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ComparedRange {
    pub kind: Comparison,
    #[serde(with = "iso_date::range")]
    pub range: DateRange,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Unknown, or a ratio of nothing.
    Null,
    /// Kept from whoever asks.
    Masked,
    /// A day, week, month...; as far as it lies in the range.
    Period(Bucket),
    /// A dimension's value: what filters take, and what people read.
    Key {
        key: Option<String>,
        label: String,
    },
    Count(i64),
    Quantity(Decimal),
    Ratio(f64),
    Money(Money),
}

impl Cell {
    /// The number in it, for charts and sorting: money in major units.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Null | Self::Masked | Self::Period(_) | Self::Key { .. } => None,
            Self::Count(count) => Some(*count as f64),
            Self::Quantity(quantity) => Some(scaled(quantity.unscaled, quantity.scale)),
            Self::Ratio(ratio) => Some(*ratio),
            Self::Money(money) => Some(scaled(money.amount_minor, money.currency.exponent())),
        }
    }

    pub fn as_money(&self) -> Option<Money> {
        match self {
            Self::Money(money) => Some(*money),
            _ => None,
        }
    }

    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Key { label, .. } => Some(label),
            Self::Masked => Some(MASKED),
            _ => None,
        }
    }
}

fn rfc3339<S: Serializer>(moment: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.to_rfc3339())
}

fn scaled(unscaled: i64, scale: u8) -> f64 {
    unscaled as f64 / 10_f64.powi(i32::from(scale))
}

/// `null`, `"•••"` for what is masked, a number, `"12.5"` for quantities, or an object for money, periods and dimensions.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Masked => serializer.serialize_str(MASKED),
            Self::Count(count) => serializer.serialize_i64(*count),
            Self::Ratio(ratio) => serializer.serialize_f64(*ratio),
            Self::Quantity(quantity) => serializer.collect_str(quantity),
            Self::Money(money) => {
                let mut object = serializer.serialize_struct("Money", 3)?;
                object.serialize_field("amount_minor", &money.amount_minor)?;
                object.serialize_field("currency", &money.currency)?;
                object.serialize_field("display", &money.to_string())?;
                object.end()
            }
            Self::Period(bucket) => {
                #[derive(Serialize)]
                struct Date(#[serde(with = "iso_date")] LocalDate);
                let mut object = serializer.serialize_struct("Period", 4)?;
                object.serialize_field("start", &Date(bucket.start))?;
                object.serialize_field("from", &Date(bucket.range.from))?;
                object.serialize_field("until", &Date(bucket.range.until))?;
                object.serialize_field("complete", &bucket.complete)?;
                object.end()
            }
            Self::Key { key, label } => {
                let mut object = serializer.serialize_struct("Key", 2)?;
                object.serialize_field("key", key)?;
                object.serialize_field("label", label)?;
                object.end()
            }
        }
    }
}

impl Table {
    /// Where the column with this id stands.
    pub fn column_index(&self, id: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.id == id)
    }

    /// The cell of `row` under the column with this id.
    pub fn cell<'a>(&self, row: &'a Row, id: &str) -> Option<&'a Cell> {
        row.cells.get(self.column_index(id)?)
    }

    /// The comparison of `row` under the metric with this id.
    pub fn compared<'a>(&self, row: &'a Row, id: &str) -> Option<&'a Compared> {
        let first_metric = self.columns.iter().position(|column| column.role == Role::Metric)?;
        row.compared.as_ref()?.get(self.column_index(id)?.checked_sub(first_metric)?)
    }
}
