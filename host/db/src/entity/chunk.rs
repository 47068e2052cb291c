//! A page as the channel sent it, staged until it is normalised, and kept for replay.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slice_id: Uuid,
    pub sync_id: Uuid,
    pub connection_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub stream: String,
    #[sea_orm(column_type = "Text")]
    pub framing: String,
    #[sea_orm(column_type = "Text")]
    pub content_type: String,
    /// One Zstandard frame.
    #[sea_orm(column_type = "Blob")]
    pub body: Vec<u8>,
    /// Of the body before compression.
    #[sea_orm(column_type = "Text")]
    pub sha256: String,
    pub received_at: i64,
    pub state: ChunkState,
    /// The plugin that staged it, or the one that tried it last.
    #[sea_orm(column_type = "Text")]
    pub plugin_sha256: String,
    pub seen: i64,
    pub emitted: i64,
    pub skipped: i64,
    /// How many later syncs have tried to normalise it with this plugin.
    pub tries: i32,
    /// The later sync that tried last.
    pub tried_by: Option<Uuid>,
    /// Why it could not be normalised.
    #[sea_orm(column_type = "Text")]
    pub error: Option<String>,
}

/// How far a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ChunkState {
    #[sea_orm(string_value = "staged")]
    Staged,
    #[sea_orm(string_value = "normalised")]
    Normalised,
    #[sea_orm(string_value = "failed")]
    Failed,
}

impl ChunkState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Normalised => "normalised",
            Self::Failed => "failed",
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
