//! What a person proves themselves with beside the password: a seed of codes, and the tries of late.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "second_factor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The seed, sealed for the house: people belong to no one tenant.
    pub sealed: Vec<u8>,
    pub created_at: i64,
    /// Absent until the first code was right: asked for at sign-in from then on.
    pub confirmed_at: Option<i64>,
    /// The newest step whose code was used. Neither it nor an older one is taken again.
    pub last_step: i64,
    /// When a code was last tried, the newest first; 0 for none. The fifth says whether another try is due.
    pub tried_at_1: i64,
    pub tried_at_2: i64,
    pub tried_at_3: i64,
    pub tried_at_4: i64,
    pub tried_at_5: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::HostEntity for Entity {}
