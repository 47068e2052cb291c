//! The columns of the sales ledger.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{ID, TEXT};

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
