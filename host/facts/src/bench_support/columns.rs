//! Generated events as columns, without a database between.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, FixedSizeBinaryBuilder, Int32Array, Int64Array, RecordBatch, StringViewArray,
};
use datafusion::arrow::error::ArrowError;
use portolan_analytics::Fact;
use portolan_db::entity::sale_event;

use crate::schema;

/// Rows of the sales ledger as columns, in the order given.
pub(super) fn batch(rows: &[sale_event::Model]) -> Result<RecordBatch, ArrowError> {
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
    let texts_or_none: [fn(&sale_event::Model) -> Option<&str>; 12] = [
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
    for text in texts_or_none {
        columns.push(optional_texts(rows, text));
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
    RecordBatch::try_new(Arc::clone(schema::columns(Fact::Sales)), columns)
}

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
