//! Table for the keys of programs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null, uuid};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("api_key")
                    .col(uuid("tenant_id"))
                    .col(uuid("id"))
                    .col(text("name"))
                    .col(uuid("created_by"))
                    .col(text("key_sha256"))
                    .col(text_null("previous_sha256"))
                    .col(big_integer_null("previous_until"))
                    .col(text("scopes"))
                    .col(text("networks"))
                    .col(big_integer("created_at"))
                    .col(big_integer("expires_at"))
                    .col(big_integer_null("last_used_at"))
                    .col(big_integer_null("revoked_at"))
                    .primary_key(&mut key(&["tenant_id", "id"]))
                    .foreign_key(&mut owned_by(
                        &["tenant_id", "created_by"],
                        "membership",
                        &["tenant_id", "user_id"],
                    ))
                    .take(),
            )
            .await?;
        // A key is looked up before its tenant is known.
        create_unique_index(manager, "api_key", "id", &["id"]).await?;
        create_index(manager, "api_key", "owner", &["tenant_id", "created_by"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("api_key").take()).await
    }
}
