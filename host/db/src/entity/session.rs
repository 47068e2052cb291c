//! A signed-in browser. Only the hash of its cookie is known here.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// SHA-256 of the cookie, lower-case hex.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub id_hash: String,
    pub user_id: Uuid,
    pub tenant_id: Uuid,
    pub created_at: i64,
    pub last_seen_at: i64,
    /// Absolute end, however busy the session is.
    pub expires_at: i64,
    /// What the session is called where it is listed and ended: it opens nothing.
    pub id: Uuid,
    /// When the person last showed who they are.
    pub authenticated_at: i64,
    /// How: names of factors with `+` between them.
    #[sea_orm(column_type = "Text")]
    pub factors: String,
    /// As the browser named itself, cut short.
    #[sea_orm(column_type = "Text")]
    pub user_agent: String,
    /// The client's address, as far as it can be trusted.
    #[sea_orm(column_type = "Text")]
    pub address: String,
    /// The company under whose own domain it was begun: it is good for that one alone.
    pub domain_tenant_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
