//! Mails that wait to be sent, how often mails were asked for, tokens by which a forgotten password is replaced; and browsers
//! on which the second step of signing in is not asked for, for a while.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, text, text_null, uuid};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [mail(), mail_limit(), password_reset(), remembered_device()] {
            manager.create_table(table).await?;
        }
        create_index(manager, "password_reset", "user_id", &["user_id"]).await?;
        create_index(manager, "remembered_device", "user_id", &["user_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["remembered_device", "password_reset", "mail_limit", "mail"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn mail() -> TableCreateStatement {
    Table::create()
        .table("mail")
        .col(uuid("id"))
        .col(text("kind"))
        .col(blob("sealed"))
        .col(big_integer("created_at"))
        .col(big_integer_null("failed_at"))
        .col(text_null("last_error"))
        .primary_key(&mut key(&["id"]))
        .take()
}

fn mail_limit() -> TableCreateStatement {
    Table::create()
        .table("mail_limit")
        .col(text("key_hash"))
        .col(big_integer("asked_at_1"))
        .col(big_integer("asked_at_2"))
        .col(big_integer("locked_until"))
        .primary_key(&mut key(&["key_hash"]))
        .take()
}

fn password_reset() -> TableCreateStatement {
    Table::create()
        .table("password_reset")
        .col(text("token_hash"))
        .col(uuid("user_id"))
        .col(big_integer("expires_at"))
        .primary_key(&mut key(&["token_hash"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}

fn remembered_device() -> TableCreateStatement {
    Table::create()
        .table("remembered_device")
        .col(text("token_hash"))
        .col(uuid("id"))
        .col(uuid("user_id"))
        .col(big_integer("created_at"))
        .col(big_integer("last_used_at"))
        .col(big_integer("expires_at"))
        .col(text("user_agent"))
        .col(text("address"))
        .primary_key(&mut key(&["token_hash"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}
