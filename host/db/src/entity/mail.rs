//! A mail that waits to be sent, or could not be. Gone once it is sent.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// To whom and what it says: names and links, so sealed.
    pub sealed: Vec<u8>,
    pub created_at: i64,
    /// When nobody tried any more.
    pub failed_at: Option<i64>,
    /// Why it was not sent the last time; names nobody.
    #[sea_orm(column_type = "Text")]
    pub last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
