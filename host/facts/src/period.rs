//! `period_start(date)`: the first day of a date's period, looked up in a table of days.
//!
//! The calendar is `portolan_core`'s and knows fiscal years and week starts; the engine only looks up.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Int32Array};
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::scalar::ScalarValue;

/// The function for ascending first days of periods; earlier dates have none.
pub(crate) fn period_start(starts: Vec<i32>) -> ScalarUDF {
    let table = Arc::new(Table::new(&starts));
    let call = move |arguments: &[ColumnarValue]| match arguments {
        [ColumnarValue::Array(dates)] => {
            let dates = dates.as_primitive::<Int32Type>();
            let mapped: Int32Array =
                dates.iter().map(|date| date.and_then(|date| table.find(date))).collect();
            Ok(ColumnarValue::Array(Arc::new(mapped)))
        }
        [ColumnarValue::Scalar(ScalarValue::Int32(date))] => {
            let mapped = date.and_then(|date| table.find(date));
            Ok(ColumnarValue::Scalar(ScalarValue::Int32(mapped)))
        }
        _ => Err(DataFusionError::Execution("period_start takes one date".to_owned())),
    };
    create_udf("period_start", vec![DataType::Int32], DataType::Int32, Volatility::Immutable, Arc::new(call))
}

/// For every day from the first start to the last, the start of its period.
struct Table {
    first: i32,
    start_of_day: Vec<i32>,
    last_start: Option<i32>,
}

impl Table {
    fn new(starts: &[i32]) -> Self {
        let mut start_of_day = Vec::new();
        for pair in starts.windows(2) {
            start_of_day.extend(std::iter::repeat_n(pair[0], (pair[1] - pair[0]).max(0) as usize));
        }
        Self {
            first: starts.first().copied().unwrap_or_default(),
            start_of_day,
            last_start: starts.last().copied(),
        }
    }

    fn find(&self, date: i32) -> Option<i32> {
        let day = usize::try_from(i64::from(date) - i64::from(self.first)).ok()?;
        self.start_of_day.get(day).copied().or(self.last_start)
    }
}

#[cfg(test)]
mod tests;
