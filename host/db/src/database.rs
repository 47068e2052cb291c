//! The handle that everybody holds: begins, commits and rolls back, people first.

use std::future::Future;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portolan_core::TenantId;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::disk::Disk;
use crate::wall::{self, IS_SNAPSHOT, Scope, WorksAs};
use crate::{DatabaseConfig, DbError, Dialect, SystemTx, TenantTx, connect};

/// What a transaction does, boxed: `|tx| Box::pin(async move { … })`.
pub type Work<'tx, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'tx>>;

/// Who waits for a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteClass {
    /// Somebody looks at a page: goes ahead of background writes.
    #[default]
    Person,
    /// Syncs and jobs. Nothing ends such a transaction but itself, and people wait behind it: give it a bounded number
    /// of rows. One that asks [`Database::people_wait`] in between may go on while nobody does.
    Background,
}

/// The database. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
    /// Whether a tenant's transaction filters by its tenant: the first wall. Only a test goes without, to
    /// see the second one hold.
    filters_tenants: bool,
}

struct Inner {
    dialect: Dialect,
    /// The file of an embedded database.
    file: Option<PathBuf>,
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    /// Background writes queue here before they queue for a connection, and pools are first come,
    /// first served: so a person waits at most for the write that is running. SQLite admits one
    /// background write at a time; PostgreSQL keeps a quarter of its writers for people.
    background: Arc<Semaphore>,
    /// Transactions for people that wait for a connection.
    people_waiting: AtomicUsize,
    disk: Arc<Disk>,
    /// How many connections may have died in the pools while the server was away.
    pooled: u32,
    /// As whom transactions on PostgreSQL work, once it is sure that row-level security holds them.
    works_as: OnceCell<WorksAs>,
    accept_missing_row_security: bool,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Database").field("dialect", &self.inner.dialect).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the pools and refuses a database that could lose acknowledged writes.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, DbError> {
        let dialect = connect::dialect_of(&config.url)?;
        let pools = connect::open(config, dialect).await?;
        let background = match dialect {
            Dialect::Sqlite => 1,
            Dialect::Postgres => (config.writers.max(2) * 3 / 4).max(1) as usize,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                dialect,
                file: connect::file_of(&config.url, dialect),
                writer: pools.writer,
                reader: pools.reader,
                background: Arc::new(Semaphore::new(background)),
                people_waiting: AtomicUsize::new(0),
                disk: Arc::default(),
                pooled: config.writers.max(config.readers),
                works_as: OnceCell::new(),
                accept_missing_row_security: config.accept_missing_row_security,
            }),
            filters_tenants: true,
        })
    }

    /// Refuses a PostgreSQL whose row-level security does not stand. Every transaction asks this before it
    /// begins; a process that starts asks it to say so at once.
    pub async fn check_row_security(&self) -> Result<(), DbError> {
        match self.inner.dialect {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => self.inner.works_as().await.map(|_| ()),
        }
    }

    /// The same database without the first wall: tenants' transactions neither filter nor refuse.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn without_tenant_filter(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), filters_tenants: false }
    }

    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// The file of an embedded database; PostgreSQL has none.
    pub fn file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }

    /// Whether somebody who looks at a page waits in this process for a connection that writes: on SQLite for the
    /// transaction that writes to end. Who waits in another process, or on PostgreSQL for a row that is locked, is not
    /// seen.
    pub fn people_wait(&self) -> bool {
        self.inner.people_waiting.load(Ordering::Relaxed) > 0
    }

    /// Whether the last write that needed room found the disk full. Any write finds out anew.
    pub fn disk_is_full(&self) -> bool {
        self.inner.disk.is_full()
    }

    /// The raw connection, for migrations alone: it knows no tenants.
    pub fn migration_connection(&self) -> &DatabaseConnection {
        &self.inner.writer
    }

    /// A snapshot of one tenant: all its reads see the same moment. Dropping it ends it.
    pub async fn read(&self, tenant: TenantId) -> Result<TenantTx, DbError> {
        let inner = self.inner.clone();
        let begun =
            settle(tokio::spawn(async move { inner.begin(Access::Read, Scope::Tenant(tenant)).await }))
                .await??;
        Ok(begun.into_tenant_tx(tenant, self.filters_tenants))
    }

    /// A snapshot of what the house shares.
    pub async fn system_read(&self) -> Result<SystemTx, DbError> {
        let inner = self.inner.clone();
        Ok(settle(tokio::spawn(async move { inner.begin(Access::Read, Scope::House).await }))
            .await??
            .into_system_tx())
    }

    /// Runs `work` in one transaction of the tenant, for a person who waits: commits when it is
    /// `Ok`, rolls back when it is `Err`. It runs to its end even if the caller goes away.
    pub async fn write<T, E, F>(&self, tenant: TenantId, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.write_as(WriteClass::Person, tenant, work).await
    }

    /// [`Self::write`], saying who waits for it.
    pub async fn write_as<T, E, F>(&self, class: WriteClass, tenant: TenantId, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (inner, filters_tenants) = (self.inner.clone(), self.filters_tenants);
        let task = async move {
            let _turn = inner.turn(class).await?;
            let begun = inner.begin_write(class, Scope::Tenant(tenant)).await?;
            let tx = begun.into_tenant_tx(tenant, filters_tenants);
            match work(&tx).await {
                Ok(value) => tx.commit().await.map(|()| value).map_err(E::from),
                Err(error) => {
                    tx.rollback().await;
                    Err(error)
                }
            }
        };
        settle(tokio::spawn(task.in_current_span())).await?
    }

    /// Runs `work` in one transaction over what the house shares, for a person who waits.
    pub async fn system_write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx SystemTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.system_write_as(WriteClass::Person, work).await
    }

    /// [`Self::system_write`], saying who waits for it.
    pub async fn system_write_as<T, E, F>(&self, class: WriteClass, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx SystemTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let inner = self.inner.clone();
        let task = async move {
            let _turn = inner.turn(class).await?;
            let tx = inner.begin_write(class, Scope::House).await?.into_system_tx();
            match work(&tx).await {
                Ok(value) => tx.commit().await.map(|()| value).map_err(E::from),
                Err(error) => {
                    tx.rollback().await;
                    Err(error)
                }
            }
        };
        settle(tokio::spawn(task.in_current_span())).await?
    }

    /// Whether both pools answer.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.inner.writer.ping().await?;
        Ok(self.inner.reader.ping().await?)
    }

    /// Closes the pools once their connections come back. Every clone is closed with it.
    pub async fn close(&self) -> Result<(), DbError> {
        self.inner.reader.close_by_ref().await?;
        Ok(self.inner.writer.close_by_ref().await?)
    }
}

