//! One sync from its plan to its end, as a job that may be interrupted anywhere.
//!
//! Everything the run knows is in the database: slices with the token of their next page, chunks
//! that are staged but not yet normalised. A page and its next token are stored in one
//! transaction, and a chunk's documents, events and counts in one; so whoever takes the job over
//! after a crash goes on where the last commit left it, and the ledger ends the same.

mod fetch;
mod files;
mod finish;
mod left;
mod names;
mod normalise;
mod passes;
mod plan_step;
mod split;
mod wait;

use std::sync::Arc;

use axum::http::StatusCode;
use portolan_access::PseudonymKey;
use portolan_connector::{ConnectionContext, InstalledPlugin};
use portolan_core::calendar::StoreCalendar;
use portolan_core::{ConnectionId, Duration, SyncId, TenantId};
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::slice;
use portolan_db::entity::sync::{self, RequestedAction, SyncState};
use portolan_db::{TenantTx, Work};
use portolan_jobs::{JobContext, JobError};
use sea_orm::ActiveValue::Set;
use tokio::sync::OnceCell;

use crate::App;
use crate::channels::build_of_connection;
use crate::channels::context::{load_context, store_calendar};
use crate::ingest::KnownLabels;
use crate::live::LiveMessage;
use crate::syncs::orphans::INTERNAL_FAILURE;
use crate::web::error::AppError;

use self::wait::NextSlice;
pub(super) use self::wait::{WAITING, is_waiting};

/// A sync at work.
pub(super) struct SyncRun {
    pub app: Arc<App>,
    pub job: JobContext,
    pub tenant: TenantId,
    pub sync: SyncId,
    pub trigger: String,
    pub connection: connection::Model,
    pub plugin: InstalledPlugin,
    pub context: ConnectionContext,
    pub calendar: StoreCalendar,
    pub known_labels: Arc<KnownLabels>,
    /// How its customers are named, once a page has asked.
    pub pseudonym_key: OnceCell<Arc<PseudonymKey>>,
}

/// Why a run stops before its slices are done.
pub(super) enum Stop {
    /// A person asked for it.
    Requested(RequestedAction),
    /// The worker is going down: another one goes on.
    Shutdown,
    /// All that is left waits for the channel; this slice is the first to be asked for again.
    Waits(Box<slice::Model>),
    Failed(RunError),
}

/// What went wrong, and what is done about it.
pub(super) enum RunError {
    /// Ends this slice; the others go on.
    Slice { code: String, detail: String },
    /// Ends the whole sync; a person has to act.
    Sync { code: String, detail: String },
    /// The credentials are no longer accepted: the connection waits for new ones.
    NeedsAuth { detail: String },
    /// Tried again later from where it stands.
    Retry { after_ms: Option<u64>, counts_as_failure: bool, detail: String },
    /// The job itself can't go on: lease lost, database away.
    Job(JobError),
}

impl From<JobError> for RunError {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl From<JobError> for Stop {
    fn from(error: JobError) -> Self {
        Self::Failed(RunError::Job(error))
    }
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        Self::Failed(error)
    }
}

/// Runs a sync as far as it goes.
pub async fn run_sync(app: &Arc<App>, job: JobContext, sync: SyncId) -> Result<(), JobError> {
    let tenant = job.tenant()?;
    let outcome = attempt(app, job.clone(), tenant, sync).await;
    let hopeless = match &outcome {
        Err(JobError::Fail(_)) => true,
        Err(JobError::Retry { .. }) => job.is_last_attempt(),
        _ => false,
    };
    if hopeless {
        // Nobody runs the job again: the sync must not look as if somebody did.
        finish::fail_sync(app, &job, tenant, sync, "internal", INTERNAL_FAILURE).await?;
    }
    outcome
}

async fn attempt(app: &Arc<App>, job: JobContext, tenant: TenantId, sync: SyncId) -> Result<(), JobError> {
    let Some(run) = SyncRun::load(app, job, tenant, sync).await? else { return Ok(()) };
    if !run.begin().await? {
        return Ok(());
    }
    let outcome = run.work().await;
    run.settle(outcome).await
}

