//! How a connection's customers are treated: how long they are kept, and by which address the channel tells of their wishes.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection_privacy")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection_id: Uuid,
    /// Customers who were not seen for so long are erased; without it they are kept.
    pub retention_days: Option<i32>,
    /// Of the token in the address, in hex.
    #[sea_orm(column_type = "Text")]
    pub hook_sha256: Option<String>,
    pub hook_made_at: Option<i64>,
    /// When something signed came by it the last time.
    pub hook_received_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
