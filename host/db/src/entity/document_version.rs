//! Every version of every document, in the words of the canonical model.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub connection_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub entity: String,
    #[sea_orm(column_type = "Text")]
    pub key: String,
    /// Of the content: equal versions are one.
    #[sea_orm(column_type = "Text")]
    pub hash: String,
    pub updated_at: i64,
    pub received_at: i64,
    /// The chunk that said it first.
    pub chunk_id: Uuid,
    /// Index of the raw record inside that chunk.
    pub src: i64,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// The newest chunk that says it, as it was read last; further ones are in `version_source`. None: no chunk
    /// says it any more, so it counts for nothing.
    pub source_chunk_id: Option<Uuid>,
    /// The first half of the hash of the plugin's build that made it first; none where it is older than this mark.
    pub plugin_build: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
