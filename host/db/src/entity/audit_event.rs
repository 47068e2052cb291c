//! That somebody did something: a link of the chain of its tenant. Never changed, never deleted.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    /// 1, 2, 3, … without a gap.
    pub seq: i64,
    pub at: i64,
    /// person, api_key, operator, channel (by the address of a connection) or server.
    #[sea_orm(column_type = "Text")]
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    /// The public name of the session that it was done in.
    pub session_id: Option<Uuid>,
    /// `connection.create`.
    #[sea_orm(column_type = "Text")]
    pub action: String,
    #[sea_orm(column_type = "Text")]
    pub subject_kind: String,
    #[sea_orm(column_type = "Text")]
    pub subject_id: String,
    /// JSON, without secrets and personal data.
    #[sea_orm(column_type = "Text")]
    pub before: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub after: Option<String>,
    /// Of whoever asked; empty on the command line.
    #[sea_orm(column_type = "Text")]
    pub address: String,
    /// The log knows the same.
    #[sea_orm(column_type = "Text")]
    pub request_id: String,
    /// The hash of the event before, in hex; zeros for the first.
    #[sea_orm(column_type = "Text")]
    pub previous_hash: String,
    #[sea_orm(column_type = "Text")]
    pub hash: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
