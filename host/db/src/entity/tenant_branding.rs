//! How a company looks. Without a row it looks like Portolan.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant_branding")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// What stands in the place of "Portolan".
    #[sea_orm(column_type = "Text")]
    pub name: Option<String>,
    /// Whom its mails name beside the address.
    #[sea_orm(column_type = "Text")]
    pub mail_sender: Option<String>,
    /// Six lower-case hexadecimal digits.
    #[sea_orm(column_type = "Text")]
    pub accent: Option<String>,
    /// Looked through and written anew when it came: nothing in it but the picture.
    pub logo: Option<Vec<u8>>,
    /// Its media type.
    #[sea_orm(column_type = "Text")]
    pub logo_kind: Option<String>,
    /// SHA-256 of it, in its address.
    #[sea_orm(column_type = "Text")]
    pub logo_hash: Option<String>,
    pub changed_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
