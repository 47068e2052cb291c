//! A code for whoever lost what makes the others. Only its salted hash is known here.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// Lower-case hex.
    #[sea_orm(column_type = "Text")]
    pub salt: String,
    /// SHA-256 of salt and code, lower-case hex.
    #[sea_orm(column_type = "Text")]
    pub code_hash: String,
    /// Set by the one use of it.
    pub used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
