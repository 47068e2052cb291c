//! One reading anew of chunks that are stored.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replay")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub connection_id: Uuid,
    /// manual, upgrade or rollback.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Only this stream.
    #[sea_orm(column_type = "Text")]
    pub stream: Option<String>,
    /// Only this chunk.
    pub chunk_id: Option<Uuid>,
    pub state: ReplayState,
    /// The build that reads, once it has begun.
    #[sea_orm(column_type = "Text")]
    pub plugin_sha256: Option<String>,
    /// The chunk that was read last: those before it are left, newest first.
    pub before_chunk_id: Option<Uuid>,
    pub chunks_total: i64,
    pub chunks_done: i64,
    /// Of those done: they stay as they were.
    pub chunks_failed: i64,
    /// Raw records.
    pub seen: i64,
    pub skipped: i64,
    /// Records that left the quarantine.
    pub released: i64,
    pub documents: i64,
    /// Versions that no chunk says any more.
    pub superseded: i64,
    pub events_posted: i64,
    #[sea_orm(column_type = "Text")]
    pub error_code: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub error_detail: Option<String>,
    pub created_by: Option<Uuid>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub updated_at: i64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ReplayState {
    #[sea_orm(string_value = "queued")]
    Queued,
    #[sea_orm(string_value = "running")]
    Running,
    #[sea_orm(string_value = "succeeded")]
    Succeeded,
    #[sea_orm(string_value = "failed")]
    Failed,
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl ReplayState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether there is still something to do.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
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
