//! The columns of the cash ledger.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use portolan_db::entity::cash_event;

use super::{ID, TEXT, dates, ids, integers, optional_texts, texts};

/// The columns of `cash_events`.
pub(crate) static CASH_EVENTS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![
        Field::new("id", ID, false),
        Field::new("reverses", ID, true),
        Field::new("posting_version", DataType::Int64, false),
        Field::new("recorded_at", DataType::Int64, false),
        Field::new("connection_id", ID, false),
    ];
    let named = ["category", "provider_kind", "entry_key", "payment_key", "currency"];
    fields.extend(named.map(|name| Field::new(name, TEXT, false)));
    fields.extend(OPTIONAL_TEXTS.map(|(name, _)| Field::new(name, TEXT, true)));
    fields.push(Field::new("has_payment", DataType::Boolean, false));
    fields.extend(INTEGERS.map(|(name, _)| Field::new(name, DataType::Int64, false)));
    fields.push(Field::new("charged_minor", DataType::Int64, true));
    fields.extend(["event_date", "payment_date"].map(|name| Field::new(name, DataType::Int32, false)));
    fields.push(Field::new("available_on", DataType::Int32, true));
    Arc::new(Schema::new(fields))
});

type OptionalText = (&'static str, fn(&cash_event::Model) -> Option<&str>);
type Integer = (&'static str, fn(&cash_event::Model) -> i64);

const OPTIONAL_TEXTS: [OptionalText; 8] = [
    ("order_key", |row| row.order_key.as_deref()),
    ("reference", |row| row.reference.as_deref()),
    ("payout_key", |row| row.payout_key.as_deref()),
    ("source_key", |row| row.source_key.as_deref()),
    ("method", |row| row.method.as_deref()),
    ("dispute_state", |row| row.dispute_state.as_deref()),
    ("charged_currency", |row| row.charged_currency.as_deref()),
    ("fx_rate", |row| row.fx_rate.as_deref()),
];

const INTEGERS: [Integer; 6] = [
    ("amount_minor", |row| row.amount_minor),
    ("fee_minor", |row| row.fee_minor),
    ("fee_tax_minor", |row| row.fee_tax_minor),
    ("net_minor", |row| row.net_minor),
    ("event_at", |row| row.event_at),
    ("payment_at", |row| row.payment_at),
];

/// Rows of the cash ledger as columns, in the order given.
pub(crate) fn batch(rows: &[cash_event::Model]) -> Result<RecordBatch, ArrowError> {
    let mut columns: Vec<ArrayRef> = vec![
        ids(rows.iter().map(|row| Some(row.id)))?,
        ids(rows.iter().map(|row| row.reverses))?,
        integers(rows, |row| row.posting_version),
        integers(rows, |row| row.recorded_at),
        ids(rows.iter().map(|row| Some(row.connection_id)))?,
        texts(rows, |row| &row.category),
        texts(rows, |row| &row.provider_kind),
        texts(rows, |row| &row.entry_key),
        texts(rows, |row| &row.payment_key),
        texts(rows, |row| &row.currency),
    ];
    columns.extend(OPTIONAL_TEXTS.map(|(_, text)| optional_texts(rows, text)));
    columns.push(Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.has_payment)))));
    columns.extend(INTEGERS.map(|(_, integer)| integers(rows, integer)));
    columns.push(Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.charged_minor))));
    columns.push(dates(rows, |row| row.event_date));
    columns.push(dates(rows, |row| row.payment_date));
    columns.push(Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.available_on))));
    RecordBatch::try_new(CASH_EVENTS.clone(), columns)
}
