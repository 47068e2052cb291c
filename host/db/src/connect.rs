//! Opens the pools and reads the settings back: a database that would forget acknowledged writes
//! is refused.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr, Statement, TryGetable};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Executor};

use crate::{DatabaseConfig, DbError, Dialect};

/// How long a caller waits for a connection before the database counts as unavailable. SQLite has one
/// writer, and staging a large file holds it for a while.
const SQLITE_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// A PostgreSQL that refuses connections is asked again for this long; people wait for it.
const POSTGRES_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The two pools of a database.
pub(crate) struct Pools {
    pub writer: DatabaseConnection,
    pub reader: DatabaseConnection,
}

pub(crate) fn dialect_of(url: &str) -> Result<Dialect, DbError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        let message = "an in-memory SQLite cannot be shared between its writer and its readers: name a file";
        return Err(DbError::Unsafe(message.to_owned()));
    }
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(Dialect::Sqlite),
        Some("postgres" | "postgresql") => Ok(Dialect::Postgres),
        _ => Err(DbError::Other(DbErr::Custom(
            "the database's address must begin with sqlite:// or postgres://".to_owned(),
        ))),
    }
}

pub(crate) fn file_of(url: &str, dialect: Dialect) -> Option<PathBuf> {
    match dialect {
        Dialect::Sqlite => {
            url.parse::<SqliteConnectOptions>().ok().map(|options| options.get_filename().to_owned())
        }
        Dialect::Postgres => None,
    }
}

pub(crate) async fn open(config: &DatabaseConfig, dialect: Dialect) -> Result<Pools, DbError> {
    match dialect {
        Dialect::Sqlite => open_sqlite(config).await,
        Dialect::Postgres => open_postgres(config).await,
    }
}

async fn open_sqlite(config: &DatabaseConfig) -> Result<Pools, DbError> {
    // The writer first: it creates the file and turns the journal to WAL, which stays.
    let writer = sea_orm::Database::connect(sqlite_options(config, 1, false)).await?;
    let reader = sea_orm::Database::connect(sqlite_options(config, config.readers.max(2), true)).await?;
    let checked = async {
        for (pool, query_only) in [(&writer, 0_i64), (&reader, 1)] {
            expect_pragmas(pool, query_only).await?;
        }
        Ok::<_, DbError>(())
    };
    accept_or_refuse(checked.await, config.accept_data_loss)?;
    Ok(Pools { writer, reader })
}

/// Reads back what keeps acknowledged writes and the rows' bonds.
async fn expect_pragmas(pool: &DatabaseConnection, query_only: i64) -> Result<(), DbError> {
    expect_pragma(pool, "journal_mode", "wal".to_owned()).await?;
    expect_pragma(pool, "synchronous", 2_i64).await?;
    expect_pragma(pool, "foreign_keys", 1_i64).await?;
    expect_pragma(pool, "query_only", query_only).await
}

/// What could lose acknowledged data is refused, or said loudly where the operator accepts it.
fn accept_or_refuse(checked: Result<(), DbError>, accept_data_loss: bool) -> Result<(), DbError> {
    match checked {
        Err(DbError::Unsafe(problem)) if accept_data_loss => {
            tracing::warn!("ACKNOWLEDGED DATA MAY BE LOST, as --accept-data-loss asks: {problem}");
            Ok(())
        }
        Err(DbError::Unsafe(problem)) => Err(DbError::Unsafe(format!(
            "{problem}. For data that may be lost, start with --accept-data-loss"
        ))),
        checked => checked,
    }
}

fn sqlite_options(config: &DatabaseConfig, connections: u32, query_only: bool) -> ConnectOptions {
    let mut options = common_options(config.url.clone(), connections);
    options.acquire_timeout(SQLITE_ACQUIRE_TIMEOUT);
    options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .create_if_missing(!query_only)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("journal_size_limit", "67108864")
            // Many indexes are written at scattered places: with SQLite's own 2 MB they are read anew all the time.
            .pragma("cache_size", if query_only { "-8192" } else { "-65536" })
            .pragma("query_only", if query_only { "ON" } else { "OFF" })
    });
    options.map_sqlx_sqlite_pool_opts(|options| {
        options
            .after_release(|connection, _| Box::pin(async move { is_outside_transactions(connection).await }))
    });
    options
}

/// Whether a connection may be used again.
///
/// On a full or broken disk SQLite ends a transaction by itself. sqlx 0.9.0 then takes its failed `ROLLBACK`
/// for one that is still to come and opens mere savepoints from there on, whose release commits nothing: later
/// acknowledged writes would vanish with the process. Such a connection is closed.
async fn is_outside_transactions(connection: &mut sqlx::SqliteConnection) -> Result<bool, sqlx::Error> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // A transaction that was dropped has sent its rollback; the answer comes after it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

