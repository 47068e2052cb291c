//! Columns that rows are grouped by, compared row by row without looking into texts.
//!
//! Parts are sorted, so long runs of rows carry the same values: only where a run begins is anything looked up.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, Int32Array, Int64Array, StringViewArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::error::{DataFusionError, Result};
use portolan_analytics::Value;
use uuid::Uuid;

/// A column of a batch.
pub(crate) enum Keys {
    Numbers(Int64Array),
    Dates(Int32Array),
    Ids(FixedSizeBinaryArray),
    Texts(StringViewArray),
}

impl Keys {
    pub(crate) fn new(array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Int64 => Self::Numbers(array.as_primitive::<Int64Type>().clone()),
            DataType::Int32 => Self::Dates(array.as_primitive::<Int32Type>().clone()),
            DataType::FixedSizeBinary(16) => Self::Ids(array.as_fixed_size_binary().clone()),
            DataType::Utf8View => Self::Texts(array.as_string_view().clone()),
            DataType::Utf8 => Self::Texts(cast(array, &DataType::Utf8View)?.as_string_view().clone()),
            other => return Err(DataFusionError::Internal(format!("no key is a {other}"))),
        })
    }

    /// Sets the flag of every row whose value is not the previous row's; of other rows, too, is harmless.
    pub(crate) fn mark_changes(&self, changed: &mut [bool]) {
        match self {
            _ if self.is_all_null() => {}
            Self::Numbers(numbers) if numbers.null_count() == 0 => mark(numbers.values(), changed),
            Self::Dates(dates) if dates.null_count() == 0 => mark(dates.values(), changed),
            Self::Ids(ids) if ids.null_count() == 0 => mark(ids.value_data().as_chunks::<16>().0, changed),
            Self::Texts(texts) if texts.null_count() == 0 => mark(texts.views(), changed),
            _ => {
                for (row, changed) in changed.iter_mut().enumerate().skip(1) {
                    *changed |= self.bits(row) != self.bits(row - 1);
                }
            }
        }
    }

    fn is_all_null(&self) -> bool {
        let array: &dyn Array = match self {
            Self::Numbers(numbers) => numbers,
            Self::Dates(dates) => dates,
            Self::Ids(ids) => ids,
            Self::Texts(texts) => texts,
        };
        array.null_count() == array.len()
    }

    /// What tells values of this batch apart; one text may have several.
    pub(crate) fn bits(&self, row: usize) -> Option<u128> {
        match self {
            Self::Numbers(numbers) => {
                numbers.is_valid(row).then(|| u128::from(numbers.value(row).cast_unsigned()))
            }
            Self::Dates(dates) => dates.is_valid(row).then(|| u128::from(dates.value(row).cast_unsigned())),
            Self::Ids(ids) => ids.is_valid(row).then(|| number_of(ids.value(row))),
            Self::Texts(texts) => texts.is_valid(row).then(|| texts.views()[row]),
        }
    }

    pub(crate) fn value(&self, row: usize) -> Value {
        match self {
            Self::Numbers(numbers) if numbers.is_valid(row) => Value::Integer(numbers.value(row).into()),
            Self::Dates(dates) if dates.is_valid(row) => Value::Integer(dates.value(row).into()),
            Self::Ids(ids) if ids.is_valid(row) => Value::Uuid(Uuid::from_u128(number_of(ids.value(row)))),
            Self::Texts(texts) if texts.is_valid(row) => Value::Text(texts.value(row).into()),
            _ => Value::Null,
        }
    }
}

/// For each row whether its values are others than the previous row's: there a run begins. Texts that are equal may pass
/// for unlike; a run is then cut in two.
pub(crate) fn run_starts(columns: &[Keys], rows: usize) -> Vec<bool> {
    let mut starts = vec![false; rows];
    for column in columns {
        column.mark_changes(&mut starts);
    }
    if let Some(first) = starts.first_mut() {
        *first = true;
    }
    starts
}

fn mark<T: PartialEq>(values: &[T], changed: &mut [bool]) {
    for (pair, changed) in values.windows(2).zip(changed.iter_mut().skip(1)) {
        *changed |= pair[0] != pair[1];
    }
}

/// Sixteen bytes, the first one the highest.
fn number_of(id: &[u8]) -> u128 {
    id.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}
