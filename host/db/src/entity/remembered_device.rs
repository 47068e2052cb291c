//! A browser in which its person has shown a code, and is not asked for one for a while. Only the hash of its cookie is
//! known here.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "remembered_device")]
pub struct Model {
    /// SHA-256 of the cookie, lower-case hex.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub token_hash: String,
    /// What it is called where it is listed and forgotten: it opens nothing.
    pub id: Uuid,
    pub user_id: Uuid,
    /// When the code was shown.
    pub created_at: i64,
    pub last_used_at: i64,
    pub expires_at: i64,
    /// As the browser named itself, cut short.
    #[sea_orm(column_type = "Text")]
    pub user_agent: String,
    /// Where the code was shown.
    #[sea_orm(column_type = "Text")]
    pub address: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
