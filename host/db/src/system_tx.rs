//! A transaction over what the house shares: people, plugins, sessions, and work that spans tenants.
//! Of the tables that carry a tenant, PostgreSQL's policies open it those alone that such work needs
//! (`HOUSE_TABLES` of the migrations).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use portolan_core::TenantId;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    DeleteMany, EntityTrait, ExecResult, IntoActiveModel, QueryResult, Select, Statement, UpdateMany,
};

use crate::disk::Disk;
use crate::{DbError, Dialect, HostEntity, Work, bulk};

/// One transaction without a tenant. Slices of the product use [`crate::TenantTx`] instead.
///
/// A statement that fails ends it, on both databases: PostgreSQL refuses whatever follows but answers the
/// `COMMIT`, and SQLite takes everything back by itself when its disk is full or broken and would keep what
/// follows piece by piece. So nothing is sent after a failure, and committing gives that failure.
pub struct SystemTx {
    transaction: DatabaseTransaction,
    dialect: Dialect,
    disk: Arc<Disk>,
    /// The first statement's failure.
    failed: OnceLock<DbErr>,
    /// Whether a statement said that it changed rows.
    changed: AtomicBool,
    before_commit: Mutex<Vec<(String, BeforeCommit)>>,
    after_commit: Mutex<Vec<AfterCommit>>,
}

type BeforeCommit = Box<dyn for<'tx> FnOnce(&'tx SystemTx) -> Work<'tx, (), DbError> + Send>;
type AfterCommit = Box<dyn FnOnce() + Send>;

impl SystemTx {
    pub(crate) fn new(transaction: DatabaseTransaction, dialect: Dialect, disk: Arc<Disk>) -> Self {
        Self {
            transaction,
            dialect,
            disk,
            failed: OnceLock::new(),
            changed: AtomicBool::new(false),
            before_commit: Mutex::default(),
            after_commit: Mutex::default(),
        }
    }

