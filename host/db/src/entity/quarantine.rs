//! A raw record that could not be mapped, with the reason.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quarantine")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub connection_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub stream: String,
    pub chunk_id: Uuid,
    /// Index of the raw record inside its chunk.
    pub src: i64,
    /// Of the offending field.
    #[sea_orm(column_type = "Text")]
    pub path: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
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
