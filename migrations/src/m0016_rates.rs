//! Table for exchange rates, and which of them a tenant converts by.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, text, uuid};

use crate::table::key;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("fx_rate")
                    .col(uuid("tenant_id"))
                    .col(text("base"))
                    .col(text("quote"))
                    .col(integer("day"))
                    .col(text("rate"))
                    .col(text("source"))
                    .col(big_integer("said_at"))
                    .primary_key(&mut key(&["tenant_id", "base", "quote", "day"]))
                    .take(),
            )
            .await?;
        // One column at a time: SQLite adds no more in one statement.
        for column in columns() {
            manager.alter_table(Table::alter().table("tenant").add_column(column).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table("tenant").drop_column(name).take()).await?;
        }
        manager.drop_table(Table::drop().table("fx_rate").take()).await
    }
}

fn columns() -> [ColumnDef; 2] {
    [text("rate_policy").default("event_date").take(), big_integer("rates_changed_at").default(0).take()]
}
