//! What a kind of job does, and what it is given to do it with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    got_on: Arc<AtomicBool>,
}

impl JobContext {
    /// For tests of handlers: workers make their own.
    pub fn new(queue: Queue, job: ClaimedJob, stopping: CancellationToken) -> Self {
        Self { queue, job, stopping, got_on: Arc::default() }
    }

    pub fn job(&self) -> &ClaimedJob {
        &self.job
    }

    /// How often in a row the job has been tried without getting on, this time included; 1 for the first.
    pub fn attempt(&self) -> i32 {
        if self.got_on.load(Ordering::Acquire) { 1 } else { self.job.attempt }
    }

    /// Whether a [`JobError::Retry`] now would end the job.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt() >= self.job.max_attempts
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
    /// the lease. Give it a bounded number of rows: people wait behind it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<LeaseLost> + Send + 'static,
    {
        self.queue.fenced_write(&self.job, self.write_for()?, work).await
    }

    /// [`Self::write`] of something that brings the job nearer to its end and is never done twice: with it, the
    /// failures and crashes before are forgiven. Whatever repeats with every attempt is no progress.
    pub async fn write_progress<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<LeaseLost> + Send + 'static,
    {
        let written = self.queue.fenced_progress(&self.job, self.write_for()?, work).await?;
        self.got_on.store(true, Ordering::Release);
        Ok(written)
    }

    /// Makes the [`Self::write`] that `tx` is one that writes progress: for work that finds out on the way.
    pub async fn note_progress<E>(&self, tx: &TenantTx) -> Result<(), E>
    where
        E: From<DbError> + From<LeaseLost>,
    {
        self.queue.note_progress(tx, &self.job).await??;
        let got_on = Arc::clone(&self.got_on);
        tx.after_commit(move || got_on.store(true, Ordering::Release));
        Ok(())
    }

    fn write_for(&self) -> Result<TenantId, DbError> {
        let message = "a job of the house has no tenant to write for";
        self.job.tenant.ok_or_else(|| DbError::Other(DbErr::Custom(message.to_owned())))
    }
}
