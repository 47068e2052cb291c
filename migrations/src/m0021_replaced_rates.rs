//! Table for exchange rates that another one has replaced: what was reported while they counted stays answerable.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, text, uuid};

use crate::table::key;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("fx_rate_replaced")
            .col(uuid("tenant_id"))
            .col(text("base"))
            .col(text("quote"))
            .col(integer("day"))
            .col(big_integer("said_at"))
            .col(text("rate"))
            .col(text("source"))
            .primary_key(&mut key(&["tenant_id", "base", "quote", "day", "said_at"]))
            .take();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("fx_rate_replaced").take()).await
    }
}
