//! The background work of a replay.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_core::TenantId;
use portolan_jobs::{JobContext, JobError, JobHandler, Lane, NewJob};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::run::run_replay;
use crate::App;

/// Kind of the job that runs a replay.
pub const RUN_REPLAY: &str = "replay.run";

#[derive(Serialize, Deserialize)]
struct RunReplayPayload {
    replay_id: Uuid,
}

/// Runs a replay.
pub struct RunReplay {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for RunReplay {
    fn kind(&self) -> &'static str {
        RUN_REPLAY
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        let payload: RunReplayPayload = serde_json::from_value(payload).map_err(JobError::fail)?;
        run_replay(&self.app, context.clone(), payload.replay_id).await
    }
}

/// The lane of what reads stored data of a tenant: one at a time, beside the lanes of syncs.
pub fn lane(tenant: TenantId) -> Lane {
    Lane::tenant(tenant, "replay", 1)
}

/// The job of a replay.
pub(super) fn job_of(tenant: TenantId, replay: Uuid) -> NewJob {
    let payload = json!(RunReplayPayload { replay_id: replay });
    NewJob::new(RUN_REPLAY, lane(tenant), payload).unique(replay.to_string())
}
