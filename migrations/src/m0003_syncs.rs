//! Tables for what runs and what it brought: syncs, slices, chunks, quarantine.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, blob_null, text, text_null, uuid};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(sync()).await?;
        manager.create_table(slice()).await?;
        manager.create_table(chunk()).await?;
        manager.create_table(quarantine()).await?;
        create_index(manager, "sync", "connection", &["tenant_id", "connection_id", "created_at"]).await?;
        create_index(manager, "sync", "created_at", &["tenant_id", "created_at"]).await?;
        create_index(manager, "sync", "state", &["tenant_id", "state"]).await?;
        create_index(manager, "slice", "sync", &["tenant_id", "sync_id", "position"]).await?;
        create_index(manager, "chunk", "slice", &["tenant_id", "slice_id", "state"]).await?;
        create_index(manager, "chunk", "sync", &["tenant_id", "sync_id", "state"]).await?;
        create_index(
            manager,
            "chunk",
            "connection",
            &["tenant_id", "connection_id", "stream", "received_at"],
        )
        .await?;
        create_index(manager, "quarantine", "connection", &["tenant_id", "connection_id", "created_at"])
            .await?;
        create_index(manager, "quarantine", "chunk", &["tenant_id", "chunk_id", "src"]).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["quarantine", "chunk", "slice", "sync"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn sync() -> TableCreateStatement {
    Table::create()
        .table("sync")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text("trigger"))
        .col(text("state"))
        .col(text_null("requested_action"))
        .col(big_integer("seen"))
        .col(big_integer("emitted"))
        .col(big_integer("skipped"))
        .col(big_integer("documents"))
        .col(big_integer("events_posted"))
        .col(big_integer("bytes_fetched"))
        .col(big_integer_null("expected"))
        .col(text_null("error_code"))
        .col(text_null("error_detail"))
        .col(big_integer("created_at"))
        .col(big_integer_null("started_at"))
        .col(big_integer_null("finished_at"))
        .col(big_integer("updated_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}

fn slice() -> TableCreateStatement {
    Table::create()
        .table("slice")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("sync_id"))
        .col(uuid("connection_id"))
        .col(text("stream"))
        .col(text_null("partition"))
        .col(big_integer_null("since"))
        .col(big_integer_null("until"))
        .col(text("mode"))
        .col(big_integer("position"))
        .col(text("state"))
        .col(blob_null("token"))
        .col(big_integer("pages"))
        .col(big_integer("seen"))
        .col(big_integer("emitted"))
        .col(big_integer("skipped"))
        .col(big_integer_null("expected"))
        .col(text_null("error_code"))
        .col(text_null("error_detail"))
        .col(big_integer("updated_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "sync_id"], "sync", &["tenant_id", "id"]))
        .take()
}

fn chunk() -> TableCreateStatement {
    Table::create()
        .table("chunk")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("slice_id"))
        .col(uuid("sync_id"))
        .col(uuid("connection_id"))
        .col(text("stream"))
        .col(text("framing"))
        .col(text("content_type"))
        .col(blob("body"))
        .col(text("sha256"))
        .col(big_integer("received_at"))
        .col(text("state"))
        .col(text("plugin_sha256"))
        .col(big_integer("seen"))
        .col(big_integer("emitted"))
        .col(big_integer("skipped"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .take()
}

fn quarantine() -> TableCreateStatement {
    Table::create()
        .table("quarantine")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text("stream"))
        .col(uuid("chunk_id"))
        .col(big_integer("src"))
        .col(text_null("path"))
        .col(text("reason"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .take()
}
