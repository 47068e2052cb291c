//! A unit of background work.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub lane_id: String,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// JSON, at most 64 KiB, no secrets.
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    pub state: JobState,
    /// Smaller goes first.
    pub priority: i32,
    pub run_at: i64,
    /// Claims in a row without progress; counted at claim, 1 again with every progress.
    pub attempt: i32,
    /// How often in a row its worker vanished without progress.
    pub crash_count: i32,
    pub max_attempts: i32,
    /// Grows with every claim: the fencing token.
    pub lease_token: i64,
    pub lease_until: Option<i64>,
    pub worker_id: Option<Uuid>,
    /// While it waits or runs, no second job of its kind carries this key.
    #[sea_orm(column_type = "Text")]
    pub unique_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub schedule_id: Option<String>,
    /// With the schedule: fires once, however many schedulers there are.
    pub fire_at: Option<i64>,
    pub replay_of: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub last_error_class: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub last_error: Option<String>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum JobState {
    #[sea_orm(string_value = "ready")]
    Ready,
    #[sea_orm(string_value = "running")]
    Running,
    #[sea_orm(string_value = "done")]
    Done,
    #[sea_orm(string_value = "dead")]
    Dead,
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl JobState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
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
