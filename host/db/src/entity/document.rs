//! The current head of each document, for lists.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub connection_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub entity: String,
    #[sea_orm(column_type = "Text")]
    pub key: String,
    pub version_id: Uuid,
    pub updated_at: i64,
    pub received_at: i64,
    #[sea_orm(column_type = "Text")]
    pub hash: String,
    pub deleted: bool,
    pub test: bool,
    #[sea_orm(column_type = "Text")]
    pub parent_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub title: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub number: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub state: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub payment_state: Option<String>,
    pub occurred_at: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub currency: Option<String>,
    pub amount_minor: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub customer_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub country: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
