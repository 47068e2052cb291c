//! What cannot be read is set aside with its reason and tried again: files, and staged chunks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, integer, text_null, uuid_null};

use crate::table::create_index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column at a time: SQLite adds no more in one statement.
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        create_index(manager, "chunk", "left", &["tenant_id", "connection_id", "state", "tries", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("chunk_left").table("chunk").to_owned()).await?;
        for (table, column) in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(table).drop_column(name).take()).await?;
        }
        Ok(())
    }
}

fn columns() -> [(&'static str, ColumnDef); 5] {
    [
        ("upload", text_null("reason")),
        ("slice", big_integer_null("file")),
        ("chunk", integer("tries").default(0).take()),
        ("chunk", uuid_null("tried_by")),
        ("chunk", text_null("error")),
    ]
}
