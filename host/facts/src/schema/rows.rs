//! From rows of the SQL database straight to columns, by the ledger's own schema: names there are names here.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder, RecordBatch,
    StringViewBuilder,
};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use portolan_db::sea_orm::QueryResult;
use portolan_db::{Cells, DbError};

use crate::FactsError;

/// Rows whose values stand in the order of the schema's fields.
pub(crate) fn batch(schema: &SchemaRef, rows: &[QueryResult]) -> Result<RecordBatch, FactsError> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(Builder::new(field.data_type(), rows.len())?);
    }
    for row in rows {
        let cells = Cells::of(row).map_err(DbError::from)?;
        for (place, column) in columns.iter_mut().enumerate() {
            column.append(cells, place)?;
        }
    }
    let columns = columns.into_iter().map(Builder::finish).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

enum Builder {
    Id(FixedSizeBinaryBuilder),
    Text(StringViewBuilder),
    Integer(Int64Builder),
    Date(Int32Builder),
    Flag(BooleanBuilder),
}

impl Builder {
    fn new(kind: &DataType, rows: usize) -> Result<Self, FactsError> {
        Ok(match kind {
            DataType::FixedSizeBinary(16) => Self::Id(FixedSizeBinaryBuilder::with_capacity(rows, 16)),
            DataType::Utf8View => Self::Text(StringViewBuilder::with_capacity(rows)),
            DataType::Int64 => Self::Integer(Int64Builder::with_capacity(rows)),
            DataType::Int32 => Self::Date(Int32Builder::with_capacity(rows)),
            DataType::Boolean => Self::Flag(BooleanBuilder::with_capacity(rows)),
            other => return Err(FactsError::Damaged(format!("a ledger has no column of type {other}"))),
        })
    }

    fn append(&mut self, cells: Cells<'_>, place: usize) -> Result<(), FactsError> {
        match self {
            Self::Id(ids) => match cells.uuid(place).map_err(DbError::from)? {
                Some(id) => ids.append_value(id.as_bytes())?,
                None => ids.append_null(),
            },
            Self::Text(texts) => texts.append_option(cells.text(place).map_err(DbError::from)?),
            Self::Integer(integers) => integers.append_option(cells.integer(place).map_err(DbError::from)?),
            Self::Date(dates) => dates.append_option(cells.small_integer(place).map_err(DbError::from)?),
            Self::Flag(flags) => flags.append_option(cells.boolean(place).map_err(DbError::from)?),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Id(mut ids) => Arc::new(ids.finish()),
            Self::Text(mut texts) => Arc::new(texts.finish()),
            Self::Integer(mut integers) => Arc::new(integers.finish()),
            Self::Date(mut dates) => Arc::new(dates.finish()),
            Self::Flag(mut flags) => Arc::new(flags.finish()),
        }
    }
}
