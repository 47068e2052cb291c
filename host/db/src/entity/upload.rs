//! A file that a person gave to a connection.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The file's number in the plugin contract, unique in the tenant.
    pub number: i64,
    pub connection_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub stream: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub content_type: String,
    pub size_bytes: i64,
    /// Of the unpacked bytes.
    #[sea_orm(column_type = "Text")]
    pub sha256: String,
    /// Below the data folder.
    #[sea_orm(column_type = "Text")]
    pub path: String,
    /// "waiting", "staged" or "refused".
    #[sea_orm(column_type = "Text")]
    pub state: String,
    pub received_at: i64,
    /// Why it was refused.
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
