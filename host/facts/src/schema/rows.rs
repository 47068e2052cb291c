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

/// A builder for each of the schema's fields, in their order.
pub(crate) type Builders = Vec<Builder>;

pub(crate) fn builders(schema: &SchemaRef, rows: usize) -> Result<Builders, FactsError> {
    schema.fields().iter().map(|field| Builder::new(field.data_type(), rows)).collect()
}

pub(crate) fn finish(schema: &SchemaRef, columns: Builders) -> Result<RecordBatch, FactsError> {
    let columns = columns.into_iter().map(Builder::finish).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// What to select for [`append`].
pub(crate) fn selection(schema: &SchemaRef) -> String {
    let fields = schema.fields().iter().map(|field| format!("\"{}\"", field.name()));
    fields.collect::<Vec<_>>().join(", ")
}

/// Adds rows whose values stand in the order of the schema's fields.
pub(crate) fn append(columns: &mut Builders, rows: &[QueryResult]) -> Result<(), FactsError> {
    for row in rows {
        let cells = Cells::of(row).map_err(DbError::from)?;
        for (place, column) in columns.iter_mut().enumerate() {
            column.append(cells, place)?;
        }
    }
    Ok(())
}

pub(crate) enum Builder {
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

    pub(crate) fn append_null(&mut self) {
        match self {
            Self::Id(ids) => ids.append_null(),
            Self::Text(texts) => texts.append_null(),
            Self::Integer(integers) => integers.append_null(),
            Self::Date(dates) => dates.append_null(),
            Self::Flag(flags) => flags.append_null(),
        }
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
