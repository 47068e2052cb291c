//! An invitation into a tenant. Only the hash of its link's token is known here.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the token, lower-case hex.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// As they will sign in.
    #[sea_orm(column_type = "Text")]
    pub sign_in_name: String,
    /// Names of roles, with spaces between.
    #[sea_orm(column_type = "Text")]
    pub roles: String,
    /// Whose right to give these roles is asked for once more when it is used.
    pub invited_by: Uuid,
    pub created_at: i64,
    pub expires_at: i64,
    /// Set by the one who used it.
    pub accepted_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
