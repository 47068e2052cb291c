//! A request that said who it is, and what was answered.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Of the person, the address and the key they chose.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub key_sha256: String,
    /// Of the body: a key is good for one request.
    #[sea_orm(column_type = "Text")]
    pub request_sha256: String,
    /// None while there is no answer.
    pub status: Option<i32>,
    #[sea_orm(column_type = "Text")]
    pub content_type: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub location: Option<String>,
    #[sea_orm(column_type = "Blob")]
    pub body: Option<Vec<u8>>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
