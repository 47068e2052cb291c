//! Somebody on their way to a provider of identities and back. Used once, within minutes, by the browser that began it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity_flow")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the state that travels with them, lower-case hex.
    #[sea_orm(column_type = "Text")]
    pub state_hash: String,
    /// SHA-256 of the cookie that stays in their browser, lower-case hex.
    #[sea_orm(column_type = "Text")]
    pub browser_hash: String,
    /// Which provider, what for, nonce and verifier: sealed.
    #[sea_orm(column_type = "Blob")]
    pub sealed: Vec<u8>,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
