//! The customers of a shop, each under a pseudonym with a key of their own; the key that pseudonyms are made with; and
//! which connections go by pseudonyms. Those of before keep ids as they were sent: the same customer under two keys
//! would be two customers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, blob_null, boolean, text, uuid};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let pseudonyms = boolean("pseudonyms").default(false).take();
        manager.alter_table(Table::alter().table("connection").add_column(pseudonyms).take()).await?;
        manager.create_table(pseudonym_key()).await?;
        manager.create_table(person()).await?;
        create_unique_index(manager, "pseudonym_key", "one", &["tenant_id"]).await?;
        create_unique_index(manager, "person", "pseudonym", &["tenant_id", "connection_id", "pseudonym"])
            .await?;
        create_index(manager, "person", "last_seen", &["tenant_id", "connection_id", "last_seen_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["person", "pseudonym_key"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        manager.alter_table(Table::alter().table("connection").drop_column("pseudonyms").take()).await
    }
}

fn pseudonym_key() -> TableCreateStatement {
    Table::create()
        .table("pseudonym_key")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(blob("sealed"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn person() -> TableCreateStatement {
    Table::create()
        .table("person")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(uuid("connection_id"))
        .col(text("pseudonym"))
        .col(blob_null("key_sealed"))
        .col(blob_null("identity_sealed"))
        .col(big_integer("first_seen_at"))
        .col(big_integer("last_seen_at"))
        .col(big_integer_null("erased_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "connection_id"], "connection", &["tenant_id", "id"]))
        .take()
}
