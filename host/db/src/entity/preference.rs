//! What a person prefers, in every company that they belong to.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "preference")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// `system`, `light` or `dark`.
    #[sea_orm(column_type = "Text")]
    pub theme: String,
    /// The name of a page.
    #[sea_orm(column_type = "Text")]
    pub start_page: String,
    /// A theme that a browser has chosen by itself before that is over.
    pub changed_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