/// A transaction that has begun.
struct Begun {
    transaction: DatabaseTransaction,
    dialect: Dialect,
    disk: Arc<Disk>,
}

impl Begun {
    fn into_system_tx(self) -> SystemTx {
        SystemTx::new(self.transaction, self.dialect, self.disk)
    }

    fn into_tenant_tx(self, tenant: TenantId, filters_tenants: bool) -> TenantTx {
        TenantTx::new(self.into_system_tx(), tenant, filters_tenants)
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// Counts somebody among those who wait, until it is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn of(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    /// A background write's turn; a person's needs none.
    async fn turn(&self, class: WriteClass) -> Result<Option<tokio::sync::OwnedSemaphorePermit>, DbError> {
        match class {
            WriteClass::Person => Ok(None),
            WriteClass::Background => {
                Ok(Some(self.background.clone().acquire_owned().await.map_err(|_| stopping())?))
            }
        }
    }

    async fn begin_write(&self, class: WriteClass, scope: Scope) -> Result<Begun, DbError> {
        let _waits = (class == WriteClass::Person).then(|| Waits::of(&self.people_waiting));
        self.begin(Access::Write, scope).await
    }

    /// Begins on a connection that lives: those that rested in a pool may have died with their server, and
    /// nothing is lost by trying the next.
    async fn begin(&self, access: Access, scope: Scope) -> Result<Begun, DbError> {
        for _ in 0..self.pooled {
            match self.begin_once(access, scope).await {
                Err(DbError::Unavailable(DbErr::Query(_) | DbErr::Exec(_))) => {}
                begun => return begun,
            }
        }
        self.begin_once(access, scope).await
    }

    async fn begin_once(&self, access: Access, scope: Scope) -> Result<Begun, DbError> {
        let announcement = match self.dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(scope.announcement(self.works_as().await?)),
        };
        let (pool, mode) = match access {
            Access::Read => (&self.reader, SqliteTransactionMode::Deferred),
            Access::Write => (&self.writer, SqliteTransactionMode::Immediate),
        };
        let options =
            TransactionOptions { sqlite_transaction_mode: Some(mode), ..TransactionOptions::default() };
        let transaction = pool.begin_with_options(options).await?;
        if let Some(announcement) = announcement {
            let told = transaction.query_one_raw(announcement).await?;
            let is_snapshot = told.map(|row| row.try_get::<bool>("", IS_SNAPSHOT)).transpose()?;
            if access == Access::Read && is_snapshot != Some(true) {
                return Err(not_a_snapshot());
            }
        }
        Ok(Begun { transaction, dialect: self.dialect, disk: self.disk.clone() })
    }

    async fn works_as(&self) -> Result<WorksAs, DbError> {
        let inspect = || wall::inspect(&self.writer, self.accept_missing_row_security);
        self.works_as.get_or_try_init(inspect).await.copied()
    }
}

/// The end of a task: a panic goes on in the caller, a runtime that stops counts as unavailable.
async fn settle<T>(task: JoinHandle<T>) -> Result<T, DbError> {
    match task.await {
        Ok(value) => Ok(value),
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(_) => Err(stopping()),
    }
}

/// Connections that read ask for snapshots when they are made (`connect::READER_SETTINGS`); a proxy that shares them may
/// have given one that asked for something else.
fn not_a_snapshot() -> DbError {
    DbError::Unsafe(
        "PostgreSQL began a transaction that is no snapshot: a proxy in between shares connections that asked for different \
         settings. Let Portolan reach PostgreSQL without it, or let the proxy keep a session for each connection"
            .to_owned(),
    )
}

fn stopping() -> DbError {
    DbError::Unavailable(DbErr::Conn(RuntimeErr::Internal("the process is stopping".to_owned())))
}
