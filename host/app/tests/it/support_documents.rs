//! The scripted plugin's manifest, and documents as short as a test wants them.

use portolan_commerce::document::{
    BalanceEntry, Dispute, Document, Order, OrderLine, Refund, RefundLine, Store,
};
use portolan_connector::Manifest;
use portolan_core::{Currency, Decimal, Instant};
use serde_json::json;

use super::support::START;

pub use portolan_commerce::document::Moment;
pub use uuid::Uuid;

/// Stores whole, orders by their changes within thirty days (one slice) with customers under pseudonyms, sheets from files.
pub fn manifest() -> Manifest {
    let text = json!({
        "id": "fake", "version": "1.0.0", "kind": "connector", "name": "Fake shop", "publisher": "Portolan",
        "contract": "0.1.0",
        "config": {
            "type": "object",
            "properties": {
                "shop": { "type": "string", "title": "Shop" },
                "token": { "type": "string", "format": "secret", "title": "Token" }
            },
            "required": ["shop", "token"]
        },
        "auth": [{ "id": "token", "kind": "header", "header": "X-Token", "value": "{{token}}",
            "hosts": ["{{shop}}.shops.example"] }],
        "hosts": ["{{shop}}.shops.example"],
        "base_url": "https://{{shop}}.shops.example",
        "privacy_webhooks": {
            "verification": { "algorithm": "hmac-sha256", "secret": "token", "header": "X-Shop-Signature",
                "encoding": "base64", "message": "{{body}}" },
            "account": { "pointer": "/shop_domain", "field": "shop" },
            "topics": [
                { "topic": "customers/data_request", "asks": "export", "has": ["/data_request", "/orders_requested"],
                  "customer": "/customer/id" },
                { "topic": "customers/redact", "asks": "erase", "has": ["/orders_to_redact"], "customer": "/customer/id" },
                { "topic": "shop/redact", "asks": "erase_all", "has": ["/shop_id"],
                  "lacks": ["/customer", "/data_request", "/orders_requested", "/orders_to_redact"] }
            ]
        },
        "streams": [
            { "name": "stores", "entity": "store", "mode": "snapshot", "framing": "json" },
            { "name": "orders", "entity": "order", "further_entities": ["refund"], "mode": "incremental",
              "framing": "json", "record_key": "/key", "cursor_field": "updated_at", "lookback_seconds": 60,
              "retention_seconds": 2_592_000, "subject": ["/*/customer"], "subject_prefix": "Customer/" },
            { "name": "sheets", "entity": "order", "mode": "files", "framing": "json", "record_key": "/key" }
        ],
        "files": [{ "stream": "sheets", "extensions": [".json", ".csv"] }]
    });
    Manifest::parse(text.to_string().as_bytes()).expect("a manifest")
}

pub fn minutes_before_start(minutes: i64) -> Moment {
    Moment::At(Instant(START.0 - minutes * 60_000_000))
}

fn euro() -> Currency {
    "EUR".parse().expect("a currency")
}

/// An order of so many units at 10.00, two hours old, last changed so many minutes before the start.
pub fn order(key: &str, units: i64, changed_minutes_ago: i64) -> Document {
    let gross_minor = units * 1_000;
    Document::Order(Box::new(Order {
        src: 0,
        also: Vec::new(),
        key: key.to_owned(),
        updated_at: minutes_before_start(changed_minutes_ago),
        deleted: false,
        test: false,
        number: Some(format!("#{key}")),
        placed_at: minutes_before_start(120),
        cancelled_at: None,
        cancel_reason: None,
        channel: None,
        store: None,
        location: None,
        staff: None,
        state: "open".to_owned(),
        payment_state: "paid".to_owned(),
        fulfilment_state: "unfulfilled".to_owned(),
        customer: Some("customer-1".to_owned()),
        country: Some("PT".to_owned()),
        region: None,
        currency: euro(),
        presentment_currency: None,
        gross_minor,
        discount_minor: 0,
        shipping_minor: 0,
        tax_minor: 0,
        tip_minor: 0,
        duty_minor: 0,
        total_minor: gross_minor,
        tax_included: false,
        lines: vec![OrderLine {
            key: "1".to_owned(),
            product: Some("mug".to_owned()),
            variant: None,
            sku: Some("MUG".to_owned()),
            title: "Mug".to_owned(),
            quantity: Decimal::whole(units),
            unit_price: None,
            gross_minor,
            discount_minor: 0,
            tax_minor: 0,
            cost_minor: None,
            gift_card: false,
            allocations: Vec::new(),
            taxes: Vec::new(),
        }],
        shipping_taxes: Vec::new(),
        agreements: Vec::new(),
        attributes: Vec::new(),
    }))
}

