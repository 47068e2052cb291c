//! The schema's history, one migration per group of tables, alike on SQLite and PostgreSQL.
//!
//! Ids are UUIDs, instants microseconds in BIGINT, dates days in INTEGER, JSON is text. Every table
//! of a tenant has the tenant first in its key, and PostgreSQL's policies hold it by that column. A migration that has been released is never edited.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a migration changes tables, which belong to no tenant, on the connection itself"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

mod m0001_people;
mod m0002_connections;
mod m0003_syncs;
mod m0004_documents;
mod m0005_ledger;
mod m0006_jobs;
mod m0007_set_aside;
mod m0008_product_labels;
mod m0009_cash_ledger;
mod m0010_waits_and_rates;
mod m0011_tenant_keys;
mod m0013_replays;
mod m0014_passes_and_shapes;
mod m0015_idempotency;
mod m0016_rates;
mod m0017_fewer_indexes;
mod m0020_payments_of_orders;
mod m0021_replaced_rates;
mod m0030_roles;
mod m0031_second_factor;
mod m0032_invitations;
mod m0033_audit;
mod m0034_api_keys;
mod m0035_data_policies;
mod m0036_ways_in;
mod m0037_set_up;
mod m0038_mail;
mod m0039_api_tokens;
mod m0040_ways_to_show;
mod row_security;
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
            Box::new(m0007_set_aside::Migration),
            Box::new(m0008_product_labels::Migration),
            Box::new(m0009_cash_ledger::Migration),
            Box::new(m0010_waits_and_rates::Migration),
            Box::new(m0011_tenant_keys::Migration),
            Box::new(m0013_replays::Migration),
            Box::new(m0014_passes_and_shapes::Migration),
            Box::new(m0015_idempotency::Migration),
            Box::new(m0016_rates::Migration),
            Box::new(m0017_fewer_indexes::Migration),
            Box::new(m0020_payments_of_orders::Migration),
            Box::new(m0021_replaced_rates::Migration),
            Box::new(m0030_roles::Migration),
            Box::new(m0031_second_factor::Migration),
            Box::new(m0032_invitations::Migration),
            Box::new(m0033_audit::Migration),
            Box::new(m0034_api_keys::Migration),
            Box::new(m0035_data_policies::Migration),
            Box::new(m0036_ways_in::Migration),
            Box::new(m0037_set_up::Migration),
            Box::new(m0038_mail::Migration),
            Box::new(m0039_api_tokens::Migration),
            Box::new(m0040_ways_to_show::Migration),
        ]
    }
}

/// Any number, the same in every version: processes that migrate one database wait for each other.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7207414)";

/// Brings the database to the newest schema, in one transaction: all of it or nothing, on PostgreSQL with the
/// policies of every table of tenants. Does nothing where it already is. Processes that start at the same
/// moment take turns.
pub async fn migrate(connection: &DatabaseConnection) -> Result<(), DbErr> {
    if pending(connection).await?.is_empty() && row_security::stands(connection).await? {
        return Ok(());
    }
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(LOCK).await?;
    }
    Migrator::up(&transaction, None).await?;
    row_security::raise(&transaction).await?;
    transaction.commit().await
}

/// Names of the migrations that have not been applied yet; changes nothing.
pub async fn pending(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let pending = Migrator::get_pending_migrations_read_only(connection).await?;
    Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
}
