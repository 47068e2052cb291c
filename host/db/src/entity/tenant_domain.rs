//! A domain that a company says is its own, and whether that was shown. Found by the host of a request before anybody is
//! known, so it is a table of the house.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant_domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// In its canonical form: small ASCII letters, punycode.
    #[sea_orm(column_type = "Text")]
    pub domain: String,
    /// `pending`, `verified`, `failed` or `lapsed`.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// What its TXT record has to say. No secret: DNS tells it to everybody.
    #[sea_orm(column_type = "Text")]
    pub token: String,
    pub created_at: i64,
    pub checked_at: Option<i64>,
    pub verified_at: Option<i64>,
    /// Since when the record of a verified domain is not found any more.
    pub failing_since: Option<i64>,
    /// Why the last look was in vain, in a sentence.
    #[sea_orm(column_type = "Text")]
    pub error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