    /// Puts `work` off until just before this transaction is committed, and never does it if it is not. What is put
    /// off by several happens in the order of `place`, and in one place in the order in which it was put off:
    /// so rows that everybody wants are locked last, shortly, and by all in one order.
    pub fn before_commit<F>(&self, place: impl Into<String>, work: F)
    where
        F: for<'tx> FnOnce(&'tx Self) -> Work<'tx, (), DbError> + Send + 'static,
    {
        let mut put_off = self.before_commit.lock().unwrap_or_else(PoisonError::into_inner);
        put_off.push((place.into(), Box::new(work)));
    }

    /// Runs `action` once this transaction is committed, and never if it is not: for wake-ups. It may
    /// be lost when the process ends in between, so nothing may depend on it.
    pub fn after_commit(&self, action: impl FnOnce() + Send + 'static) {
        self.after_commit.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(action));
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Lets this transaction write rows of one tenant as well, in every table: for the moment that founds it.
    /// Everything else about one tenant goes through a [`crate::TenantTx`].
    pub async fn act_for(&self, tenant: TenantId) -> Result<(), DbError> {
        if self.dialect == Dialect::Postgres {
            let sql = "SELECT set_config('app.tenant', $1, true)";
            self.execute_raw(self.statement(sql, [tenant.to_string().into()])).await?;
        }
        Ok(())
    }

    /// Reads a table of the house: `tx.find::<user::Entity>().filter(…).one(tx)`.
    pub fn find<E: HostEntity>(&self) -> Select<E> {
        E::find()
    }

    /// Reads a table of the house's work, whoever the rows belong to: for the queue and whatever else serves
    /// all tenants at once. Never for what a person sees.
    pub fn find_across_tenants<E: EntityTrait>(&self) -> Select<E> {
        E::find()
    }

    pub async fn insert<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model, DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        Ok(row.insert(self).await?)
    }

    /// Inserts all rows; one that exists already fails the whole.
    pub async fn insert_many<A: ActiveModelTrait + Send>(&self, rows: Vec<A>) -> Result<u64, DbError> {
        bulk::insert_many(self, self.dialect, rows.into_iter().map(Ok), None).await
    }

    /// Inserts the rows that are new and says how many they were.
    pub async fn insert_many_on_conflict_do_nothing<A: ActiveModelTrait + Send>(
        &self,
        rows: Vec<A>,
    ) -> Result<u64, DbError> {
        let skip_existing = bulk::skip_existing();
        bulk::insert_many(self, self.dialect, rows.into_iter().map(Ok), Some(&skip_existing)).await
    }

    /// Changes the row with this key; [`DbError::Missing`] where there is none.
    pub async fn update<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model, DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        Ok(row.update(self).await?)
    }

    pub fn update_many<E: HostEntity>(&self) -> UpdateMany<E> {
        E::update_many()
    }

    pub fn delete_many<E: HostEntity>(&self) -> DeleteMany<E> {
        E::delete_many()
    }

    /// A statement in SQL with `$1`, `$2`, … for its values, understood by both databases.
    pub fn statement<I>(&self, sql: impl Into<String>, values: I) -> Statement
    where
        I: IntoIterator<Item = sea_orm::Value>,
    {
        Statement::from_sql_and_values(self.dialect.backend(), sql, values)
    }

    pub(crate) async fn commit(self) -> Result<(), DbError> {
        if let Err(error) = self.do_what_was_put_off().await {
            self.rollback().await;
            return Err(error);
        }
        if let Some(failure) = self.failed.get().cloned() {
            self.rollback().await;
            return Err(failure.into());
        }
        if let Err(error) = self.transaction.commit().await {
            note_full(&self.disk, &error);
            return Err(error.into());
        }
        if self.changed.into_inner() {
            self.disk.took_a_write();
        }
        for action in self.after_commit.into_inner().unwrap_or_else(PoisonError::into_inner) {
            action();
        }
        Ok(())
    }

    async fn do_what_was_put_off(&self) -> Result<(), DbError> {
        let mut put_off =
            std::mem::take(&mut *self.before_commit.lock().unwrap_or_else(PoisonError::into_inner));
        put_off.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (_, work) in put_off {
            work(self).await?;
        }
        Ok(())
    }

    /// Takes everything back. A failure means the connection is gone, and the transaction with it.
    pub(crate) async fn rollback(self) {
        if let Err(error) = self.transaction.rollback().await {
            tracing::debug!(%error, "there was nothing left to roll back, the connection is given up");
        }
    }

    /// Nothing is sent after a failure.
    fn check_usable(&self) -> Result<(), DbErr> {
        self.failed.get().map_or(Ok(()), |failure| Err(failure.clone()))
    }

    fn remember_failure<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &result {
            note_full(&self.disk, error);
            let _first_counts = self.failed.set(error.clone());
        }
        result
    }
}

/// Whether a statement that answers rows has changed them (`INSERT … RETURNING`).
fn changes_rows(statement: &Statement) -> bool {
    ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| statement.sql.trim_start().starts_with(verb))
}

fn note_full(disk: &Disk, error: &DbErr) {
    if matches!(DbError::from(error.clone()), DbError::Full(_)) {
        disk.ran_full();
    }
}

#[async_trait]
impl ConnectionTrait for SystemTx {
    fn get_database_backend(&self) -> DbBackend {
        self.dialect.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.check_usable()?;
        let done = self.remember_failure(self.transaction.execute_raw(statement).await)?;
        if done.rows_affected() > 0 {
            self.changed.store(true, Ordering::Relaxed);
        }
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.check_usable()?;
        self.remember_failure(self.transaction.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.check_usable()?;
        let changes = changes_rows(&statement);
        let row = self.remember_failure(self.transaction.query_one_raw(statement).await)?;
        if changes && row.is_some() {
            self.changed.store(true, Ordering::Relaxed);
        }
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.check_usable()?;
        let changes = changes_rows(&statement);
        let rows = self.remember_failure(self.transaction.query_all_raw(statement).await)?;
        if changes && !rows.is_empty() {
            self.changed.store(true, Ordering::Relaxed);
        }
        Ok(rows)
    }
}
