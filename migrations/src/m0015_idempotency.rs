//! Table for requests that say who they are, so that sending one again doesn't do it again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob_null, integer_null, text, text_null, uuid};

use crate::table::{create_index, key};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("idempotency_key")
                    .col(uuid("tenant_id"))
                    .col(text("key_sha256"))
                    .col(text("request_sha256"))
                    .col(integer_null("status"))
                    .col(text_null("content_type"))
                    .col(text_null("location"))
                    .col(blob_null("body"))
                    .col(big_integer("created_at"))
                    .primary_key(&mut key(&["tenant_id", "key_sha256"]))
                    .take(),
            )
            .await?;
        create_index(manager, "idempotency_key", "created", &["tenant_id", "created_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("idempotency_key").take()).await
    }
}
