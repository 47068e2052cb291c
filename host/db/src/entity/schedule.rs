//! When a kind of job is due again.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub id: String,
    pub tenant_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub lane_id: String,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    #[sea_orm(column_type = "Text")]
    pub cron: String,
    /// IANA zone.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// Spread after the due moment, fixed per schedule.
    pub jitter_seconds: i32,
    pub catch_up: CatchUp,
    pub next_fire_at: i64,
    pub enabled: bool,
}

/// What becomes of moments that passed while nobody was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum CatchUp {
    #[sea_orm(string_value = "coalesce")]
    Coalesce,
    #[sea_orm(string_value = "all")]
    All,
    #[sea_orm(string_value = "skip")]
    Skip,
}

impl CatchUp {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coalesce => "coalesce",
            Self::All => "all",
            Self::Skip => "skip",
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
