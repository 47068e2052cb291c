//! Tables for who did what: the chain of events, its head, the signed heads and the keys that sign them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, text, text_null, uuid, uuid_null};

use crate::table::{key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [audit_event(), audit_head(), audit_anchor(), audit_signer()] {
            manager.create_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["audit_signer", "audit_anchor", "audit_head", "audit_event"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn audit_event() -> TableCreateStatement {
    Table::create()
        .table("audit_event")
        .col(uuid("tenant_id"))
        .col(big_integer("seq"))
        .col(big_integer("at"))
        .col(text("actor_kind"))
        .col(uuid_null("actor_id"))
        .col(uuid_null("session_id"))
        .col(text("action"))
        .col(text("subject_kind"))
        .col(text("subject_id"))
        .col(text_null("before"))
        .col(text_null("after"))
        .col(text("address"))
        .col(text("request_id"))
        .col(text("previous_hash"))
        .col(text("hash"))
        .primary_key(&mut key(&["tenant_id", "seq"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn audit_head() -> TableCreateStatement {
    Table::create()
        .table("audit_head")
        .col(uuid("tenant_id"))
        .col(big_integer("seq"))
        .col(text("hash"))
        .primary_key(&mut key(&["tenant_id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn audit_anchor() -> TableCreateStatement {
    Table::create()
        .table("audit_anchor")
        .col(uuid("tenant_id"))
        .col(big_integer("seq"))
        .col(big_integer("at"))
        .col(text("hash"))
        .col(text("public_key"))
        .col(text("signature"))
        .primary_key(&mut key(&["tenant_id", "seq"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn audit_signer() -> TableCreateStatement {
    Table::create()
        .table("audit_signer")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(blob("sealed"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}
