//! Tables for who may come in: tenants, people, their roles, sessions and links.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer, text, text_null, uuid};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tenant()).await?;
        manager.create_table(user()).await?;
        manager.create_table(membership()).await?;
        manager.create_table(session()).await?;
        manager.create_table(sign_in_link()).await?;
        create_unique_index(manager, "tenant", "slug", &["slug"]).await?;
        create_unique_index(manager, "user", "sign_in_name", &["sign_in_name"]).await?;
        create_index(manager, "membership", "user", &["user_id"]).await?;
        create_index(manager, "session", "user", &["user_id"]).await?;
        create_index(manager, "session", "expires_at", &["expires_at"]).await?;
        create_index(manager, "sign_in_link", "expires_at", &["expires_at"]).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["sign_in_link", "session", "membership", "user", "tenant"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn tenant() -> TableCreateStatement {
    Table::create()
        .table("tenant")
        .col(uuid("id"))
        .col(text("slug"))
        .col(text("name"))
        .col(text("reporting_currency"))
        .col(text("time_zone"))
        .col(integer("week_start"))
        .col(integer("fiscal_start_month"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["id"]))
        .take()
}

fn user() -> TableCreateStatement {
    Table::create()
        .table("user")
        .col(uuid("id"))
        .col(text("sign_in_name"))
        .col(text_null("password_hash"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["id"]))
        .take()
}

fn membership() -> TableCreateStatement {
    Table::create()
        .table("membership")
        .col(uuid("tenant_id"))
        .col(uuid("user_id"))
        .col(text("role"))
        .primary_key(&mut key(&["tenant_id", "user_id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}

fn session() -> TableCreateStatement {
    Table::create()
        .table("session")
        .col(text("id_hash"))
        .col(uuid("user_id"))
        .col(uuid("tenant_id"))
        .col(big_integer("created_at"))
        .col(big_integer("last_seen_at"))
        .col(big_integer("expires_at"))
        .primary_key(&mut key(&["id_hash"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}

fn sign_in_link() -> TableCreateStatement {
    Table::create()
        .table("sign_in_link")
        .col(text("token_hash"))
        .col(uuid("user_id"))
        .col(uuid("tenant_id"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("used_at"))
        .primary_key(&mut key(&["token_hash"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}
