//! The background work of a trial.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_core::TenantId;
use portolan_jobs::{JobContext, JobError, JobHandler, NewJob};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::run::run_shadow;
use crate::App;
use crate::replays::jobs::lane;

/// Kind of the job that tries another build.
pub const RUN_SHADOW: &str = "replay.shadow";

#[derive(Serialize, Deserialize)]
struct RunShadowPayload {
    shadow_replay_id: Uuid,
}

/// Tries another build.
pub struct RunShadow {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for RunShadow {
    fn kind(&self) -> &'static str {
        RUN_SHADOW
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        let payload: RunShadowPayload = serde_json::from_value(payload).map_err(JobError::fail)?;
        run_shadow(&self.app, context.clone(), payload.shadow_replay_id).await
    }
}

/// The job of a trial: before replays, because a person waits for it.
pub(super) fn job_of(tenant: TenantId, shadow: Uuid) -> NewJob {
    let payload = json!(RunShadowPayload { shadow_replay_id: shadow });
    let job = NewJob::new(RUN_SHADOW, lane(tenant), payload).unique(shadow.to_string());
    NewJob { priority: 50, ..job }
}
