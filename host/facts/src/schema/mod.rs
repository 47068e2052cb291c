//! The ledgers as columns: one Arrow schema for parts and tail of each.
//!
//! Identifiers are 16 bytes, keys and names string views, money 64-bit minor units, dates days and
//! instants microseconds since 1970: what the SQL rows hold, under the same names.

mod cash;
mod packed;
mod rows;
mod sales;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use portolan_analytics::Fact;
use portolan_db::sea_orm::QueryResult;
use portolan_db::{Cells, DbError, Dialect};

use crate::FactsError;

/// The columns of a ledger.
pub(crate) fn columns(fact: Fact) -> &'static SchemaRef {
    match fact {
        Fact::Sales => &sales::SALE_EVENTS,
        Fact::Cash => &cash::CASH_EVENTS,
    }
}

const ID: DataType = DataType::FixedSizeBinary(16);
const TEXT: DataType = DataType::Utf8View;

/// What to select of a ledger's table for [`batch`].
pub(crate) fn selection(fact: Fact, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => packed::selection(columns(fact)),
        Dialect::Postgres => rows::selection(columns(fact)),
    }
}

/// The events of rows that have what [`selection`] says.
pub(crate) fn batch(fact: Fact, dialect: Dialect, rows: &[QueryResult]) -> Result<RecordBatch, FactsError> {
    let schema = columns(fact);
    let mut building = rows::builders(schema, rows.len())?;
    match dialect {
        Dialect::Sqlite => {
            for row in rows {
                let text = Cells::of(row).and_then(|cells| cells.text(0)).map_err(DbError::from)?;
                packed::append(&mut building, text.unwrap_or("[]"))?;
            }
        }
        Dialect::Postgres => rows::append(&mut building, rows)?,
    }
    rows::finish(schema, building)
}
