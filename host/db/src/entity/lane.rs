//! A queue inside the queue, with its own limit: one per connection, and a few for the house.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lane")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub id: String,
    pub tenant_id: Option<Uuid>,
    pub connection_id: Option<Uuid>,
    pub max_running: i32,
    pub running: i32,
    /// When the earliest waiting job may run; absent where nothing waits.
    pub next_at: Option<i64>,
    pub paused_until: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub pause_reason: Option<String>,
    pub last_served: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
