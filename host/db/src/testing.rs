//! Databases that a test makes for itself and that go away with it, on both kinds.
//!
//! ```ignore
//! #[tokio::test]
//! async fn replaying_adds_nothing() {
//!     on_both(portolan_migrations::migrate, async |test| { … test.database … }).await;
//! }
//! ```

use portolan_core::{SystemClock, SystemRandom, id};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tempfile::TempDir;

use crate::{Database, DatabaseConfig, Dialect};

/// Address of a PostgreSQL in which tests may create databases, as a superuser.
pub const POSTGRES_URL_VARIABLE: &str = "PORTOLAN_TEST_POSTGRES_URL";

/// A fresh, migrated database; [`TestDatabase::discard`] removes it.
pub struct TestDatabase {
    pub database: Database,
    /// What `database` was opened with, to open it a second time.
    pub config: DatabaseConfig,
    server: Option<(DatabaseConnection, String)>,
    folder: Option<TempDir>,
}

impl TestDatabase {
    /// SQLite in a temporary folder.
    pub async fn sqlite<M>(migrate: M) -> Self
    where
        M: AsyncFn(&DatabaseConnection) -> Result<(), DbErr>,
    {
        let folder = TempDir::new().expect("temporary folder");
        let config = DatabaseConfig::sqlite(&folder.path().join("portolan.db"));
        let database = Database::connect(&config).await.expect("open SQLite");
        migrate(database.migration_connection()).await.expect("migrate SQLite");
        Self { database, config, server: None, folder: Some(folder) }
    }

    /// A database of its own on the PostgreSQL of [`POSTGRES_URL_VARIABLE`]; `None` without one.
    pub async fn postgres<M>(migrate: M) -> Option<Self>
    where
        M: AsyncFn(&DatabaseConnection) -> Result<(), DbErr>,
    {
        let server_url = std::env::var(POSTGRES_URL_VARIABLE).ok().filter(|url| !url.is_empty())?;
        let mut options = sea_orm::ConnectOptions::new(server_url.clone());
        options.max_connections(1).sqlx_logging(false);
        let server = sea_orm::Database::connect(options).await.expect("reach the test PostgreSQL");
        let name = format!("portolan_test_{}", id::new_uuid(&SystemClock, &SystemRandom).simple());
        server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("create a test database");
        let config = DatabaseConfig {
            accept_data_loss: true,
            readers: 4,
            writers: 4,
            ..DatabaseConfig::new(with_database(&server_url, &name))
        };
        let database = Database::connect(&config).await.expect("open PostgreSQL");
        migrate(database.migration_connection()).await.expect("migrate PostgreSQL");
        Some(Self { database, config, server: Some((server, name)), folder: None })
    }

    pub fn dialect(&self) -> Dialect {
        self.database.dialect()
    }

    /// Ends every connection to the database and refuses new ones, as if its server were away; until
    /// [`Self::let_in`]. PostgreSQL alone.
    pub async fn cut_off(&self) {
        let (server, name) = self.server.as_ref().expect("a PostgreSQL");
        server
            .execute_unprepared(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            .await
            .expect("refuse connections");
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        server.execute_unprepared(&end).await.expect("end connections");
    }

    /// Ends what [`Self::cut_off`] began.
    pub async fn let_in(&self) {
        let (server, name) = self.server.as_ref().expect("a PostgreSQL");
        let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
        server.execute_unprepared(&allow).await.expect("allow connections");
    }

    /// From here on no file of the write-ahead log is recycled until the database is discarded, so that a test can
    /// read what it wrote there: any checkpoint, a neighbour's too, would take it away. PostgreSQL alone.
    pub async fn keep_write_ahead_log(&self) {
        let (server, name) = self.server.as_ref().expect("a PostgreSQL");
        let slot = format!("SELECT pg_create_physical_replication_slot('{name}', true, true)");
        server.execute_unprepared(&slot).await.expect("a slot that ends with its connection");
    }

    /// Closes and removes the database.
    pub async fn discard(self) {
        self.database.close().await.expect("close the test database");
        if let Some((server, name)) = self.server {
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            server.execute_unprepared(&drop).await.expect("drop the test database");
            server.close().await.expect("leave the test PostgreSQL");
        }
        if let Some(folder) = self.folder {
            folder.close().expect("remove the test database's folder");
        }
    }
}

/// Runs a test on a fresh SQLite, then on a fresh PostgreSQL where there is one.
pub async fn on_both<M, T>(migrate: M, test: T)
where
    M: AsyncFn(&DatabaseConnection) -> Result<(), DbErr>,
    T: AsyncFn(&TestDatabase),
{
    let sqlite = TestDatabase::sqlite(&migrate).await;
    test(&sqlite).await;
    sqlite.discard().await;
    match TestDatabase::postgres(&migrate).await {
        Some(postgres) => {
            test(&postgres).await;
            postgres.discard().await;
        }
        None => say_skipped(),
    }
}

#[expect(clippy::print_stderr, reason = "a test has to say what it did not test")]
pub fn say_skipped() {
    eprintln!("skipped: {POSTGRES_URL_VARIABLE} is not set");
}

/// The server's address with another database's name.
fn with_database(server_url: &str, name: &str) -> String {
    let (address, parameters) = match server_url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server_url, String::new()),
    };
    let host_start = address.find("://").map_or(0, |index| index + 3);
    let host_end = address[host_start..].find('/').map_or(address.len(), |index| host_start + index);
    format!("{}/{name}{parameters}", &address[..host_end])
}
