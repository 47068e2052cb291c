//! Tables for signing in by somebody else's identity provider: a company's providers, what they call our people, and
//! who is on the way there and back.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, blob_null, boolean, text, text_uniq, uuid, uuid_uniq,
};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("identity_provider")
                    .col(uuid("tenant_id"))
                    .col(uuid("id"))
                    .col(text("label"))
                    .col(text("issuer"))
                    .col(text("client_id"))
                    .col(blob_null("sealed"))
                    .col(boolean("enabled"))
                    .col(big_integer("created_at"))
                    .col(big_integer("changed_at"))
                    .primary_key(&mut key(&["tenant_id", "id"]))
                    .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("identity")
                    .col(text("issuer"))
                    .col(text("subject"))
                    .col(uuid_uniq("id"))
                    .col(uuid("user_id"))
                    .col(big_integer("linked_at"))
                    .col(big_integer_null("last_used_at"))
                    .primary_key(&mut key(&["issuer", "subject"]))
                    .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
                    .take(),
            )
            .await?;
        create_index(manager, "identity", "user", &["user_id"]).await?;
        manager
            .create_table(
                Table::create()
                    .table("identity_flow")
                    .col(uuid("id"))
                    .col(text_uniq("state_hash"))
                    .col(text("browser_hash"))
                    .col(blob("sealed"))
                    .col(big_integer("expires_at"))
                    .primary_key(&mut key(&["id"]))
                    .take(),
            )
            .await?;
        create_index(manager, "identity_flow", "expires_at", &["expires_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["identity_flow", "identity", "identity_provider"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
