//! The schema's history, one migration per group of tables, alike on SQLite and PostgreSQL.
//!
//! Ids are UUIDs, instants microseconds in BIGINT, dates days in INTEGER, JSON is text. Every table
//! of a tenant has the tenant first in its key. A migration that has been released is never edited.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a migration changes tables, which belong to no tenant, on the connection itself"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

mod m0001_people;
mod m0002_connections;
mod m0003_syncs;
mod m0004_documents;
mod m0005_ledger;
mod m0006_jobs;
mod table;

/// The list of migrations, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_people::Migration),
            Box::new(m0002_connections::Migration),
            Box::new(m0003_syncs::Migration),
            Box::new(m0004_documents::Migration),
            Box::new(m0005_ledger::Migration),
            Box::new(m0006_jobs::Migration),
        ]
    }
}

/// Brings the database to the newest schema. Does nothing where it already is.
pub async fn migrate(connection: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(connection, None).await
}

/// Names of the migrations that have not been applied yet; changes nothing.
pub async fn pending(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let pending = Migrator::get_pending_migrations_read_only(connection).await?;
    Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
}
