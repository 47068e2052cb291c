//! What one currency was worth in another on a day.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fx_rate")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// One unit of it…
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub base: String,
    /// …is so many of this.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub quote: String,
    /// Days since 1970-01-01.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i32,
    /// A decimal number.
    #[sea_orm(column_type = "Text")]
    pub rate: String,
    /// Who says so: the name of a file, or of the person's way.
    #[sea_orm(column_type = "Text")]
    pub source: String,
    /// Since when it counts: a rate that is said again is as old as it was.
    pub said_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
