//! Tables for what the raw records mean: documents and their versions.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, boolean, text, text_null, uuid};

use crate::table::{create_index, create_unique_index, key};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(document_version()).await?;
        manager.create_table(document()).await?;
        create_unique_index(
            manager,
            "document_version",
            "version",
            &["tenant_id", "connection_id", "entity", "key", "hash"],
        )
        .await?;
        create_unique_index(manager, "document", "key", &["tenant_id", "connection_id", "entity", "key"])
            .await?;
        create_index(
            manager,
            "document",
            "occurred_at",
            &["tenant_id", "entity", "occurred_at desc", "id desc"],
        )
        .await?;
        create_index(
            manager,
            "document",
            "connection_occurred_at",
            &["tenant_id", "connection_id", "entity", "occurred_at desc", "id desc"],
        )
        .await?;
        create_index(manager, "document", "number", &["tenant_id", "entity", "number"]).await?;
        create_index(manager, "document", "parent", &["tenant_id", "connection_id", "entity", "parent_key"])
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["document", "document_version"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn document_version() -> TableCreateStatement {
    Table::create()
        .table("document_version")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text("entity"))
        .col(text("key"))
        .col(text("hash"))
        .col(big_integer("updated_at"))
        .col(big_integer("received_at"))
        .col(uuid("chunk_id"))
        .col(big_integer("src"))
        .col(text("body"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .take()
}

fn document() -> TableCreateStatement {
    Table::create()
        .table("document")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text("entity"))
        .col(text("key"))
        .col(uuid("version_id"))
        .col(big_integer("updated_at"))
        .col(big_integer("received_at"))
        .col(text("hash"))
        .col(boolean("deleted"))
        .col(boolean("test"))
        .col(text_null("parent_key"))
        .col(text_null("title"))
        .col(text_null("number"))
        .col(text_null("state"))
        .col(text_null("payment_state"))
        .col(big_integer_null("occurred_at"))
        .col(text_null("currency"))
        .col(big_integer_null("amount_minor"))
        .col(text_null("customer_key"))
        .col(text_null("country"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .take()
}
