//! The columns of the sales ledger.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use portolan_db::entity::sale_event;

use super::{ID, TEXT, dates, ids, integers, texts};

/// The columns of `sale_events`.
pub(crate) static SALE_EVENTS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![
        Field::new("id", ID, false),
        Field::new("reverses", ID, true),
        Field::new("posting_version", DataType::Int64, false),
        Field::new("recorded_at", DataType::Int64, false),
        Field::new("connection_id", ID, false),
        Field::new("kind", TEXT, false),
        Field::new("order_key", TEXT, false),
        Field::new("currency", TEXT, false),
    ];
    fields.extend(OPTIONAL_TEXTS.iter().map(|name| Field::new(*name, TEXT, true)));
    fields.extend(["has_order", "test"].map(|name| Field::new(name, DataType::Boolean, false)));
    fields.extend(AMOUNTS.iter().map(|name| Field::new(*name, DataType::Int64, false)));
    fields.push(Field::new("presentment_minor", DataType::Int64, true));
    fields.extend(["event_at", "order_at"].map(|name| Field::new(name, DataType::Int64, false)));
    fields.extend(["event_date", "order_date"].map(|name| Field::new(name, DataType::Int32, false)));
    Arc::new(Schema::new(fields))
});

const OPTIONAL_TEXTS: &[&str] = &[
    "reason",
    "line_key",
    "product_key",
    "variant_key",
    "customer_key",
    "store_key",
    "location_key",
    "staff_key",
    "channel",
    "country",
    "region",
    "presentment_currency",
];

const AMOUNTS: &[&str] = &[
    "quantity_milli",
    "gross_minor",
    "discount_minor",
    "tax_minor",
    "marketplace_tax_minor",
    "shipping_minor",
    "shipping_tax_minor",
    "duty_minor",
    "tip_minor",
    "fee_minor",
    "gift_card_minor",
    "cost_minor",
];

/// Rows of the sales ledger as columns, in the order given.
pub(crate) fn batch(rows: &[sale_event::Model]) -> Result<RecordBatch, ArrowError> {
    let mut columns: Vec<ArrayRef> = vec![
        ids(rows.iter().map(|row| Some(row.id)))?,
        ids(rows.iter().map(|row| row.reverses))?,
        integers(rows, |row| row.posting_version),
        integers(rows, |row| row.recorded_at),
        ids(rows.iter().map(|row| Some(row.connection_id)))?,
        texts(rows, |row| &row.kind),
        texts(rows, |row| &row.order_key),
        texts(rows, |row| &row.currency),
    ];
    let optional_texts: [fn(&sale_event::Model) -> Option<&str>; 12] = [
        |row| row.reason.as_deref(),
        |row| row.line_key.as_deref(),
        |row| row.product_key.as_deref(),
        |row| row.variant_key.as_deref(),
        |row| row.customer_key.as_deref(),
        |row| row.store_key.as_deref(),
        |row| row.location_key.as_deref(),
        |row| row.staff_key.as_deref(),
        |row| row.channel.as_deref(),
        |row| row.country.as_deref(),
        |row| row.region.as_deref(),
        |row| row.presentment_currency.as_deref(),
    ];
    for text in optional_texts {
        columns.push(super::optional_texts(rows, text));
    }
    let flags: [fn(&sale_event::Model) -> bool; 2] = [|row| row.has_order, |row| row.test];
    for flag in flags {
        columns.push(Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(flag(row))))));
    }
    let amounts: [fn(&sale_event::Model) -> i64; 12] = [
        |row| row.quantity_milli,
        |row| row.gross_minor,
        |row| row.discount_minor,
        |row| row.tax_minor,
        |row| row.marketplace_tax_minor,
        |row| row.shipping_minor,
        |row| row.shipping_tax_minor,
        |row| row.duty_minor,
        |row| row.tip_minor,
        |row| row.fee_minor,
        |row| row.gift_card_minor,
        |row| row.cost_minor,
    ];
    for amount in amounts {
        columns.push(integers(rows, amount));
    }
    columns.push(Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.presentment_minor))));
    columns.push(integers(rows, |row| row.event_at));
    columns.push(integers(rows, |row| row.order_at));
    columns.push(dates(rows, |row| row.event_date));
    columns.push(dates(rows, |row| row.order_date));
    RecordBatch::try_new(SALE_EVENTS.clone(), columns)
}
