//! Leases: whoever claimed a job keeps it alive, and writes only while it is theirs.

use portolan_core::{Instant, TenantId};
use portolan_db::{DbError, SystemTx, TenantTx, Work, WriteClass};
use sea_orm::ConnectionTrait;

use crate::{ClaimedJob, LeaseLost, Queue};

impl Queue {
    /// Extends the lease. [`LeaseLost`] when it is another's by now.
    pub async fn heartbeat(&self, job: &ClaimedJob) -> Result<Result<(), LeaseLost>, DbError> {
        let job = job.clone();
        let lease_until = self.clock.now() + self.lease;
        self.database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move { extend_lease(tx, &job, lease_until, Progress::Unknown).await })
            })
            .await
    }

    /// Runs `work` in one transaction of the job's tenant, if the lease still stands, and extends it:
    /// the token is checked and held in the same transaction as the effects.
    pub async fn fenced_write<T, E, F>(&self, job: &ClaimedJob, tenant: TenantId, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<LeaseLost> + Send + 'static,
    {
        self.fenced(job, tenant, Progress::Unknown, work).await
    }

    /// [`Self::fenced_write`] of something that brings the job nearer to its end: with it, the failures and
    /// crashes before are forgiven.
    pub async fn fenced_progress<T, E, F>(&self, job: &ClaimedJob, tenant: TenantId, work: F) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<LeaseLost> + Send + 'static,
    {
        self.fenced(job, tenant, Progress::Made, work).await
    }

    /// What [`Self::fenced_progress`] says first, said within [`Self::fenced_write`] by work that has found out.
    pub(crate) async fn note_progress(
        &self,
        tx: &TenantTx,
        job: &ClaimedJob,
    ) -> Result<Result<(), LeaseLost>, DbError> {
        extend_lease(tx.host_wide(), job, self.clock.now() + self.lease, Progress::Made).await
    }

    async fn fenced<T, E, F>(
        &self,
        job: &ClaimedJob,
        tenant: TenantId,
        progress: Progress,
        work: F,
    ) -> Result<T, E>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<LeaseLost> + Send + 'static,
    {
        let job = job.clone();
        let lease_until = self.clock.now() + self.lease;
        self.database
            .write_as(WriteClass::Background, tenant, move |tx| {
                Box::pin(async move {
                    extend_lease(tx.host_wide(), &job, lease_until, progress).await??;
                    work(tx).await
                })
            })
            .await
    }
}

/// Whether a job that extends its lease has got on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Made,
    Unknown,
}

/// Locks the job's row if this claim still holds it, and moves its lease. A job that has got on is at its first
/// attempt again.
async fn extend_lease(
    tx: &SystemTx,
    job: &ClaimedJob,
    lease_until: Instant,
    progress: Progress,
) -> Result<Result<(), LeaseLost>, DbError> {
    let sql = match progress {
        Progress::Made => {
            "UPDATE job SET lease_until = $3, attempt = 1, crash_count = 0 \
             WHERE id = $1 AND lease_token = $2 AND state = 'running'"
        }
        Progress::Unknown => {
            "UPDATE job SET lease_until = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'"
        }
    };
    let values = [job.id.0.into(), job.lease_token.into(), lease_until.0.into()];
    let changed = tx.execute_raw(tx.statement(sql, values)).await?.rows_affected();
    Ok(if changed == 1 { Ok(()) } else { Err(LeaseLost(job.id)) })
}
