//! How a company looks, and under which domains of its own it is reached.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob_null, text, text_null, uuid, uuid_null};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::table::{create_index, create_unique_index, key, owned_by};

/// A domain is one company's at most, once that is shown; who merely claims it keeps it from nobody.
const ONE_HOLDER: &str =
    "CREATE UNIQUE INDEX tenant_domain_holder ON tenant_domain (domain) WHERE state = 'verified'";

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tenant_branding()).await?;
        manager.create_table(tenant_domain()).await?;
        create_unique_index(manager, "tenant_domain", "own", &["tenant_id", "domain"]).await?;
        create_index(manager, "tenant_domain", "domain", &["domain"]).await?;
        manager.get_connection().execute_unprepared(ONE_HOLDER).await?;
        // A session that was begun under a company's own domain is good for that company alone.
        let column = uuid_null("domain_tenant_id");
        manager.alter_table(Table::alter().table("session").add_column(column).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("session").drop_column("domain_tenant_id").take()).await?;
        for table in ["tenant_domain", "tenant_branding"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn tenant_branding() -> TableCreateStatement {
    Table::create()
        .table("tenant_branding")
        .col(uuid("tenant_id"))
        .col(text_null("name"))
        .col(text_null("mail_sender"))
        .col(text_null("accent"))
        .col(blob_null("logo"))
        .col(text_null("logo_kind"))
        .col(text_null("logo_hash"))
        .col(big_integer("changed_at"))
        .primary_key(&mut key(&["tenant_id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn tenant_domain() -> TableCreateStatement {
    Table::create()
        .table("tenant_domain")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(text("domain"))
        .col(text("state"))
        .col(text("token"))
        .col(big_integer("created_at"))
        .col(big_integer_null("checked_at"))
        .col(big_integer_null("verified_at"))
        .col(big_integer_null("failing_since"))
        .col(text_null("error"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}
