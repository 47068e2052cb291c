//! That somebody asked what is stored of a customer, or to have it erased.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "privacy_request")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: PrivacyKind,
    pub state: PrivacyState,
    pub source: PrivacySource,
    /// It may be gone by now.
    pub connection_id: Uuid,
    /// The customer's id at the channel, sealed; gone once they are erased.
    #[sea_orm(column_type = "Blob")]
    pub subject: Option<Vec<u8>>,
    /// Of the vault, where they were found there.
    pub person_id: Option<Uuid>,
    /// Who asked, where it was a person or their key.
    pub asked_by: Option<Uuid>,
    /// Keyed: of what was asked while it is open, or of what a shop has sent.
    #[sea_orm(column_type = "Text")]
    pub dedup_key: Option<String>,
    pub received_at: i64,
    /// Until then it can be taken back.
    pub starts_at: i64,
    /// The law's limit.
    pub due_at: i64,
    pub done_at: Option<i64>,
    /// JSON: counts alone.
    #[sea_orm(column_type = "Text")]
    pub result: Option<String>,
    /// What to do, in a sentence that names nobody.
    #[sea_orm(column_type = "Text")]
    pub last_error: Option<String>,
    /// What is handed out, sealed.
    #[sea_orm(column_type = "Blob")]
    pub export: Option<Vec<u8>>,
    pub export_until: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PrivacyKind {
    #[sea_orm(string_value = "export")]
    Export,
    #[sea_orm(string_value = "erase")]
    Erase,
    /// All customers of a connection.
    #[sea_orm(string_value = "erase_shop")]
    EraseShop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PrivacyState {
    #[sea_orm(string_value = "received")]
    Received,
    #[sea_orm(string_value = "running")]
    Running,
    #[sea_orm(string_value = "done")]
    Done,
    #[sea_orm(string_value = "failed")]
    Failed,
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PrivacySource {
    #[sea_orm(string_value = "page")]
    Page,
    #[sea_orm(string_value = "api")]
    Api,
    /// The channel told us to.
    #[sea_orm(string_value = "shop")]
    Shop,
    #[sea_orm(string_value = "operator")]
    Operator,
}

impl PrivacyKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Erase => "erase",
            Self::EraseShop => "erase_shop",
        }
    }
}

impl PrivacyState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether something is still to be done about it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Received | Self::Running)
    }
}

impl PrivacySource {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::Shop => "shop",
            Self::Operator => "operator",
        }
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantEntity for Entity {
    fn tenant_column() -> Self::Column {
        Column::TenantId
    }
}
