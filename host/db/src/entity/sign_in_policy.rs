//! What a company asks of whoever signs in to it. Without a row it asks what the house asks.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_policy")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Roles whose holders need a second factor, with spaces between them.
    #[sea_orm(column_type = "Text")]
    pub second_factor_roles: String,
    pub session_minutes: i32,
    pub idle_minutes: i32,
    /// CIDR networks with spaces between them; empty: from anywhere.
    #[sea_orm(column_type = "Text")]
    pub networks: String,
    pub changed_at: i64,
    /// 1 where codes by mail count as a second factor.
    pub mail_codes: i32,
    /// For how many days a browser may be remembered; 0: none is.
    pub device_days: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
