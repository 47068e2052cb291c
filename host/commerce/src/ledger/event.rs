//! One movement of money or quantity.

use portolan_core::{Currency, EventId, Instant, LocalDate};
use serde::{Deserialize, Serialize};

/// What happened. The names are stored and part of the public vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A line as first sold; also the order's shipping charge (with `shipping_minor` alone).
    Sale,
    /// Units or value added to an order after it was placed.
    EditAdd,
    /// Units or value taken out of an order by an edit.
    EditRemove,
    /// A price or discount corrected without a change of units.
    PriceAdjust,
    /// The units that still stood when the order was cancelled.
    Cancel,
    /// Goods returned, refunded line by line.
    Return,
    /// Value of a line refunded without its goods coming back.
    RefundLine,
    RefundShipping,
    /// What was refunded beyond or below the lines.
    RefundDiscrepancy,
    Tip,
    Duty,
    Fee,
    GiftCardIssue,
    GiftCardRedeem,
}

/// The content of a ledger event: everything but its identity and the moment of recording.
///
/// Sign: what the seller gains is positive. `gross`, `discount` and `tax` of a return are the
/// negated shares of what it takes back, so net sales are Σ(`gross` − `discount`) over all events.
/// Amounts are minor units of `currency`, without included tax; gift cards are in
/// `gift_card_minor` alone. Keys are the channel's and unique within the connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SaleEvent {
    pub kind: EventKind,
    /// Cancel, refund or edit reason as the channel tells it.
    pub reason: Option<String>,
    /// The order's key; for a return without an order, the refund's key.
    pub order_key: String,
    /// Whether `order_key` names an order (false: a return without its order).
    pub has_order: bool,
    pub line_key: Option<String>,
    pub product_key: Option<String>,
    pub variant_key: Option<String>,
    pub customer_key: Option<String>,
    pub store_key: Option<String>,
    pub location_key: Option<String>,
    pub staff_key: Option<String>,
    /// Sales channel inside the connection ("web", "pos"), where the source tells it.
    pub channel: Option<String>,
    /// ISO 3166-1 alpha-2 where known, else the source's own name.
    pub country: Option<String>,
    pub region: Option<String>,
    pub test: bool,
    /// Units in thousandths.
    pub quantity_milli: i64,
    pub gross_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    /// The share of `tax_minor`'s counterpart that a marketplace remits itself; not in `tax_minor`.
    pub marketplace_tax_minor: i64,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
    pub duty_minor: i64,
    pub tip_minor: i64,
    pub fee_minor: i64,
    pub gift_card_minor: i64,
    pub cost_minor: i64,
    pub currency: Currency,
    pub presentment_currency: Option<Currency>,
    pub presentment_minor: Option<i64>,
    /// When it happened, and on which business date of the store.
    pub event_at: Instant,
    pub event_date: LocalDate,
    /// When its order was placed, and on which business date.
    pub order_at: Instant,
    pub order_date: LocalDate,
}

/// An event as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedEvent {
    pub id: EventId,
    /// Set on a negated copy: the event it takes back.
    pub reverses: Option<EventId>,
    pub event: SaleEvent,
}