/// The same of another customer.
pub fn order_of(key: &str, units: i64, changed_minutes_ago: i64, customer: &str) -> Document {
    let mut order = order(key, units, changed_minutes_ago);
    if let Document::Order(order) = &mut order {
        order.customer = Some(customer.to_owned());
    }
    order
}

/// A refund of so many units of an order's line.
pub fn refund(key: &str, order: &str, units: i64, changed_minutes_ago: i64) -> Document {
    let total_minor = units * 1_000;
    Document::Refund(Box::new(Refund {
        src: 0,
        also: Vec::new(),
        key: key.to_owned(),
        updated_at: minutes_before_start(changed_minutes_ago),
        deleted: false,
        order: Some(order.to_owned()),
        order_placed_at: None,
        at: minutes_before_start(30),
        state: "done".to_owned(),
        customer: None,
        country: None,
        store: None,
        currency: euro(),
        total_minor,
        tax_minor: 0,
        shipping_minor: 0,
        shipping_tax_minor: 0,
        duty_minor: 0,
        tip_minor: 0,
        adjustment_minor: 0,
        reason: None,
        lines: vec![RefundLine {
            line: "1".to_owned(),
            product: None,
            quantity: Decimal::whole(units),
            amount_minor: total_minor,
            tax_minor: 0,
            restock: "return".to_owned(),
        }],
    }))
}

pub fn store(key: &str) -> Document {
    Document::Store(Store {
        src: 0,
        key: key.to_owned(),
        name: format!("Store {key}"),
        currency: Some(euro()),
        time_zone: None,
    })
}

/// An entry of a payment's balance two hours old, last changed so many minutes before the start.
pub fn balance_entry(
    key: &str,
    payment: Option<&str>,
    category: &str,
    amounts: (i64, i64),
    changed_minutes_ago: i64,
) -> Document {
    let (amount_minor, fee_minor) = amounts;
    Document::BalanceEntry(BalanceEntry {
        src: 0,
        key: key.to_owned(),
        updated_at: minutes_before_start(changed_minutes_ago),
        deleted: false,
        category: category.to_owned(),
        provider_kind: format!("provider {category}"),
        at: minutes_before_start(120),
        available_on: None,
        payment: payment.map(str::to_owned),
        order: None,
        reference: Some("#1001".to_owned()),
        payout: Some("po_1".to_owned()),
        source: None,
        method: Some("card".to_owned()),
        currency: euro(),
        amount_minor,
        fee_minor,
        fee_tax_minor: 0,
        net_minor: amount_minor - fee_minor,
        charged: None,
        fx_rate: None,
    })
}

/// A dispute of a payment, last changed so many minutes before the start.
pub fn dispute(key: &str, payment: &str, state: &str, changed_minutes_ago: i64) -> Document {
    Document::Dispute(Dispute {
        src: 0,
        key: key.to_owned(),
        updated_at: minutes_before_start(changed_minutes_ago),
        payment: Some(payment.to_owned()),
        order: None,
        phase: "chargeback".to_owned(),
        state: state.to_owned(),
        reason: "fraud".to_owned(),
        network_code: None,
        opened_at: minutes_before_start(60),
        due_by: None,
        currency: euro(),
        amount_minor: 1_000,
    })
}
