//! Tables for what is connected: plugins, connections, their secrets, grants, files and streams.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, boolean, integer, text, text_null, uuid, uuid_null,
};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(plugin()).await?;
        manager.create_table(connection()).await?;
        manager.create_table(connection_secret()).await?;
        manager.create_table(egress_grant()).await?;
        manager.create_table(upload()).await?;
        manager.create_table(stream()).await?;
        create_index(manager, "plugin", "id", &["id", "installed_at"]).await?;
        create_unique_index(manager, "upload", "number", &["tenant_id", "number"]).await?;
        create_index(manager, "upload", "connection", &["tenant_id", "connection_id", "received_at"]).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["stream", "upload", "egress_grant", "connection_secret", "connection", "plugin"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn plugin() -> TableCreateStatement {
    Table::create()
        .table("plugin")
        .col(text("id"))
        .col(text("version"))
        .col(text("sha256"))
        .col(text("manifest"))
        .col(big_integer("size_bytes"))
        .col(boolean("enabled"))
        .col(big_integer("installed_at"))
        .primary_key(&mut key(&["sha256"]))
        .take()
}

fn connection() -> TableCreateStatement {
    Table::create()
        .table("connection")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(text("plugin_id"))
        .col(text("label"))
        .col(text("state"))
        .col(text("config"))
        .col(text("time_zone"))
        .col(integer("day_cutover_minutes"))
        .col(text("consent"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn connection_secret() -> TableCreateStatement {
    Table::create()
        .table("connection_secret")
        .col(uuid("tenant_id"))
        .col(uuid("connection_id"))
        .col(text("field"))
        .col(blob("sealed"))
        .col(uuid_null("set_by"))
        .col(big_integer("set_at"))
        .primary_key(&mut key(&["tenant_id", "connection_id", "field"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}

fn egress_grant() -> TableCreateStatement {
    Table::create()
        .table("egress_grant")
        .col(uuid("tenant_id"))
        .col(uuid("connection_id"))
        .col(text("scheme"))
        .col(text("host"))
        .col(integer("port"))
        .col(uuid_null("granted_by"))
        .col(big_integer("granted_at"))
        .primary_key(&mut key(&["tenant_id", "connection_id", "scheme", "host", "port"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}

fn upload() -> TableCreateStatement {
    Table::create()
        .table("upload")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(big_integer("number"))
        .col(uuid("connection_id"))
        .col(text("stream"))
        .col(text("name"))
        .col(text("content_type"))
        .col(big_integer("size_bytes"))
        .col(text("sha256"))
        .col(text("path"))
        .col(text("state"))
        .col(big_integer("received_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}

fn stream() -> TableCreateStatement {
    Table::create()
        .table("stream")
        .col(uuid("tenant_id"))
        .col(uuid("connection_id"))
        .col(text("name"))
        .col(boolean("enabled"))
        .col(text_null("cron"))
        .col(big_integer_null("next_run_at"))
        .col(big_integer_null("watermark_at"))
        .col(big_integer_null("last_success_at"))
        .col(text("state"))
        .primary_key(&mut key(&["tenant_id", "connection_id", "name"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}
