//! Tables for what a complete pass no longer shows, and for the shape of raw records by day; and the index by which
//! a connection's slices are found.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, text, uuid};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(held_delete()).await?;
        manager.create_table(stream_shape()).await?;
        create_index(manager, "slice", "connection", &["tenant_id", "connection_id", "stream"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("slice_connection").table("slice").to_owned()).await?;
        for table in ["stream_shape", "held_delete"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn held_delete() -> TableCreateStatement {
    Table::create()
        .table("held_delete")
        .col(uuid("tenant_id"))
        .col(uuid("connection_id"))
        .col(text("stream"))
        .col(uuid("sync_id"))
        .col(big_integer("vanished"))
        .col(big_integer("total"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["tenant_id", "connection_id", "stream"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}

fn stream_shape() -> TableCreateStatement {
    Table::create()
        .table("stream_shape")
        .col(uuid("tenant_id"))
        .col(uuid("connection_id"))
        .col(text("stream"))
        .col(integer("day"))
        .col(big_integer("records"))
        .col(text("shape"))
        .primary_key(&mut key(&["tenant_id", "connection_id", "stream", "day"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}
