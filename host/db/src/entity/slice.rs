//! One unit of fetching inside a sync, with the token of its next page.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub sync_id: Uuid,
    pub connection_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub stream: String,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub partition: Option<String>,
    pub since: Option<i64>,
    pub until: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub mode: String,
    /// Order inside the sync.
    pub position: i64,
    pub state: SliceState,
    /// Opaque, from the page before; stored with that page.
    #[sea_orm(column_type = "Blob")]
    pub token: Option<Vec<u8>>,
    pub pages: i64,
    pub seen: i64,
    pub emitted: i64,
    pub skipped: i64,
    pub expected: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub error_code: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub error_detail: Option<String>,
    pub updated_at: i64,
    /// The number of the one upload that this slice reads.
    pub file: Option<i64>,
    /// The channel is not asked again before this moment.
    pub waiting_until: Option<i64>,
    /// A sentence for people: what it waits for.
    #[sea_orm(column_type = "Text")]
    pub waiting_why: Option<String>,
}

/// How far a slice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SliceState {
    #[sea_orm(string_value = "pending")]
    Pending,
    #[sea_orm(string_value = "running")]
    Running,
    #[sea_orm(string_value = "done")]
    Done,
    #[sea_orm(string_value = "failed")]
    Failed,
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
    /// Others stand in its place: it was too large for the channel.
    #[sea_orm(string_value = "split")]
    Split,
}

impl SliceState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Split => "split",
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
