//! A question to a passkey that waits for its answer, for some minutes. Whoever takes the row away has the answer looked at.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkey_ceremony")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of what the browser names it by, lower-case hex.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// What it is for, and the session or first step that it is part of, where there is one.
    #[sea_orm(column_type = "Text")]
    pub bound_to: String,
    /// What was asked, as the library keeps it; sealed for the house.
    pub sealed: Vec<u8>,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
