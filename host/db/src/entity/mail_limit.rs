//! How often a mail was asked for of late, for one purpose and name, whether there is such a name or not.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_limit")]
pub struct Model {
    /// SHA-256 of purpose and name, lower-case hex.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub key_hash: String,
    /// The newest; 0 is never.
    pub asked_at_1: i64,
    pub asked_at_2: i64,
    pub locked_until: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
