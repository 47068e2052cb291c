//! A pair of short tokens that a program bought with its key. It goes with the key.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub key_id: Uuid,
    /// Shared by all pairs that came of one use of the key.
    pub family_id: Uuid,
    /// Permissions with spaces between them.
    #[sea_orm(column_type = "Text")]
    pub scopes: String,
    /// Of the whole token, in hex.
    #[sea_orm(column_type = "Text")]
    pub access_sha256: String,
    pub access_until: i64,
    #[sea_orm(column_type = "Text")]
    pub refresh_sha256: String,
    /// The same for the whole family.
    pub refresh_until: i64,
    pub created_at: i64,
    /// When the refresh token bought the next pair.
    pub used_at: Option<i64>,
    pub ended_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
