//! Table for the short tokens that programs buy with their keys.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, uuid};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("api_token")
                    .col(uuid("tenant_id"))
                    .col(uuid("id"))
                    .col(uuid("key_id"))
                    .col(uuid("family_id"))
                    .col(text("scopes"))
                    .col(text("access_sha256"))
                    .col(big_integer("access_until"))
                    .col(text("refresh_sha256"))
                    .col(big_integer("refresh_until"))
                    .col(big_integer("created_at"))
                    .col(big_integer_null("used_at"))
                    .col(big_integer_null("ended_at"))
                    .primary_key(&mut key(&["tenant_id", "id"]))
                    .foreign_key(&mut owned_by(&["tenant_id", "key_id"], "api_key", &["tenant_id", "id"]))
                    .take(),
            )
            .await?;
        // A token is looked up before its tenant is known.
        create_unique_index(manager, "api_token", "id", &["id"]).await?;
        create_index(manager, "api_token", "key", &["tenant_id", "key_id"]).await?;
        create_index(manager, "api_token", "family", &["tenant_id", "family_id"]).await?;
        create_index(manager, "api_token", "until", &["tenant_id", "refresh_until"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("api_token").take()).await
    }
}
