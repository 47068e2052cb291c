//! `run_sum(amount, key, …)`: a run of rows with equal keys becomes one row.
//!
//! The lines of an order lie together in a part. Added up where they lie, they reach the grouping behind as one row: a
//! third of the rows to hash and to hand between threads. At the first row of a run stands the run's sum, at its
//! others nothing (null), and the statement leaves those out. A run ends with its batch, so a key may have several
//! runs: the grouping adds them up, as it would have added up the rows.
//!
//! The result depends on the batch that a row comes in. So the function is volatile: the engine then neither moves it
//! before a filter nor calls it twice.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::keys::{Keys, run_starts};

/// The function, to be registered with a session.
pub(crate) fn run_sum() -> ScalarUDF {
    ScalarUDF::from(RunSum { signature: Signature::variadic_any(Volatility::Volatile) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RunSum {
    signature: Signature,
}

impl ScalarUDFImpl for RunSum {
    fn name(&self) -> &'static str {
        "run_sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns = arguments.args.into_iter().map(|column| column.into_array(rows));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let [amounts, keys @ ..] = columns.as_slice() else { return Err(no_amounts()) };
        let amounts = amounts.as_primitive_opt::<Int64Type>().ok_or_else(no_amounts)?;
        Ok(ColumnarValue::Array(Arc::new(sums(amounts, keys)?)))
    }
}

fn no_amounts() -> DataFusionError {
    DataFusionError::Internal("run_sum adds 64-bit integers".to_owned())
}

/// Nulls add nothing. A sum that 64 bits don't hold begins a new run: the grouping behind has the room.
fn sums(amounts: &Int64Array, keys: &[ArrayRef]) -> Result<Int64Array> {
    let keys = keys.iter().map(Keys::new).collect::<Result<Vec<_>>>()?;
    let mut sums: Vec<Option<i64>> = vec![None; amounts.len()];
    let mut head = 0;
    for (row, starts) in run_starts(&keys, amounts.len()).into_iter().enumerate() {
        let amount = if amounts.is_null(row) { 0 } else { amounts.value(row) };
        let longer = sums[head].filter(|_| !starts).and_then(|sum| sum.checked_add(amount));
        match longer {
            Some(sum) => sums[head] = Some(sum),
            None => {
                head = row;
                sums[head] = Some(amount);
            }
        }
    }
    Ok(sums.into())
}

#[cfg(test)]
mod tests;
