//! The end of complete passes: what a stream that is taken whole no longer shows.

use portolan_connector::manifest::StreamMode;
use portolan_jobs::JobError;

use super::{SyncRun, job_error};
use crate::syncs::vanish::{DELETES_HELD, Vanished, held, hold, is_complete, mark_gone, vanished};

impl SyncRun {
    /// Lets go, of every stream that this sync took whole, what the channel no longer has; or leaves it to a person
    /// where that is too much to believe. A pass that is not complete says nothing.
    pub(super) async fn end_passes(&self) -> Result<(), JobError> {
        let connection = self.connection_id();
        for stream in &self.plugin.manifest.streams {
            if stream.mode != StreamMode::Snapshot {
                continue;
            }
            let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
            if !is_complete(&tx, self.sync, &stream.name).await? {
                continue;
            }
            let missing = vanished(&tx, connection, self.sync, &stream.name).await?;
            drop(tx);
            let too_much = missing.is_too_much();
            self.note_pass(&stream.name, too_much.then_some(&missing)).await?;
            if !too_much {
                let (app, row) = (&self.app, &self.connection);
                mark_gone(app, self.tenant, row, self.sync, &missing.versions).await.map_err(job_error)?;
            }
        }
        Ok(())
    }

    async fn note_pass(&self, stream: &str, held: Option<&Vanished>) -> Result<(), JobError> {
        let (connection, sync, stream) = (self.connection_id(), self.sync, stream.to_owned());
        let (held, now) = (held.cloned(), self.app.clock.now().0);
        self.write(move |tx| {
            Box::pin(async move { Ok(hold(tx, connection, sync, &stream, held.as_ref(), now).await?) })
        })
        .await
    }

    /// What this sync leaves to a person, as code and sentence.
    pub(super) async fn what_is_held(&self) -> Result<Option<(String, String)>, JobError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let held = held(&tx, self.connection_id()).await.map_err(job_error)?;
        let own: Vec<String> = held
            .into_iter()
            .filter(|held| held.sync_id == self.sync.0)
            .map(|held| format!("{} of {} documents of {}", held.vanished, held.total, held.stream))
            .collect();
        if own.is_empty() {
            return Ok(None);
        }
        let detail = format!(
            "{} are missing from what the channel shows, too many to believe it unasked. They stay until somebody \
             says on the connection's page that they are gone.",
            own.join("; ")
        );
        Ok(Some((DELETES_HELD.to_owned(), detail)))
    }
}
