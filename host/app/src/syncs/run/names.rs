//! How a run names the customers of its connection.

use std::sync::Arc;

use portolan_access::{PseudonymKey, SecretsError};
use portolan_core::ConnectionId;
use portolan_jobs::JobError;

use super::{RunError, SyncRun};
use crate::ingest::pseudonyms::Pseudonyms;

impl SyncRun {
    /// Pseudonyms for the customers of this connection; none where it keeps ids as they are sent, because it was made
    /// before there were pseudonyms or with a plugin that names no customers.
    ///
    /// Errors: nothing is stored with ids in clear where pseudonyms are promised.
    pub(super) async fn pseudonyms(&self) -> Result<Option<Pseudonyms>, RunError> {
        if !self.connection.pseudonyms {
            return Ok(None);
        }
        if !self.plugin.manifest.names_subjects() {
            return Err(RunError::Sync {
                code: "subjects_unnamed".to_owned(),
                detail: "This connection keeps its customers under pseudonyms, but this build of its plugin doesn't say \
                         where it names them. Switch to a build that does."
                    .to_owned(),
            });
        }
        let key = self.pseudonym_key.get_or_try_init(|| self.load_pseudonym_key()).await?;
        Ok(Some(Pseudonyms {
            key: Arc::clone(key),
            connection: ConnectionId(self.connection.id),
            manifest: Arc::clone(&self.plugin.manifest),
        }))
    }

    async fn load_pseudonym_key(&self) -> Result<Arc<PseudonymKey>, RunError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let known = PseudonymKey::load(&self.app.key_ring, &tx).await.map_err(no_key)?;
        drop(tx);
        if let Some(key) = known {
            return Ok(Arc::new(key));
        }
        let app = Arc::clone(&self.app);
        let made = self
            .write(move |tx| {
                Box::pin(async move {
                    PseudonymKey::load_or_make(&app.key_ring, tx, &*app.clock, &*app.random)
                        .await
                        .map_err(keys_closed)
                })
            })
            .await?;
        Ok(Arc::new(made))
    }
}

/// A key that does not open is nothing that goes by: another one in its place would make two of each customer.
fn no_key(error: SecretsError) -> RunError {
    match error {
        SecretsError::Database(error) => RunError::Job(error.into()),
        other => RunError::Sync {
            code: "pseudonym_key".to_owned(),
            detail: format!(
                "The key that customers' pseudonyms are made with does not open: {other}. The operator finds out why with \
                 `portolan doctor`; then sync again."
            ),
        },
    }
}

/// The same inside of a transaction.
pub(super) fn keys_closed(error: SecretsError) -> JobError {
    match error {
        SecretsError::Database(error) => error.into(),
        other => JobError::fail(other),
    }
}
