//! The ledgers as columns: one Arrow schema for parts and tail of each.
//!
//! Identifiers are 16 bytes, keys and names string views, money 64-bit minor units, dates days and
//! instants microseconds since 1970: what the SQL rows hold, under the same names.

mod cash;
mod rows;
mod sales;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use portolan_analytics::Fact;

pub(crate) use rows::batch as rows_batch;

/// The columns of a ledger.
pub(crate) fn columns(fact: Fact) -> &'static SchemaRef {
    match fact {
        Fact::Sales => &sales::SALE_EVENTS,
        Fact::Cash => &cash::CASH_EVENTS,
    }
}

const ID: DataType = DataType::FixedSizeBinary(16);
const TEXT: DataType = DataType::Utf8View;
