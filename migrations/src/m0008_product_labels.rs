//! Table for what order lines call their products, where no product document does.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, uuid};

use crate::table::key;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("product_label")
                    .col(uuid("tenant_id"))
                    .col(uuid("connection_id"))
                    .col(text("product_key"))
                    .col(text("title"))
                    .col(big_integer("said_at"))
                    .col(big_integer("tie"))
                    .primary_key(&mut key(&["tenant_id", "connection_id", "product_key"]))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("product_label").take()).await
    }
}
