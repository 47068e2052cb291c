//! Orders, what a channel says happened to them, refunds and fulfilments.

use portolan_core::{Currency, Decimal};
use serde::{Deserialize, Serialize};

use super::Moment;

/// Tax as charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// "vat", "gst", "sales", "duty", "tcs", "tds", …
    pub kind: String,
    pub jurisdiction: String,
    pub rate: Option<Decimal>,
    pub amount_minor: i64,
    /// "seller" or "marketplace" (a facilitator remits it).
    pub collector: String,
}

/// A discount's share of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    pub code: Option<String>,
    /// "code", "automatic", "manual", "marketplace".
    pub kind: String,
    pub amount_minor: i64,
}

/// A line as originally sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub key: String,
    pub product: Option<String>,
    pub variant: Option<String>,
    pub sku: Option<String>,
    pub title: String,
    pub quantity: Decimal,
    pub unit_price: Option<Decimal>,
    pub gross_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub cost_minor: Option<i64>,
    pub gift_card: bool,
    pub allocations: Vec<Allocation>,
    pub taxes: Vec<TaxLine>,
}

/// One movement inside an agreement; amounts are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub line: Option<String>,
    /// "order", "update", "return", "unknown".
    pub action: String,
    /// "product", "shipping", "tip", "duty", "gift-card", "fee", "additional-fee", "adjustment", "unknown".
    pub line_kind: String,
    pub quantity: Option<Decimal>,
    pub gross_minor: i64,
    pub discount_minor: i64,
    /// The tax inside `discount_minor`, where prices include tax and the channel says it.
    #[serde(default)]
    pub discount_tax_minor: Option<i64>,
    pub tax_minor: i64,
    pub presentment_minor: Option<i64>,
}

/// What a channel itself records as having happened to an order at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub key: String,
    pub happened_at: Moment,
    pub reason: String,
    pub location: Option<String>,
    pub staff: Option<String>,
    pub sales: Vec<Sale>,
}

/// An order as it stood at `updated_at`. Amounts are as originally sold, before tax unless
/// `tax_included`; what changed afterwards is told by `agreements`, refunds, or a newer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Index of the document's first raw record inside its chunk: provenance.
    pub src: u32,
    /// Its further raw records, where it is made from several (rows of a file).
    pub also: Vec<u32>,
    pub key: String,
    pub updated_at: Moment,
    pub deleted: bool,
    pub test: bool,
    pub number: Option<String>,
    pub placed_at: Moment,
    pub cancelled_at: Option<Moment>,
    pub cancel_reason: Option<String>,
    pub channel: Option<String>,
    pub store: Option<String>,
    pub location: Option<String>,
    pub staff: Option<String>,
    pub state: String,
    pub payment_state: String,
    pub fulfilment_state: String,
    pub customer: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub currency: Currency,
    pub presentment_currency: Option<Currency>,
    pub gross_minor: i64,
    pub discount_minor: i64,
    pub shipping_minor: i64,
    pub tax_minor: i64,
    pub tip_minor: i64,
    pub duty_minor: i64,
    pub total_minor: i64,
    pub tax_included: bool,
    pub lines: Vec<OrderLine>,
    pub shipping_taxes: Vec<TaxLine>,
    /// Empty where the channel keeps no history: the host then derives it from versions.
    pub agreements: Vec<Agreement>,
    /// Source, device, landing page, campaign: an open set of named facts, no personal data.
    pub attributes: Vec<(String, String)>,
}

/// A refunded share of one order line; amounts are positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    pub line: String,
    /// What came back, where `line` names no line of a known order.
    pub product: Option<String>,
    pub quantity: Decimal,
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub restock: String,
}

/// Money given back; amounts are positive. `order` is absent for a return without its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub src: u32,
    pub also: Vec<u32>,
    pub key: String,
    pub updated_at: Moment,
    pub deleted: bool,
    pub order: Option<String>,
    pub order_placed_at: Option<Moment>,
    pub at: Moment,
    pub state: String,
    pub customer: Option<String>,
    pub country: Option<String>,
    pub store: Option<String>,
    pub currency: Currency,
    pub total_minor: i64,
    pub tax_minor: i64,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
    pub duty_minor: i64,
    pub tip_minor: i64,
    /// What was refunded beyond (positive) or below (negative) the lines.
    pub adjustment_minor: i64,
    pub reason: Option<String>,
    pub lines: Vec<RefundLine>,
}

/// A quantity of one order line inside a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfilmentLine {
    pub line: String,
    pub quantity: Decimal,
}

/// Goods on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub order: String,
    pub state: String,
    pub location: Option<String>,
    pub shipped_at: Option<Moment>,
    pub promised_at: Option<Moment>,
    pub delivered_at: Option<Moment>,
    pub lines: Vec<FulfilmentLine>,
}
