//! A passkey: the public half of a pair of keys whose other half stays with its person.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkey")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// SHA-256 of the credential's id, lower-case hex: what an answer is looked up by.
    #[sea_orm(column_type = "Text")]
    pub credential_hash: String,
    /// The credential as the library keeps it, with its counter; sealed for the house.
    pub sealed: Vec<u8>,
    /// As its person calls it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
