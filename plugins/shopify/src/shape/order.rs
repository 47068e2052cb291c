//! An order and everything that hangs on it.

use portolan_sdk::Number;
use serde::Deserialize;

use super::{Address, Bag, Connection, Reference};

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub id: String,
    pub name: Option<String>,
    pub created_at: String,
    pub processed_at: Option<String>,
    pub updated_at: String,
    pub closed_at: Option<String>,
    pub cancelled_at: Option<String>,
    pub cancel_reason: Option<String>,
    #[serde(default)]
    pub test: bool,
    pub taxes_included: bool,
    pub currency_code: String,
    pub presentment_currency_code: Option<String>,
    pub display_financial_status: Option<String>,
    pub display_fulfillment_status: Option<String>,
    pub source_name: Option<String>,
    #[serde(default)]
    pub discount_codes: Vec<String>,
    pub customer: Option<Reference>,
    pub retail_location: Option<Reference>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub customer_journey_summary: Option<Journey>,
    pub total_price_set: Bag,
    pub total_tax_set: Option<Bag>,
    pub total_tip_received_set: Option<Bag>,
    pub original_total_duties_set: Option<Bag>,
    #[serde(default)]
    pub line_items: Connection<Line>,
    #[serde(default)]
    pub shipping_lines: Connection<ShippingLine>,
    #[serde(default)]
    pub refunds: Vec<Refund>,
    #[serde(default)]
    pub transactions: Vec<Transaction>,
    #[serde(default)]
    pub agreements: Connection<Agreement>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Journey {
    pub last_visit: Option<Visit>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Visit {
    pub source: Option<String>,
    pub utm_parameters: Option<Utm>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Utm {
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub id: String,
    pub title: String,
    pub variant_title: Option<String>,
    pub quantity: i64,
    pub sku: Option<String>,
    #[serde(default)]
    pub is_gift_card: bool,
    pub product: Option<Reference>,
    pub variant: Option<Reference>,
    pub original_unit_price_set: Bag,
    #[serde(default)]
    pub discount_allocations: Vec<Allocation>,
    #[serde(default)]
    pub tax_lines: Vec<Tax>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    pub allocated_amount_set: Bag,
    pub discount_application: Option<Application>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Application {
    #[serde(rename = "__typename")]
    pub typename: Option<String>,
    pub code: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tax {
    pub title: String,
    pub rate: Option<Number>,
    pub channel_liable: Option<bool>,
    pub price_set: Bag,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShippingLine {
    #[serde(default)]
    pub is_removed: bool,
    pub discounted_price_set: Bag,
    #[serde(default)]
    pub tax_lines: Vec<Tax>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    pub id: String,
    pub created_at: Option<String>,
    pub processed_at: Option<String>,
    pub updated_at: Option<String>,
    pub total_refunded_set: Bag,
    /// Null where the order had none.
    pub duties: Option<Vec<RefundDuty>>,
    #[serde(default)]
    pub refund_line_items: Connection<RefundLine>,
    #[serde(default)]
    pub refund_shipping_lines: Connection<RefundShipping>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundDuty {
    pub amount_set: Bag,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundLine {
    pub quantity: i64,
    pub restock_type: Option<String>,
    pub line_item: LineReference,
    pub subtotal_set: Bag,
    pub total_tax_set: Option<Bag>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct LineReference {
    pub id: String,
    pub product: Option<Reference>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundShipping {
    pub subtotal_amount_set: Bag,
    pub tax_amount_set: Option<Bag>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    pub id: String,
    pub kind: String,
    pub status: String,
    pub created_at: Option<String>,
    pub processed_at: Option<String>,
    pub gateway: Option<String>,
    pub payment_id: Option<String>,
    #[serde(default)]
    pub test: bool,
    pub amount_set: Bag,
    pub parent_transaction: Option<Reference>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    pub id: String,
    pub happened_at: String,
    pub reason: String,
    #[serde(default)]
    pub sales: Connection<Sale>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sale {
    pub action_type: String,
    pub line_type: String,
    pub quantity: Option<i64>,
    pub total_amount: Bag,
    pub total_tax_amount: Bag,
    pub total_discount_amount_before_taxes: Bag,
    pub total_discount_amount_after_taxes: Bag,
    pub line_item: Option<Reference>,
}
