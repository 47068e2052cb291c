//! The columns of the cash ledger.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{ID, TEXT};

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
    fields.extend(OPTIONAL_TEXTS.iter().map(|name| Field::new(*name, TEXT, true)));
    fields.push(Field::new("has_payment", DataType::Boolean, false));
    fields.extend(INTEGERS.iter().map(|name| Field::new(*name, DataType::Int64, false)));
    fields.push(Field::new("charged_minor", DataType::Int64, true));
    fields.extend(["event_date", "payment_date"].map(|name| Field::new(name, DataType::Int32, false)));
    fields.push(Field::new("available_on", DataType::Int32, true));
    Arc::new(Schema::new(fields))
});

const OPTIONAL_TEXTS: &[&str] = &[
    "order_key",
    "reference",
    "payout_key",
    "source_key",
    "method",
    "dispute_state",
    "charged_currency",
    "fx_rate",
];

const INTEGERS: &[&str] =
    &["amount_minor", "fee_minor", "fee_tax_minor", "net_minor", "event_at", "payment_at"];
