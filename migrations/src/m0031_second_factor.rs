//! Tables for the second step of signing in: seeds, recovery codes, and who stands between the two steps.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, integer, text, uuid};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [second_factor(), recovery_code(), pending_sign_in()] {
            manager.create_table(table).await?;
        }
        create_index(manager, "pending_sign_in", "expires_at", &["expires_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["pending_sign_in", "recovery_code", "second_factor"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn second_factor() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("second_factor")
        .col(uuid("user_id"))
        .col(blob("sealed"))
        .col(big_integer("created_at"))
        .col(big_integer_null("confirmed_at"))
        .col(big_integer("last_step"));
    for column in ["tried_at_1", "tried_at_2", "tried_at_3", "tried_at_4", "tried_at_5"] {
        table.col(big_integer(column));
    }
    table.primary_key(&mut key(&["user_id"])).foreign_key(&mut owned_by(&["user_id"], "user", &["id"])).take()
}

fn recovery_code() -> TableCreateStatement {
    Table::create()
        .table("recovery_code")
        .col(uuid("user_id"))
        .col(integer("number"))
        .col(text("salt"))
        .col(text("code_hash"))
        .col(big_integer_null("used_at"))
        .primary_key(&mut key(&["user_id", "number"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}

fn pending_sign_in() -> TableCreateStatement {
    Table::create()
        .table("pending_sign_in")
        .col(text("token_hash"))
        .col(uuid("user_id"))
        .col(uuid("tenant_id"))
        .col(text("factor"))
        .col(big_integer("expires_at"))
        .primary_key(&mut key(&["token_hash"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}
