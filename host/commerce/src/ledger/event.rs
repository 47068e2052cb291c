//! One movement of money or quantity.

use portolan_core::{Currency, Instant, LocalDate};
use serde::{Deserialize, Serialize};

use super::{EventKind, LedgerEvent};

/// The content of a ledger event: everything but its identity and the moment of recording.
///
/// Sign: what the seller gains is positive. `gross`, `discount` and `tax` of a return are the
/// negated shares of what it takes back, so net sales are Σ(`gross` − `discount`) over all events.
/// Amounts are minor units of `currency`, without included tax; gift cards are in
/// `gift_card_minor` alone. No amount is part of another: what the buyer pays is their sum
/// ([`SaleEvent::charged_minor`]). Keys are the channel's and unique within the connection.
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
    /// Tax on goods, collected by the seller; not on shipping.
    pub tax_minor: i64,
    /// Tax charged to the buyer that a marketplace remits itself; not in `tax_minor`.
    pub marketplace_tax_minor: i64,
    pub shipping_minor: i64,
    /// Tax on shipping; not in `tax_minor`, so that `taxes` = `tax_minor` + `shipping_tax_minor`.
    pub shipping_tax_minor: i64,
    pub duty_minor: i64,
    pub tip_minor: i64,
    pub fee_minor: i64,
    pub gift_card_minor: i64,
    /// What the units cost the seller; no part of what the buyer pays.
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

impl SaleEvent {
    /// What the buyer is charged by this event (negative: given back).
    pub fn charged_minor(&self) -> i128 {
        let charges = [
            self.gross_minor,
            self.tax_minor,
            self.marketplace_tax_minor,
            self.shipping_minor,
            self.shipping_tax_minor,
            self.duty_minor,
            self.tip_minor,
            self.fee_minor,
            self.gift_card_minor,
        ];
        charges.into_iter().map(i128::from).sum::<i128>() - i128::from(self.discount_minor)
    }
}

impl LedgerEvent for SaleEvent {
    fn negated(&self) -> Self {
        Self {
            quantity_milli: -self.quantity_milli,
            gross_minor: -self.gross_minor,
            discount_minor: -self.discount_minor,
            tax_minor: -self.tax_minor,
            marketplace_tax_minor: -self.marketplace_tax_minor,
            shipping_minor: -self.shipping_minor,
            shipping_tax_minor: -self.shipping_tax_minor,
            duty_minor: -self.duty_minor,
            tip_minor: -self.tip_minor,
            fee_minor: -self.fee_minor,
            gift_card_minor: -self.gift_card_minor,
            cost_minor: -self.cost_minor,
            presentment_minor: self.presentment_minor.map(|amount| -amount),
            ..self.clone()
        }
    }
}
