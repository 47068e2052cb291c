//! Fewer and narrower indexes on what a sync writes most: they were more work than the rows.
//!
//! - An event's key begins with its posting: events are asked for by that, or by order and payment. Nobody asks for
//!   one by its id alone.
//! - A version's id is made of its document and its content, so the key of the table is what keeps it single.
//! - Few documents have a parent.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::table::{create_index, create_unique_index};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The ledgers, each with the column that its events are posted under.
const LEDGERS: [(&str, &str); 2] = [("sale_event", "order_key"), ("cash_event", "payment_key")];

const BY_ID: &str = r#"PRIMARY KEY ("tenant_id", "id")"#;
const BY_POSTING: &str = r#"PRIMARY KEY ("tenant_id", "posting_version", "id")"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for ledger in LEDGERS {
            drop_index(manager, ledger.0, "posting_version").await?;
            key_ledger(manager, ledger, (BY_ID, BY_POSTING)).await?;
        }
        drop_index(manager, "document_version", "version").await?;
        create_index(manager, "document_version", "key", &["tenant_id", "connection_id", "entity", "key"])
            .await?;
        drop_index(manager, "document", "parent").await?;
        // Partial indexes: sea-query has no portable word for them, both databases read the same SQL.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX document_parent ON document (tenant_id, connection_id, entity, parent_key) \
                 WHERE parent_key IS NOT NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, "document", "parent").await?;
        let parent = ["tenant_id", "connection_id", "entity", "parent_key"];
        create_index(manager, "document", "parent", &parent).await?;
        drop_index(manager, "document_version", "key").await?;
        let version = ["tenant_id", "connection_id", "entity", "key", "hash"];
        create_unique_index(manager, "document_version", "version", &version).await?;
        for ledger in LEDGERS {
            key_ledger(manager, ledger, (BY_POSTING, BY_ID)).await?;
            create_index(manager, ledger.0, "posting_version", &["tenant_id", "posting_version"]).await?;
        }
        Ok(())
    }
}

/// Gives a ledger's table another key.
async fn key_ledger(
    manager: &SchemaManager<'_>,
    (table, key): (&'static str, &'static str),
    (old, new): (&str, &str),
) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Sqlite {
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD {new}");
        return manager.get_connection().execute_unprepared(&sql).await.map(|_| ());
    }
    rebuild(manager, table, old, new).await?;
    create_index(manager, table, key, &["tenant_id", "connection_id", key]).await?;
    if table == "cash_event" {
        create_index(manager, table, "payout_key", &["tenant_id", "payout_key"]).await?;
    }
    Ok(())
}

/// SQLite changes no key of a table that exists: the table is made anew from its own words, without its indexes.
async fn rebuild(manager: &SchemaManager<'_>, table: &str, old: &str, new: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let sql = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [Value::from(table)]);
    let row = connection.query_one_raw(statement).await?;
    let words: String = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    let name = format!("\"{table}\"");
    if !words.contains(&name) || !words.contains(old) {
        return Err(DbErr::Migration(format!("the table {table} is not as it was made: {words}")));
    }
    let words = words.replacen(&name, "\"made_anew\"", 1).replacen(old, new, 1);
    for sql in [
        words,
        format!("INSERT INTO made_anew SELECT * FROM {table}"),
        format!("DROP TABLE {table}"),
        format!("ALTER TABLE made_anew RENAME TO {table}"),
    ] {
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}

async fn drop_index(manager: &SchemaManager<'_>, table: &'static str, name: &str) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(format!("{table}_{name}")).table(table).to_owned()).await
}
