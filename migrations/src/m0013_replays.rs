//! Tables for reading stored pages again: which page says a version, what posted an event, replays, the plugin's
//! build that each connection is on, trials of another build and switches to it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null, uuid, uuid_null};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column at a time: SQLite adds no more in one statement.
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for statement in [SOURCES_SO_FAR, NEWEST_BUILDS] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        for table in [version_source(), posting(), replay(), shadow_replay(), plugin_switch()] {
            manager.create_table(table).await?;
        }
        create_index(manager, "document_version", "source", &["tenant_id", "source_chunk_id"]).await?;
        create_index(manager, "version_source", "chunk", &["tenant_id", "chunk_id"]).await?;
        for table in ["replay", "shadow_replay", "plugin_switch"] {
            create_index(manager, table, "connection", &["tenant_id", "connection_id", "id"]).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["plugin_switch", "shadow_replay", "replay", "posting", "version_source"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        let index = Index::drop().name("document_version_source").table("document_version").to_owned();
        manager.drop_index(index).await?;
        for (table, column) in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(table).drop_column(name).take()).await?;
        }
        Ok(())
    }
}

/// What was met again before this was counted is counted when its page is read again.
const SOURCES_SO_FAR: &str = "UPDATE document_version SET source_chunk_id = chunk_id";

/// The build that every connection has been on.
const NEWEST_BUILDS: &str = "UPDATE connection SET plugin_sha256 = (SELECT plugin.sha256 FROM plugin \
    WHERE plugin.id = connection.plugin_id AND plugin.enabled ORDER BY plugin.installed_at DESC LIMIT 1)";

fn columns() -> [(&'static str, ColumnDef); 3] {
    [
        ("document_version", uuid_null("source_chunk_id")),
        ("document_version", uuid_null("plugin_build")),
        ("connection", text_null("plugin_sha256")),
    ]
}

fn version_source() -> TableCreateStatement {
    Table::create()
        .table("version_source")
        .col(uuid("tenant_id"))
        .col(uuid("version_id"))
        .col(uuid("chunk_id"))
        .primary_key(&mut key(&["tenant_id", "version_id", "chunk_id"]))
        .take()
}

fn posting() -> TableCreateStatement {
    Table::create()
        .table("posting")
        .col(uuid("tenant_id"))
        .col(big_integer("posting_version"))
        .col(uuid("connection_id"))
        .col(uuid("chunk_id"))
        .col(uuid("plugin_build"))
        .col(big_integer("recorded_at"))
        .primary_key(&mut key(&["tenant_id", "posting_version"]))
        .take()
}

fn replay() -> TableCreateStatement {
    Table::create()
        .table("replay")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text("reason"))
        .col(text_null("stream"))
        .col(uuid_null("chunk_id"))
        .col(text("state"))
        .col(text_null("plugin_sha256"))
        .col(uuid_null("before_chunk_id"))
        .col(big_integer("chunks_total"))
        .col(big_integer("chunks_done"))
        .col(big_integer("chunks_failed"))
        .col(big_integer("seen"))
        .col(big_integer("skipped"))
        .col(big_integer("released"))
        .col(big_integer("documents"))
        .col(big_integer("superseded"))
        .col(big_integer("events_posted"))
        .col(text_null("error_code"))
        .col(text_null("error_detail"))
        .col(uuid_null("created_by"))
        .col(big_integer("created_at"))
        .col(big_integer_null("started_at"))
        .col(big_integer_null("finished_at"))
        .col(big_integer("updated_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}

fn shadow_replay() -> TableCreateStatement {
    Table::create()
        .table("shadow_replay")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text("from_sha256"))
        .col(text("to_sha256"))
        .col(text("state"))
        .col(big_integer("chunks_per_stream"))
        .col(big_integer("chunks_total"))
        .col(big_integer("chunks_done"))
        .col(text_null("report"))
        .col(text_null("error_detail"))
        .col(uuid_null("created_by"))
        .col(big_integer("created_at"))
        .col(big_integer_null("finished_at"))
        .col(big_integer("updated_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}

fn plugin_switch() -> TableCreateStatement {
    Table::create()
        .table("plugin_switch")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text_null("from_sha256"))
        .col(text("to_sha256"))
        .col(uuid_null("shadow_replay_id"))
        .col(uuid("replay_id"))
        .col(uuid_null("switched_by"))
        .col(big_integer("switched_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}
