//! Products and their stock.

use portolan_core::{Currency, Decimal};
use serde::{Deserialize, Serialize};

use super::Moment;

/// A product, or a variant with `parent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub deleted: bool,
    pub parent: Option<String>,
    pub sku: Option<String>,
    pub gtin: Option<String>,
    pub title: String,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub tags: Vec<String>,
    pub currency: Option<Currency>,
    pub price: Option<Decimal>,
    pub cost: Option<Decimal>,
}

/// Stock of a product at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryLevel {
    pub src: u32,
    pub product: String,
    pub location: String,
    pub at: Moment,
    pub on_hand: Decimal,
    pub available: Option<Decimal>,
    pub incoming: Option<Decimal>,
}
