//! One tenant's account at one channel or provider.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub plugin_id: String,
    #[sea_orm(column_type = "Text")]
    pub label: String,
    pub state: ConnectionState,
    /// JSON object, valid against the manifest's schema; secret fields absent.
    #[sea_orm(column_type = "Text")]
    pub config: String,
    /// IANA zone of the store.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// Minutes after midnight at which the store's business day begins.
    pub day_cutover_minutes: i32,
    /// JSON: hosts and secrets that a person agreed to.
    #[sea_orm(column_type = "Text")]
    pub consent: String,
    pub created_at: i64,
    pub updated_at: i64,
    /// The build of its plugin that it is on: a newer one is switched to, never slipped in.
    #[sea_orm(column_type = "Text")]
    pub plugin_sha256: Option<String>,
    /// Whether its customers' ids are replaced by pseudonyms before anything is stored. Never changes: the same
    /// customer under two keys would be two customers.
    pub pseudonyms: bool,
}

/// Whether a connection is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ConnectionState {
    #[sea_orm(string_value = "active")]
    Active,
    #[sea_orm(string_value = "paused")]
    Paused,
    #[sea_orm(string_value = "needs_auth")]
    NeedsAuth,
}

impl ConnectionState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::NeedsAuth => "needs_auth",
        }
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
