//! Tables for what customers may ask of a company: requests to hand out or erase what is stored of them, and for each connection
//! how long they are kept and by which address its channel tells of their wishes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob_null, integer_null, text, text_null, uuid, uuid_null,
};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [privacy_request(), connection_privacy()] {
            manager.create_table(table).await?;
        }
        create_unique_index(manager, "privacy_request", "dedup_key", &["tenant_id", "dedup_key"]).await?;
        create_index(manager, "privacy_request", "received_at", &["tenant_id", "received_at", "id"]).await?;
        create_index(manager, "privacy_request", "person_id", &["tenant_id", "person_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["connection_privacy", "privacy_request"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

/// It refers to no connection: that somebody was erased is told after its connection is gone, too.
fn privacy_request() -> TableCreateStatement {
    Table::create()
        .table("privacy_request")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(text("kind"))
        .col(text("state"))
        .col(text("source"))
        .col(uuid("connection_id"))
        .col(blob_null("subject"))
        .col(uuid_null("person_id"))
        .col(uuid_null("asked_by"))
        .col(text_null("dedup_key"))
        .col(big_integer("received_at"))
        .col(big_integer("starts_at"))
        .col(big_integer("due_at"))
        .col(big_integer_null("done_at"))
        .col(text_null("result"))
        .col(text_null("last_error"))
        .col(blob_null("export"))
        .col(big_integer_null("export_until"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn connection_privacy() -> TableCreateStatement {
    Table::create()
        .table("connection_privacy")
        .col(uuid("tenant_id"))
        .col(uuid("connection_id"))
        .col(integer_null("retention_days"))
        .col(text_null("hook_sha256"))
        .col(big_integer_null("hook_made_at"))
        .col(big_integer_null("hook_received_at"))
        .primary_key(&mut key(&["tenant_id", "connection_id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}
