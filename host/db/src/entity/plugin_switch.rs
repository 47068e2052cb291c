//! A switch of a connection to another build of its plugin, forward or back.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_switch")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub connection_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub from_sha256: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub to_sha256: String,
    /// The trial that was looked at before.
    pub shadow_replay_id: Option<Uuid>,
    /// What reads the stored chunks with the other build.
    pub replay_id: Uuid,
    pub switched_by: Option<Uuid>,
    pub switched_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
