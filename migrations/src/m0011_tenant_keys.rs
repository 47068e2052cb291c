//! Table for the data keys of tenants, each wrapped by a master key that stands outside the database.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, integer, uuid};

use crate::table::{create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("tenant_key")
                    .col(uuid("tenant_id"))
                    .col(uuid("id"))
                    .col(integer("version"))
                    .col(blob("wrapped"))
                    .col(big_integer("created_at"))
                    .primary_key(&mut key(&["tenant_id", "id"]))
                    .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
                    .take(),
            )
            .await?;
        create_unique_index(manager, "tenant_key", "version", &["tenant_id", "version"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tenant_key").take()).await
    }
}
