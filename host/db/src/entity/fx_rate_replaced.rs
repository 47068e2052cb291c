//! What one currency was said to be worth in another on a day, until something else was said.

use sea_orm::entity::prelude::*;

use super::fx_rate;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fx_rate_replaced")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub base: String,
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub quote: String,
    /// Days since 1970-01-01.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i32,
    /// It counted from then until the next one of its pair and day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub said_at: i64,
    /// A decimal number.
    #[sea_orm(column_type = "Text")]
    pub rate: String,
    #[sea_orm(column_type = "Text")]
    pub source: String,
}

impl From<fx_rate::Model> for Model {
    fn from(rate: fx_rate::Model) -> Self {
        let fx_rate::Model { tenant_id, base, quote, day, rate, source, said_at } = rate;
        Self { tenant_id, base, quote, day, said_at, rate, source }
    }
}

impl From<Model> for fx_rate::Model {
    fn from(replaced: Model) -> Self {
        let Model { tenant_id, base, quote, day, said_at, rate, source } = replaced;
        Self { tenant_id, base, quote, day, rate, source, said_at }
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
