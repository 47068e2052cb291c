//! A code that was mailed to somebody between the two steps of signing in.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_code")]
pub struct Model {
    /// The first step that it belongs to, as `pending_sign_in` knows it; with that it goes.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub sign_in_hash: String,
    /// SHA-256 over the first step's token and the code: without the token, which is kept nowhere, a million tries tell nothing.
    #[sea_orm(column_type = "Text")]
    pub code_hash: String,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
