//! The only way to a tenant's rows.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use portolan_core::TenantId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbBackend,
    DbErr, DeleteMany, EntityTrait, ExecResult, IntoActiveModel, PrimaryKeyTrait, QueryFilter, QueryResult,
    Select, Statement, UpdateMany, Value,
};
use uuid::Uuid;

use crate::bulk::{self, Rows};
use crate::{DbError, Dialect, SystemTx, TenantEntity};

/// One transaction of one tenant: a snapshot to read from, or a write that is committed as a whole.
///
/// It is a SeaORM connection: `tx.find::<Entity>().filter(…).all(tx)`. Statements of one's own go through
/// [`TenantTx::statement`]. Every statement has to bind the tenant's id among its values; one that does
/// not is refused before it is sent, so a forgotten filter is an error instead of a leak.
pub struct TenantTx {
    system: SystemTx,
    tenant: TenantId,
    /// False in the one test that takes this wall away to see PostgreSQL's hold.
    filters: bool,
    statements: AtomicU64,
}

impl TenantTx {
    pub(crate) fn new(system: SystemTx, tenant: TenantId, filters: bool) -> Self {
        Self { system, tenant, filters, statements: AtomicU64::new(0) }
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub fn dialect(&self) -> Dialect {
        self.system.dialect()
    }

    /// How many statements it has sent: what a test holds against the number of rows.
    pub fn statements_sent(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// What the house shares, in the same transaction: people, plugins, the tenant's own row.
    pub fn host_wide(&self) -> &SystemTx {
        &self.system
    }

    /// Runs `action` once this transaction is committed, and never if it is not: for wake-ups. It may
    /// be lost when the process ends in between, so nothing may depend on it.
    pub fn after_commit(&self, action: impl FnOnce() + Send + 'static) {
        self.system.after_commit(action);
    }

    /// The tenant's rows of a table.
    pub fn find<E: TenantEntity>(&self) -> Select<E> {
        E::find().filter(self.own_rows::<E>())
    }

    /// The tenant's row with this id, in tables with the key (tenant, id).
    pub async fn find_by_id<E>(&self, id: impl Into<Uuid>) -> Result<Option<E::Model>, DbError>
    where
        E: TenantEntity,
        E::PrimaryKey: PrimaryKeyTrait<ValueType = (Uuid, Uuid)>,
    {
        Ok(E::find_by_id((self.tenant.0, id.into())).one(self).await?)
    }

    /// Inserts a row; its tenant is filled in where it is not set.
    pub async fn insert<A>(&self, mut row: A) -> Result<<A::Entity as EntityTrait>::Model, DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        A::Entity: TenantEntity,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.claim(&mut row)?;
        Ok(row.insert(self).await?)
    }

    /// Inserts all rows; one that exists already fails the whole.
    pub async fn insert_many<A>(&self, rows: impl Rows<A>) -> Result<u64, DbError>
    where
        A: ActiveModelTrait,
        A::Entity: TenantEntity,
    {
        bulk::insert_many(self, self.dialect(), self.claim_all(rows), None).await
    }

    /// Inserts the rows that are new and says how many they were.
    pub async fn insert_many_on_conflict_do_nothing<A>(&self, rows: impl Rows<A>) -> Result<u64, DbError>
    where
        A: ActiveModelTrait,
        A::Entity: TenantEntity,
    {
        let skip_existing = bulk::skip_existing();
        bulk::insert_many(self, self.dialect(), self.claim_all(rows), Some(&skip_existing)).await
    }

    /// Inserts the rows; what happens to one that exists already says `on_conflict`.
    pub async fn upsert_many<A>(&self, rows: impl Rows<A>, on_conflict: &OnConflict) -> Result<u64, DbError>
    where
        A: ActiveModelTrait,
        A::Entity: TenantEntity,
    {
        bulk::insert_many(self, self.dialect(), self.claim_all(rows), Some(on_conflict)).await
    }

    /// Changes the tenant's row with this key; [`DbError::Missing`] where there is none.
    pub async fn update<A>(&self, mut row: A) -> Result<<A::Entity as EntityTrait>::Model, DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        A::Entity: TenantEntity,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.claim(&mut row)?;
        let update = A::Entity::update(row).validate()?.filter(self.own_rows::<A::Entity>());
        Ok(update.exec(self).await?)
    }

    /// Changes the tenant's rows of a table, as filtered further: `tx.update_many::<E>().….exec(tx)`.
    pub fn update_many<E: TenantEntity>(&self) -> UpdateMany<E> {
        E::update_many().filter(self.own_rows::<E>())
    }

    /// Deletes the tenant's rows of a table, as filtered further.
    pub fn delete_many<E: TenantEntity>(&self) -> DeleteMany<E> {
        E::delete_many().filter(self.own_rows::<E>())
    }

    /// A statement in SQL with `$1`, `$2`, … for its values, understood by both databases. One of the
    /// values has to be the tenant's id.
    pub fn statement<I>(&self, sql: impl Into<String>, values: I) -> Statement
    where
        I: IntoIterator<Item = Value>,
    {
        self.system.statement(sql, values)
    }

    fn own_rows<E: TenantEntity>(&self) -> Condition {
        let everything = Condition::all();
        if self.filters { everything.add(E::tenant_column().eq(self.tenant.0)) } else { everything }
    }

    /// Makes the row this tenant's, or refuses one that says it is another's.
    fn claim<A>(&self, row: &mut A) -> Result<(), DbError>
    where
        A: ActiveModelTrait,
        A::Entity: TenantEntity,
    {
        let column = <A::Entity as TenantEntity>::tenant_column();
        let own = Value::from(self.tenant.0);
        match row.get(column) {
            ActiveValue::NotSet => row.set(column, own),
            ActiveValue::Set(value) | ActiveValue::Unchanged(value) if value == own || !self.filters => {}
            _ => return Err(DbError::Other(DbErr::Custom("the row belongs to another tenant".to_owned()))),
        }
        Ok(())
    }

    fn claim_all<A>(&self, rows: impl Rows<A>) -> impl ExactSizeIterator<Item = Result<A, DbError>> + Send
    where
        A: ActiveModelTrait,
        A::Entity: TenantEntity,
    {
        rows.into_iter().map(|mut row| self.claim(&mut row).map(|()| row))
    }

    /// Counts the statement, or refuses it.
    fn fence(&self, statement: &Statement) -> Result<(), DbErr> {
        let values = statement.values.as_ref().map_or(&[][..], |values| values.0.as_slice());
        let binds_tenant =
            values.iter().any(|value| matches!(value, Value::Uuid(Some(id)) if *id == self.tenant.0));
        if binds_tenant || !self.filters {
            self.statements.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        Err(DbErr::Custom("the statement does not bind its tenant's id".to_owned()))
    }

    pub(crate) async fn commit(self) -> Result<(), DbError> {
        self.system.commit().await
    }

    pub(crate) async fn rollback(self) {
        self.system.rollback().await;
    }
}

#[async_trait]
impl ConnectionTrait for TenantTx {
    fn get_database_backend(&self) -> DbBackend {
        self.system.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.fence(&statement)?;
        self.system.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, _sql: &str) -> Result<ExecResult, DbErr> {
        Err(DbErr::Custom("a tenant's transaction takes statements with bound values only".to_owned()))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.fence(&statement)?;
        self.system.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.fence(&statement)?;
        self.system.query_all_raw(statement).await
    }
}
