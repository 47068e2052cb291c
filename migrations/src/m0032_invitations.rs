//! Invitations into a tenant.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, uuid};

use crate::table::{create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(invitation()).await?;
        create_unique_index(manager, "invitation", "token", &["tenant_id", "token_hash"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("invitation").take()).await
    }
}

fn invitation() -> TableCreateStatement {
    Table::create()
        .table("invitation")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(text("token_hash"))
        .col(text("sign_in_name"))
        .col(text("roles"))
        .col(uuid("invited_by"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("accepted_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}
