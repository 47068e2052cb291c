//! Tables for row and column policies, to whom they apply, and what is known of people for them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, uuid};

use crate::table::{create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [data_policy(), data_policy_subject(), person_attribute()] {
            manager.create_table(table).await?;
        }
        create_unique_index(manager, "data_policy", "name", &["tenant_id", "name"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["person_attribute", "data_policy_subject", "data_policy"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn data_policy() -> TableCreateStatement {
    Table::create()
        .table("data_policy")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(text("kind"))
        .col(text("name"))
        .col(text("body"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn data_policy_subject() -> TableCreateStatement {
    Table::create()
        .table("data_policy_subject")
        .col(uuid("tenant_id"))
        .col(uuid("policy_id"))
        .col(text("kind"))
        .col(text("subject"))
        .primary_key(&mut key(&["tenant_id", "policy_id", "kind", "subject"]))
        .foreign_key(&mut owned_by(&["tenant_id", "policy_id"], "data_policy", &["tenant_id", "id"]))
        .take()
}

fn person_attribute() -> TableCreateStatement {
    Table::create()
        .table("person_attribute")
        .col(uuid("tenant_id"))
        .col(uuid("user_id"))
        .col(text("name"))
        .col(text("items"))
        .primary_key(&mut key(&["tenant_id", "user_id", "name"]))
        .foreign_key(&mut owned_by(&["tenant_id", "user_id"], "membership", &["tenant_id", "user_id"]))
        .take()
}
