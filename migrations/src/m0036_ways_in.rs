//! Tables that limit how often passwords are guessed: budgets under the hash of whom or what they are of, and the places
//! that people came in from before. And what a company asks of whoever signs in to it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, text, uuid};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("guess_budget")
                    .col(text("key_hash"))
                    .col(big_integer("full_at"))
                    .primary_key(&mut key(&["key_hash"]))
                    .take(),
            )
            .await?;
        create_index(manager, "guess_budget", "full_at", &["full_at"]).await?;
        manager
            .create_table(
                Table::create()
                    .table("familiar_place")
                    .col(uuid("user_id"))
                    .col(text("place_hash"))
                    .col(big_integer("until"))
                    .primary_key(&mut key(&["user_id", "place_hash"]))
                    .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
                    .take(),
            )
            .await?;
        create_index(manager, "familiar_place", "until", &["until"]).await?;
        manager
            .create_table(
                Table::create()
                    .table("sign_in_policy")
                    .col(uuid("tenant_id"))
                    .col(text("second_factor_roles"))
                    .col(integer("session_minutes"))
                    .col(integer("idle_minutes"))
                    .col(text("networks"))
                    .col(big_integer("changed_at"))
                    .primary_key(&mut key(&["tenant_id"]))
                    .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["sign_in_policy", "familiar_place", "guess_budget"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