impl SyncRun {
    /// Reads what the run needs; `None` where there is nothing left to do.
    async fn load(
        app: &Arc<App>,
        job: JobContext,
        tenant: TenantId,
        sync: SyncId,
    ) -> Result<Option<Self>, JobError> {
        let tx = app.db.read(tenant).await.map_err(JobError::retry)?;
        let Some(row) = tx.find_by_id::<sync::Entity>(sync.0).await.map_err(JobError::retry)? else {
            return Ok(None);
        };
        if !matches!(row.state, SyncState::Queued | SyncState::Running) {
            return Ok(None);
        }
        let connection =
            tx.find_by_id::<connection::Entity>(row.connection_id).await.map_err(JobError::retry)?;
        let Some(connection) = connection else { return Ok(None) };
        let Some(plugin) = build_of_connection(app, &connection) else {
            let detail = format!(
                "The build of the plugin {} that the connection is on is not installed. Install it, then sync again.",
                connection.plugin_id
            );
            drop(tx);
            finish::fail_sync(app, &job, tenant, sync, "plugin_missing", &detail).await?;
            return Ok(None);
        };
        let context = load_context(app, &tx, &connection).await.map_err(job_error)?;
        let calendar = store_calendar(&connection).map_err(job_error)?;
        let trigger = row.trigger;
        Ok(Some(Self {
            app: Arc::clone(app),
            job,
            tenant,
            sync,
            trigger,
            connection,
            plugin,
            context,
            calendar,
            known_labels: Arc::default(),
            pseudonym_key: OnceCell::new(),
        }))
    }

    fn connection_id(&self) -> ConnectionId {
        ConnectionId(self.connection.id)
    }

    /// Marks the sync as running; false where somebody has paused or cancelled it meanwhile.
    async fn begin(&self) -> Result<bool, JobError> {
        let (sync, now) = (self.sync, self.app.clock.now());
        let (connection, build) = (self.connection.id, self.connection.plugin_sha256.clone());
        let begun = self
            .write(move |tx| {
                Box::pin(async move {
                    let Some(row) = tx.find_by_id::<sync::Entity>(sync.0).await? else { return Ok(false) };
                    if !matches!(row.state, SyncState::Queued | SyncState::Running) {
                        return Ok(false);
                    }
                    // Switched to another build since it was loaded: the next attempt loads that one.
                    let here = tx.find_by_id::<connection::Entity>(connection).await?;
                    if here.is_some_and(|here| here.plugin_sha256 != build) {
                        return Err(JobError::snooze(Duration::ZERO));
                    }
                    let update = sync::ActiveModel {
                        tenant_id: Set(row.tenant_id),
                        id: Set(row.id),
                        state: Set(SyncState::Running),
                        started_at: Set(row.started_at.or(Some(now.0))),
                        updated_at: Set(now.0),
                        error_code: Set(None),
                        error_detail: Set(None),
                        ..Default::default()
                    };
                    tx.update(update).await?;
                    Ok(true)
                })
            })
            .await?;
        self.announce();
        Ok(begun)
    }

    /// Plan, then every slice in order. One slice's failure doesn't keep the others.
    async fn work(&self) -> Result<(), Stop> {
        self.normalise_left_behind().await?;
        self.plan().await?;
        loop {
            match self.next_slice().await? {
                NextSlice::Run(slice) => self.run_slice(*slice).await?,
                NextSlice::Wait(slice) => return Err(slice.into()),
                NextSlice::Nothing => return Ok(self.end_passes().await?),
            }
        }
    }

    /// Stops where a person asked for it or the worker goes down.
    async fn check_requests(&self) -> Result<(), Stop> {
        if self.job.stopping().is_cancelled() {
            return Err(Stop::Shutdown);
        }
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let row = tx.find_by_id::<sync::Entity>(self.sync.0).await.map_err(JobError::retry)?;
        match row.and_then(|row| row.requested_action) {
            Some(action) => Err(Stop::Requested(action)),
            None => Ok(()),
        }
    }

    /// [`Self::write`] of what no later attempt has to do again: earlier failures and crashes are forgiven.
    async fn write_progress<T, F>(&self, work: F) -> Result<T, JobError>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, JobError> + Send + 'static,
        T: Send + 'static,
    {
        self.write_and(true, work).await
    }

    async fn write_and<T, F>(&self, got_on: bool, work: F) -> Result<T, JobError>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, JobError> + Send + 'static,
        T: Send + 'static,
    {
        if got_on { self.job.write_progress(work).await } else { self.job.write(work).await }
    }

    /// One transaction, kept only if this worker still holds the job.
    async fn write<T, F>(&self, work: F) -> Result<T, JobError>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, JobError> + Send + 'static,
        T: Send + 'static,
    {
        self.job.write(work).await
    }

    /// Tells open pages that this sync has moved.
    fn announce(&self) {
        self.app.live.publish(LiveMessage::Sync {
            tenant: self.tenant,
            sync: self.sync,
            connection: self.connection_id(),
        });
    }
}

/// Whether a connection may be synced at all.
pub(super) fn may_sync(connection: &connection::Model) -> bool {
    connection.state == ConnectionState::Active
}

/// A database that is away comes back; a secret that does not open stays closed.
fn job_error(error: AppError) -> JobError {
    if error.status == StatusCode::SERVICE_UNAVAILABLE || error.status == StatusCode::CONFLICT {
        JobError::retry(error.detail)
    } else {
        JobError::fail(error.detail)
    }
}
