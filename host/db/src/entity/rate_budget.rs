//! What is left of a channel's quota, as the processes of this database share it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_budget")]
pub struct Model {
    /// A digest of whose quota it is.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub holder: String,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