async fn expect_pragma<T>(pool: &DatabaseConnection, name: &str, expected: T) -> Result<(), DbError>
where
    T: TryGetable + PartialEq + std::fmt::Display,
{
    let actual: T = single_value(pool, &format!("PRAGMA {name}")).await?;
    if actual == expected {
        return Ok(());
    }
    Err(DbError::Unsafe(format!("SQLite's {name} is {actual} and must be {expected}")))
}

async fn open_postgres(config: &DatabaseConfig) -> Result<Pools, DbError> {
    let writer = postgres_options(config, config.writers.max(2), WRITER_SETTINGS);
    let writer = sea_orm::Database::connect(writer).await.map_err(|error| refused(error, &config.url))?;
    let reader = postgres_options(config, config.readers.max(2), READER_SETTINGS);
    let reader = sea_orm::Database::connect(reader).await?;
    accept_or_refuse(expect_durable(&writer).await, config.accept_data_loss)?;
    Ok(Pools { writer, reader })
}

type Settings = &'static [(&'static str, &'static str)];

const WRITER_SETTINGS: Settings = &[("idle_in_transaction_session_timeout", "30s")];

/// Whatever begins there is a snapshot that writes nothing: said once, not at every `BEGIN`. A reader computes between its
/// statements, so that a snapshot may rest a while.
const READER_SETTINGS: Settings = &[
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("idle_in_transaction_session_timeout", "5min"),
];

/// Reads back what makes PostgreSQL write before it acknowledges.
async fn expect_durable(pool: &DatabaseConnection) -> Result<(), DbError> {
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let value: String = single_value(pool, &format!("SHOW {setting}")).await?;
        if value == "off" {
            return Err(DbError::Unsafe(format!(
                "PostgreSQL's {setting} is off, acknowledged data could be lost: \
                 run ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf()"
            )));
        }
    }
    Ok(())
}

fn postgres_options(config: &DatabaseConfig, connections: u32, settings: Settings) -> ConnectOptions {
    let mut options = common_options(config.url.clone(), connections);
    options.acquire_timeout(POSTGRES_ACQUIRE_TIMEOUT);
    options.test_before_acquire_if_idle_for(Duration::from_secs(5));
    options.set_application_name("portolan");
    options.map_sqlx_postgres_opts(move |options| {
        let options = if leaves_this_machine_in_clear(&options) {
            options.ssl_mode(PgSslMode::Require)
        } else {
            options
        };
        options.options(settings.iter().copied())
    });
    options.map_sqlx_postgres_pool_opts(|options| {
        // sqlx 0.9.0 returns a connection inside an open transaction when a future is dropped while
        // `BEGIN` is in flight; the next user's acknowledged writes would vanish with it.
        // https://github.com/launchbadge/sqlx/issues/4385
        // `BEGIN` first: a `ROLLBACK` outside a transaction would write a warning into PostgreSQL's log at every
        // release. Where a transaction is open it is `BEGIN` that warns; where it has failed, too, `BEGIN` is refused and
        // the connection closed.
        options.after_release(|connection, _| {
            Box::pin(async move {
                connection.execute("BEGIN; ROLLBACK").await?;
                Ok(true)
            })
        })
    });
    options
}

/// Whether the address names another machine and says nothing of TLS: then it is spoken to by TLS or not at all.
fn leaves_this_machine_in_clear(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let here = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    !here && matches!(options.get_ssl_mode(), PgSslMode::Prefer | PgSslMode::Allow)
}

fn refused(error: DbErr, url: &str) -> DbError {
    let unasked = url.parse().is_ok_and(|options| leaves_this_machine_in_clear(&options));
    if unasked && error.to_string().contains("does not support TLS") {
        return DbError::Unsafe(
            "PostgreSQL on another machine does not speak TLS: turn it on there, or add sslmode=disable to its address \
             where the network between is yours alone"
                .to_owned(),
        );
    }
    error.into()
}

fn common_options(url: String, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).sqlx_logging(false).record_stmt_in_spans(false);
    options
}

async fn single_value<T: TryGetable>(pool: &DatabaseConnection, sql: &str) -> Result<T, DbError> {
    let statement = Statement::from_string(pool.get_database_backend(), sql);
    let row = pool.query_one_raw(statement).await?.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?;
    Ok(row.try_get_by_index(0)?)
}

#[cfg(test)]
mod tests;
