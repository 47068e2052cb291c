//! Agencies: a company may look after others, its clients. And what people prefer, in every company alike.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, uuid, uuid_null};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("tenant").add_column(uuid_null("parent_id")).take()).await?;
        create_index(manager, "tenant", "parent", &["parent_id"]).await?;
        let preference = Table::create()
            .table("preference")
            .col(uuid("user_id"))
            .col(text("theme"))
            .col(text("start_page"))
            .col(big_integer("changed_at"))
            .primary_key(&mut key(&["user_id"]))
            .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
            .take();
        manager.create_table(preference).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("preference").take()).await?;
        manager.drop_index(Index::drop().table("tenant").name("tenant_parent").to_owned()).await?;
        manager.alter_table(Table::alter().table("tenant").drop_column("parent_id").take()).await
    }
}
