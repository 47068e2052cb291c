//! An immutable Parquet file of facts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fact_part")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub fact: String,
    /// Months since 1970-01.
    pub month: i32,
    /// Below the data folder.
    #[sea_orm(column_type = "Text")]
    pub path: String,
    pub row_count: i64,
    pub size_bytes: i64,
    pub min_version: i64,
    pub max_version: i64,
    #[sea_orm(column_type = "Text")]
    pub sha256: String,
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
