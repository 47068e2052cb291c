//! The cash ledger: one movement of a provider's balance a row. Append-only.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cash_event")]
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
    pub category: String,
    #[sea_orm(column_type = "Text")]
    pub provider_kind: String,
    #[sea_orm(column_type = "Text")]
    pub entry_key: String,
    /// Under which key it is posted: the payment's; the entry's own where it has no payment.
    #[sea_orm(column_type = "Text")]
    pub payment_key: String,
    pub has_payment: bool,
    #[sea_orm(column_type = "Text")]
    pub order_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub reference: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub payout_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub source_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub method: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub dispute_state: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    pub amount_minor: i64,
    pub fee_minor: i64,
    pub fee_tax_minor: i64,
    pub net_minor: i64,
    #[sea_orm(column_type = "Text")]
    pub charged_currency: Option<String>,
    pub charged_minor: Option<i64>,
    /// Plain digits.
    #[sea_orm(column_type = "Text")]
    pub fx_rate: Option<String>,
    pub event_at: i64,
    /// Days since 1970-01-01 in the store's calendar.
    pub event_date: i32,
    pub payment_at: i64,
    pub payment_date: i32,
    pub available_on: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
