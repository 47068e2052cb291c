//! A company; owns everything that carries its id.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// In addresses; unique.
    #[sea_orm(column_type = "Text")]
    pub slug: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// ISO 4217.
    #[sea_orm(column_type = "Text")]
    pub reporting_currency: String,
    /// Which of the known exchange rates counts: the name of a policy.
    #[sea_orm(column_type = "Text")]
    pub rate_policy: String,
    /// Of what is known of exchange rates, or of the policy.
    pub rates_changed_at: i64,
    /// IANA zone.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// 1 is Monday, 7 is Sunday.
    pub week_start: i32,
    /// 1 to 12.
    pub fiscal_start_month: i32,
    pub created_at: i64,
    /// Grows with every change of who may do what: what was decided under an older one is decided anew.
    pub access_version: i64,
    /// The agency that looks after it. Says nothing of what anybody there may do here.
    pub parent_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
