//! Further ways to show who one is: passkeys with the ceremonies that are under way, and codes by mail. And what a company says
//! of those codes and of remembered browsers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, integer, text, uuid};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [passkey(), passkey_ceremony(), mail_code(), mail_code_tries()] {
            manager.create_table(table).await?;
        }
        create_unique_index(manager, "passkey", "credential_hash", &["credential_hash"]).await?;
        create_index(manager, "passkey", "user_id", &["user_id"]).await?;
        create_unique_index(manager, "passkey_ceremony", "token_hash", &["token_hash"]).await?;
        create_index(manager, "passkey_ceremony", "expires_at", &["expires_at"]).await?;
        for column in [integer("mail_codes").default(0).take(), integer("device_days").default(30).take()] {
            let add = Table::alter().table("sign_in_policy").add_column(column).take();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["device_days", "mail_codes"] {
            let drop = Table::alter().table("sign_in_policy").drop_column(column).take();
            manager.alter_table(drop).await?;
        }
        for table in ["mail_code_tries", "mail_code", "passkey_ceremony", "passkey"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn passkey() -> TableCreateStatement {
    Table::create()
        .table("passkey")
        .col(uuid("id"))
        .col(uuid("user_id"))
        .col(text("credential_hash"))
        .col(blob("sealed"))
        .col(text("name"))
        .col(big_integer("created_at"))
        .col(big_integer_null("last_used_at"))
        .primary_key(&mut key(&["id"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}

fn passkey_ceremony() -> TableCreateStatement {
    Table::create()
        .table("passkey_ceremony")
        .col(uuid("id"))
        .col(text("token_hash"))
        .col(text("bound_to"))
        .col(blob("sealed"))
        .col(big_integer("expires_at"))
        .primary_key(&mut key(&["id"]))
        .take()
}

fn mail_code() -> TableCreateStatement {
    Table::create()
        .table("mail_code")
        .col(text("sign_in_hash"))
        .col(text("code_hash"))
        .col(big_integer("expires_at"))
        .primary_key(&mut key(&["sign_in_hash"]))
        .foreign_key(&mut owned_by(&["sign_in_hash"], "pending_sign_in", &["token_hash"]))
        .take()
}

fn mail_code_tries() -> TableCreateStatement {
    Table::create()
        .table("mail_code_tries")
        .col(uuid("user_id"))
        .col(integer("wrong"))
        .col(big_integer("locked_until"))
        .primary_key(&mut key(&["user_id"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}
