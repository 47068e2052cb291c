//! An order and everything that hangs on it.

use portolan_sdk::{Number, Text};
use serde::Deserialize;

use super::{Address, Bag, Connection, Reference};

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Order<'a> {
    pub id: Text<'a>,
    pub name: Option<Text<'a>>,
    pub created_at: Text<'a>,
    pub processed_at: Option<Text<'a>>,
    pub updated_at: Text<'a>,
    pub closed_at: Option<Text<'a>>,
    pub cancelled_at: Option<Text<'a>>,
    pub cancel_reason: Option<Text<'a>>,
    #[serde(default)]
    pub test: bool,
    pub taxes_included: bool,
    pub currency_code: Text<'a>,
    pub presentment_currency_code: Option<Text<'a>>,
    pub display_financial_status: Option<Text<'a>>,
    pub display_fulfillment_status: Option<Text<'a>>,
    pub source_name: Option<Text<'a>>,
    #[serde(default)]
    pub discount_codes: Vec<Text<'a>>,
    pub customer: Option<Reference<'a>>,
    pub retail_location: Option<Reference<'a>>,
    pub shipping_address: Option<Address<'a>>,
    pub billing_address: Option<Address<'a>>,
    pub customer_journey_summary: Option<Journey<'a>>,
    pub total_price_set: Bag<'a>,
    pub total_tax_set: Option<Bag<'a>>,
    pub total_tip_received_set: Option<Bag<'a>>,
    pub original_total_duties_set: Option<Bag<'a>>,
    #[serde(default)]
    pub line_items: Connection<Line<'a>>,
    #[serde(default)]
    pub shipping_lines: Connection<ShippingLine<'a>>,
    #[serde(default)]
    pub refunds: Vec<Refund<'a>>,
    #[serde(default)]
    pub transactions: Vec<Transaction<'a>>,
    #[serde(default)]
    pub agreements: Connection<Agreement<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Journey<'a> {
    pub last_visit: Option<Visit<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Visit<'a> {
    pub source: Option<Text<'a>>,
    pub utm_parameters: Option<Utm<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Utm<'a> {
    pub source: Option<Text<'a>>,
    pub medium: Option<Text<'a>>,
    pub campaign: Option<Text<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Line<'a> {
    pub id: Text<'a>,
    pub title: Text<'a>,
    pub variant_title: Option<Text<'a>>,
    pub quantity: i64,
    pub sku: Option<Text<'a>>,
    #[serde(default)]
    pub is_gift_card: bool,
    pub product: Option<Reference<'a>>,
    pub variant: Option<Reference<'a>>,
    pub original_unit_price_set: Bag<'a>,
    #[serde(default)]
    pub discount_allocations: Vec<Allocation<'a>>,
    #[serde(default)]
    pub tax_lines: Vec<Tax<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Allocation<'a> {
    pub allocated_amount_set: Bag<'a>,
    pub discount_application: Option<Application<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Application<'a> {
    #[serde(rename = "__typename")]
    pub typename: Option<Text<'a>>,
    pub code: Option<Text<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Tax<'a> {
    pub title: Text<'a>,
    pub rate: Option<Number>,
    pub channel_liable: Option<bool>,
    pub price_set: Bag<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ShippingLine<'a> {
    #[serde(default)]
    pub is_removed: bool,
    pub discounted_price_set: Bag<'a>,
    #[serde(default)]
    pub tax_lines: Vec<Tax<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Refund<'a> {
    pub id: Text<'a>,
    pub created_at: Option<Text<'a>>,
    pub processed_at: Option<Text<'a>>,
    pub updated_at: Option<Text<'a>>,
    pub total_refunded_set: Bag<'a>,
    /// Null where the order had none.
    pub duties: Option<Vec<RefundDuty<'a>>>,
    #[serde(default)]
    pub refund_line_items: Connection<RefundLine<'a>>,
    #[serde(default)]
    pub refund_shipping_lines: Connection<RefundShipping<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RefundDuty<'a> {
    pub amount_set: Bag<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RefundLine<'a> {
    pub quantity: i64,
    pub restock_type: Option<Text<'a>>,
    pub line_item: LineReference<'a>,
    pub subtotal_set: Bag<'a>,
    pub total_tax_set: Option<Bag<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct LineReference<'a> {
    pub id: Text<'a>,
    pub product: Option<Reference<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RefundShipping<'a> {
    pub subtotal_amount_set: Bag<'a>,
    pub tax_amount_set: Option<Bag<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Transaction<'a> {
    pub id: Text<'a>,
    pub kind: Text<'a>,
    pub status: Text<'a>,
    pub created_at: Option<Text<'a>>,
    pub processed_at: Option<Text<'a>>,
    pub gateway: Option<Text<'a>>,
    pub payment_id: Option<Text<'a>>,
    #[serde(default)]
    pub test: bool,
    pub amount_set: Bag<'a>,
    pub parent_transaction: Option<Reference<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Agreement<'a> {
    pub id: Text<'a>,
    pub happened_at: Text<'a>,
    pub reason: Text<'a>,
    #[serde(default)]
    pub sales: Connection<Sale<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Sale<'a> {
    pub action_type: Text<'a>,
    pub line_type: Text<'a>,
    pub quantity: Option<i64>,
    pub total_amount: Bag<'a>,
    pub total_tax_amount: Bag<'a>,
    pub total_discount_amount_before_taxes: Bag<'a>,
    pub total_discount_amount_after_taxes: Bag<'a>,
    pub line_item: Option<Reference<'a>>,
}
