//! What a kind of job does, and what it is given to do it with.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use portolan_core::TenantId;
use portolan_db::{Database, DbError, TenantTx, Work};
use sea_orm::DbErr;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use crate::{ClaimedJob, JobError, LeaseLost, Queue, RetryPolicy};

/// One kind of job.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The stored name, unique in the registry: `sync.run`.
    fn kind(&self) -> &'static str;

    /// Does the work. It may run more than once (a worker can vanish after its last write), so its effects
    /// are written through [`JobContext::write`] and are the same the second time.
    async fn run(&self, context: &JobContext, payload: Json) -> Result<(), JobError>;

    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::default()
    }
}

/// The kinds of job that a worker knows.
#[derive(Default, Clone)]
pub struct Registry {
    handlers: BTreeMap<&'static str, Arc<dyn JobHandler>>,
}

impl Registry {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind; the last one of a name stands.
    #[must_use]
    pub fn with(mut self, handler: impl JobHandler) -> Self {
        self.handlers.insert(handler.kind(), Arc::new(handler));
        self
    }

    pub fn kinds(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.handlers.keys().copied()
    }

    pub(crate) fn find(&self, kind: &str) -> Option<Arc<dyn JobHandler>> {
        self.handlers.get(kind).cloned()
    }
}

/// A running job's way to the world.
#[derive(Clone)]
pub struct JobContext {
    queue: Queue,
    job: ClaimedJob,
    stopping: CancellationToken,
}

impl JobContext {
    /// For tests of handlers: workers make their own.
    pub fn new(queue: Queue, job: ClaimedJob, stopping: CancellationToken) -> Self {
        Self { queue, job, stopping }
    }

    pub fn job(&self) -> &ClaimedJob {
        &self.job
    }

    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    pub fn database(&self) -> &Database {
        self.queue.database()
    }

    /// Whose job it is; a job of the house has no tenant, and asking fails it.
    pub fn tenant(&self) -> Result<TenantId, JobError> {
        self.job.tenant.ok_or_else(|| JobError::fail("a job of the house has no tenant"))
    }

    /// Cancelled when the worker stops or the lease is lost: write down where you are and return
    /// `JobError::snooze(Duration::ZERO)`; whoever claims the job next goes on from there.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// A snapshot of the job's tenant.
    pub async fn read(&self) -> Result<TenantTx, JobError> {
        Ok(self.database().read(self.tenant()?).await?)
    }

    /// One transaction of the job's tenant, written only if this claim still holds the job; extends
    /// the lease. Keep it near 10 ms: people wait behind it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<LeaseLost> + Send + 'static,
    {
        let Some(tenant) = self.job.tenant else {
            let message = "a job of the house has no tenant to write for".to_owned();
            return Err(DbError::Other(DbErr::Custom(message)).into());
        };
        self.queue.fenced_write(&self.job, tenant, work).await
    }
}
