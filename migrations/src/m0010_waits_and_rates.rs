//! A slice waits for its channel with a reason, and the processes of one database share rate budgets.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

use crate::table::{create_index, key};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column at a time: SQLite adds no more in one statement.
        for column in columns() {
            manager.alter_table(Table::alter().table("slice").add_column(column).take()).await?;
        }
        manager.create_table(rate_budget()).await?;
        create_index(manager, "rate_budget", "updated_at", &["updated_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("rate_budget").take()).await?;
        for column in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table("slice").drop_column(name).take()).await?;
        }
        Ok(())
    }
}

fn columns() -> [ColumnDef; 2] {
    [big_integer_null("waiting_until"), text_null("waiting_why")]
}

/// Belongs to the house: a quota may be the whole installation's, and its holder is only named by a digest.
fn rate_budget() -> TableCreateStatement {
    Table::create()
        .table("rate_budget")
        .col(text("holder"))
        .col(text("state"))
        .col(big_integer("updated_at"))
        .primary_key(&mut key(&["holder"]))
        .take()
}
