//! The ledgers as columns: one Arrow schema for parts and tail of each.
//!
//! Identifiers are 16 bytes, keys and names string views, money 64-bit minor units, dates days and
//! instants microseconds since 1970: what the SQL rows hold, under the same names.

mod cash;
mod sales;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, FixedSizeBinaryBuilder, Int32Array, Int64Array, StringViewArray};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::ArrowError;
use portolan_analytics::Fact;

pub(crate) use cash::batch as cash_batch;
pub(crate) use sales::batch as sales_batch;

/// The columns of a ledger.
pub(crate) fn columns(fact: Fact) -> &'static SchemaRef {
    match fact {
        Fact::Sales => &sales::SALE_EVENTS,
        Fact::Cash => &cash::CASH_EVENTS,
    }
}

const ID: DataType = DataType::FixedSizeBinary(16);
const TEXT: DataType = DataType::Utf8View;

fn ids(ids: impl ExactSizeIterator<Item = Option<uuid::Uuid>>) -> Result<ArrayRef, ArrowError> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(ids.len(), 16);
    for id in ids {
        match id {
            Some(id) => builder.append_value(id.as_bytes())?,
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn integers<R>(rows: &[R], value: impl Fn(&R) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(value)))
}

fn texts<'a, R>(rows: &'a [R], value: impl Fn(&'a R) -> &'a String) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(rows.iter().map(value)))
}

fn optional_texts<'a, R>(rows: &'a [R], value: impl Fn(&'a R) -> Option<&'a str>) -> ArrayRef {
    Arc::new(StringViewArray::from_iter(rows.iter().map(value)))
}

fn dates<R>(rows: &[R], value: impl Fn(&R) -> i32) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(rows.iter().map(value)))
}
