//! A customer of a shop: a pseudonym with a key of their own. Without the key it is the tombstone of somebody erased.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub connection_id: Uuid,
    /// What stands for the channel's id everywhere else; unique in a connection.
    #[sea_orm(column_type = "Text")]
    pub pseudonym: String,
    /// The person's own key, sealed with the tenant's; none once they are erased.
    #[sea_orm(column_type = "Blob")]
    pub key_sealed: Option<Vec<u8>>,
    /// The channel's id, sealed with the person's key; none once they are erased.
    #[sea_orm(column_type = "Blob")]
    pub identity_sealed: Option<Vec<u8>>,
    pub first_seen_at: i64,
    /// To the day: when the channel last told of them.
    pub last_seen_at: i64,
    pub erased_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
