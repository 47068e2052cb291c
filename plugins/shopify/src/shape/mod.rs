//! The answers of Shopify, as far as they are mapped. What the schema lets be null is optional; what
//! it promises is not, and its absence makes a dead letter.

mod money;
mod order;

pub use money::{Bag, Cash};
pub use order::*;
use serde::Deserialize;

/// A page of things that hang on a record; it is whole before it is staged.
#[derive(Debug, Clone, Deserialize)]
pub struct Connection<T> {
    #[serde(default = "Vec::new")]
    pub nodes: Vec<T>,
}

impl<T> Default for Connection<T> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

/// Something that is only pointed to.
#[derive(Debug, Clone, Deserialize)]
pub struct Reference {
    pub id: String,
}

impl Reference {
    pub fn key(&self) -> String {
        key(&self.id)
    }
}

/// A global id without what all have in common: `Order/5000000001`. The kind stays, for ids of
/// different kinds may be equal.
pub fn key(id: &str) -> String {
    let id = id.strip_prefix("gid://shopify/").unwrap_or(id);
    id.split('?').next().unwrap_or(id).to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    pub id: String,
    pub title: String,
    pub vendor: Option<String>,
    pub product_type: Option<String>,
    pub updated_at: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub category: Option<Category>,
    pub price_range_v2: Option<PriceRange>,
    #[serde(default)]
    pub variants: Connection<Variant>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    pub full_name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceRange {
    pub min_variant_price: PriceCurrency,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceCurrency {
    pub currency_code: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variant {
    pub id: String,
    pub title: Option<String>,
    pub sku: Option<String>,
    pub barcode: Option<String>,
    pub price: Option<String>,
    pub updated_at: Option<String>,
    pub inventory_item: Option<InventoryItem>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryItem {
    pub unit_cost: Option<Amount>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Amount {
    pub amount: String,
    pub currency_code: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    pub id: String,
    pub created_at: Option<String>,
    pub updated_at: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub default_address: Option<Address>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    pub country_code_v2: Option<String>,
    pub province_code: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shop {
    pub name: String,
    pub myshopify_domain: String,
    pub currency_code: String,
    pub iana_timezone: String,
}
