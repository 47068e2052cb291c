//! The answers of Shopify, as far as they are mapped. What the schema lets be null is optional; what
//! it promises is not, and its absence makes a dead letter.
//!
//! Texts are borrowed from the page: one order has some thirty of them, and half are only compared.

mod money;
mod order;

pub use money::{Bag, Cash};
pub use order::*;
use portolan_sdk::Text;
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
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Reference<'a> {
    pub id: Text<'a>,
}

impl Reference<'_> {
    pub fn key(&self) -> String {
        key(&self.id)
    }
}

/// A global id without what all have in common: `Order/5000000001`. The kind stays, for ids of
/// different kinds may be equal.
pub fn key(id: &str) -> String {
    let id = id.strip_prefix("gid://shopify/").unwrap_or(id);
    let end = id.bytes().position(|byte| byte == b'?').unwrap_or(id.len());
    id[..end].to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Product<'a> {
    pub id: Text<'a>,
    pub title: Text<'a>,
    pub vendor: Option<Text<'a>>,
    pub product_type: Option<Text<'a>>,
    pub updated_at: Text<'a>,
    #[serde(default)]
    pub tags: Vec<Text<'a>>,
    pub category: Option<Category<'a>>,
    pub price_range_v2: Option<PriceRange<'a>>,
    #[serde(default)]
    pub variants: Connection<Variant<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Category<'a> {
    pub full_name: Text<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PriceRange<'a> {
    pub min_variant_price: PriceCurrency<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PriceCurrency<'a> {
    pub currency_code: Text<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Variant<'a> {
    pub id: Text<'a>,
    pub title: Option<Text<'a>>,
    pub sku: Option<Text<'a>>,
    pub barcode: Option<Text<'a>>,
    pub price: Option<Text<'a>>,
    pub updated_at: Option<Text<'a>>,
    pub inventory_item: Option<InventoryItem<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct InventoryItem<'a> {
    pub unit_cost: Option<Amount<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Amount<'a> {
    pub amount: Text<'a>,
    pub currency_code: Text<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Customer<'a> {
    pub id: Text<'a>,
    pub created_at: Option<Text<'a>>,
    pub updated_at: Text<'a>,
    #[serde(default)]
    pub tags: Vec<Text<'a>>,
    pub default_address: Option<Address<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Address<'a> {
    pub country_code_v2: Option<Text<'a>>,
    pub province_code: Option<Text<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Shop<'a> {
    pub name: Text<'a>,
    pub myshopify_domain: Text<'a>,
    pub currency_code: Text<'a>,
    pub iana_timezone: Text<'a>,
}
