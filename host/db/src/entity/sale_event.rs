//! The sales ledger: one movement of money or quantity a row. Append-only.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sale_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Given under the tenant's row lock: nothing commits behind a fold.
    #[sea_orm(primary_key, auto_increment = false)]
    pub posting_version: i64,
    pub connection_id: Uuid,
    /// Set on a negated copy: the event it takes back.
    pub reverses: Option<Uuid>,
    pub recorded_at: i64,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub order_key: String,
    pub has_order: bool,
    #[sea_orm(column_type = "Text")]
    pub line_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub product_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub variant_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub customer_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub store_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub location_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub staff_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub channel: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub country: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub region: Option<String>,
    pub test: bool,
    pub quantity_milli: i64,
    pub gross_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub marketplace_tax_minor: i64,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
    pub duty_minor: i64,
    pub tip_minor: i64,
    pub fee_minor: i64,
    pub gift_card_minor: i64,
    pub cost_minor: i64,
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    #[sea_orm(column_type = "Text")]
    pub presentment_currency: Option<String>,
    pub presentment_minor: Option<i64>,
    pub event_at: i64,
    /// Days since 1970-01-01 in the store's calendar.
    pub event_date: i32,
    pub order_at: i64,
    pub order_date: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
