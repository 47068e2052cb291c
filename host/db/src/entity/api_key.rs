//! A key that a program comes in with. It goes with the membership of whoever made it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    pub created_by: Uuid,
    /// Of the whole key, in hex.
    #[sea_orm(column_type = "Text")]
    pub key_sha256: String,
    /// Of the key before this one, while it goes on.
    #[sea_orm(column_type = "Text")]
    pub previous_sha256: Option<String>,
    pub previous_until: Option<i64>,
    /// Permissions with spaces between them.
    #[sea_orm(column_type = "Text")]
    pub scopes: String,
    /// CIDR networks with spaces between them; empty: from anywhere.
    #[sea_orm(column_type = "Text")]
    pub networks: String,
    pub created_at: i64,
    pub expires_at: i64,
    /// To the minute.
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
