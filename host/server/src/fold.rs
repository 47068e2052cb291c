//! The background job that folds posted events into parts.

use async_trait::async_trait;
use portolan_app::syncs::jobs::FOLD_FACTS;
use portolan_facts::FactStore;
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
        let report = self.facts.fold(tenant).await.map_err(JobError::retry)?;
        tracing::info!(tenant.id = %tenant, ?report, "ledger folded");
        self.facts.sweep(tenant).await.map_err(JobError::retry)?;
        Ok(())
    }
}
