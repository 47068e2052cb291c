//! The background job that folds posted events into parts.

use std::error::Error;
use std::io;

use async_trait::async_trait;
use portolan_app::syncs::jobs::FOLD_FACTS;
use portolan_db::DbError;
use portolan_facts::{FactStore, FactsError};
use portolan_jobs::{JobContext, JobError, JobHandler};
use serde_json::Value;

/// Folds a tenant's ledger and removes parts that nobody reads any more.
pub struct FoldFacts {
    pub facts: FactStore,
}

#[async_trait]
impl JobHandler for FoldFacts {
    fn kind(&self) -> &'static str {
        FOLD_FACTS
    }

    async fn run(&self, context: &JobContext, _payload: Value) -> Result<(), JobError> {
        let tenant = context.tenant()?;
        let report = self.facts.fold(tenant).await.map_err(|error| retry_later(&error))?;
        tracing::info!(tenant.id = %tenant, ?report, "ledger folded");
        self.facts.sweep(tenant).await.map_err(|error| retry_later(&error))?;
        Ok(())
    }
}

/// Nobody waits for a fold, answers are complete without it; so it is the log that has to say why.
fn retry_later(error: &FactsError) -> JobError {
    let advice = if is_full(error) { "the disk is full, free some space; " } else { "" };
    let message = format!("{advice}{}", with_causes(error));
    tracing::warn!("the ledger could not be folded: {message}");
    JobError::retry(message)
}

/// The error itself and what lies below it.
fn causes(error: &FactsError) -> Vec<&(dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

fn is_full(error: &FactsError) -> bool {
    causes(error).into_iter().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::StorageFull)
            || cause.downcast_ref::<DbError>().is_some_and(|cause| matches!(cause, DbError::Full(_)))
    })
}

fn with_causes(error: &FactsError) -> String {
    causes(error).into_iter().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_however_deep_it_lies() {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let error = FactsError::File { path: "parts/a".into(), source };
        let message = retry_later(&error).to_string();
        assert!(
            message.starts_with("the disk is full, free some space; failed to use parts/a: "),
            "{message}"
        );
    }
}
