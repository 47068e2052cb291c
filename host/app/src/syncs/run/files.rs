//! A waiting file is a slice of its own, and the plugin is shown that file alone: so whatever it says about it is
//! about this file, and one that nobody can read stands before no other.

use portolan_connector::StagedFile;
use portolan_db::DbError;
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::upload;
use portolan_jobs::JobError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};

use super::finish::sentence;
use super::{RunError, Stop, SyncRun};
use crate::channels::context::{UPLOAD_REFUSED, UPLOAD_WAITING};

/// The code of a slice, and of a sync, whose file was set aside.
const FILE_REFUSED: &str = "file_refused";

impl SyncRun {
    /// Reads one file. One that the plugin or the host refuses is set aside with the reason.
    pub(super) async fn read_file(&self, number: i64, slice: slice::Model) -> Result<(), Stop> {
        let not_fetched = slice.pages == 0 || slice.token.is_some();
        if not_fetched {
            let Some(file) = self.files_of(&slice).into_iter().next() else {
                return Ok(self.skip_taken_away(&slice).await?);
            };
            if !tokio::fs::try_exists(&file.path).await.unwrap_or(true) {
                let reason = "The file is no longer in the data folder. Upload it again.";
                return Err(self.set_aside(number, &slice, reason).await?.into());
            }
        }
        let outcome = self.fetch_slice(slice.clone()).await;
        if let Err(Stop::Failed(error)) = &outcome
            && let Some(reason) = self.refusal(error)
            && self.still_waits(number).await?
        {
            return Err(self.set_aside(number, &slice, reason).await?.into());
        }
        outcome
    }

    /// The files that a slice's plugin call sees.
    pub(super) fn files_of(&self, slice: &slice::Model) -> Vec<StagedFile> {
        let files = self.context.files.iter();
        let Some(number) = slice.file else { return files.cloned().collect() };
        files.filter(|file| file.id == number.unsigned_abs()).cloned().collect()
    }

    /// What is the file's fault as far as anybody can tell: a failure that passes is one after the last attempt.
    fn refusal<'e>(&self, error: &'e RunError) -> Option<&'e str> {
        match error {
            RunError::Slice { detail, .. } | RunError::Sync { detail, .. } => Some(detail),
            RunError::Retry { counts_as_failure: true, detail, .. } if self.job.is_last_attempt() => {
                Some(detail)
            }
            RunError::Retry { .. } | RunError::NeedsAuth { .. } | RunError::Job(_) => None,
        }
    }

    /// Once its rows are staged, the file has been accepted.
    async fn still_waits(&self, number: i64) -> Result<bool, JobError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let waiting = tx
            .find::<upload::Entity>()
            .filter(upload::Column::ConnectionId.eq(self.connection.id))
            .filter(upload::Column::Number.eq(number))
            .filter(upload::Column::State.eq(UPLOAD_WAITING))
            .one(&tx)
            .await
            .map_err(JobError::retry)?;
        Ok(waiting.is_some())
    }

    /// Keeps the file and its reason until somebody tries it again or takes it away, and fails its slice in the same
    /// transaction: a sync that goes on after a crash must not end as if the file had been read. Gives the failure.
    async fn set_aside(&self, number: i64, slice: &slice::Model, reason: &str) -> Result<RunError, JobError> {
        let file = self.context.files.iter().find(|file| file.id == number.unsigned_abs());
        let name = file.map_or("A file", |file| file.name.as_str());
        let reason = sentence(reason);
        let detail = format!(
            "{name} was set aside: {reason} The other files go on. Mend the file or the mapping, then try it \
             again on the connection's page, or take it away there."
        );
        tracing::warn!(tenant.id = %self.tenant, sync.id = %self.sync, file.number = number, reason, "file set aside");
        let connection = self.connection.id;
        let failed = self.ended_slice(slice, SliceState::Failed, Some(FILE_REFUSED), Some(&detail));
        self.write_progress(move |tx| {
            Box::pin(async move {
                tx.update(failed).await?;
                tx.update_many::<upload::Entity>()
                    .col_expr(upload::Column::State, Expr::value(UPLOAD_REFUSED))
                    .col_expr(upload::Column::Reason, Expr::value(reason))
                    .filter(upload::Column::ConnectionId.eq(connection))
                    .filter(upload::Column::Number.eq(number))
                    .filter(upload::Column::State.eq(UPLOAD_WAITING))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(())
            })
        })
        .await?;
        Ok(RunError::Slice { code: FILE_REFUSED.to_owned(), detail })
    }

    /// Somebody took the file away while it waited for its turn.
    async fn skip_taken_away(&self, slice: &slice::Model) -> Result<(), JobError> {
        let reason = "The file was taken away before it was read.";
        let row = self.ended_slice(slice, SliceState::Cancelled, None, Some(reason));
        self.write(move |tx| {
            Box::pin(async move {
                tx.update(row).await?;
                Ok(())
            })
        })
        .await
    }
}
