//! Background work: doing what was asked, forgetting what was handed out, and erasing who was not seen for long.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_core::Duration;
use portolan_jobs::{JobContext, JobError, JobHandler, RetryPolicy};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{retention, run};
use crate::App;

/// Kind of the job that does what a request asks.
pub const RUN_REQUEST: &str = "privacy.run";
/// Kind of the job that forgets an export.
pub const FORGET_EXPORT: &str = "privacy.forget_export";
/// Kind of the daily job that keeps to how long customers are kept.
pub const KEEP_RETENTION: &str = "privacy.retention";

#[derive(Deserialize)]
struct OfRequest {
    request: Uuid,
}

fn request_in(payload: Value) -> Result<Uuid, JobError> {
    let payload: OfRequest = serde_json::from_value(payload).map_err(JobError::fail)?;
    Ok(payload.request)
}

/// Does what a request asks.
pub struct RunRequest {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for RunRequest {
    fn kind(&self) -> &'static str {
        RUN_REQUEST
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        run::run(&self.app, context, request_in(payload)?).await
    }

    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy { base: Duration::from_secs(30), cap: Duration::from_hours(1) }
    }
}

/// Forgets what was handed out, once its days are over.
pub struct ForgetExport {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for ForgetExport {
    fn kind(&self) -> &'static str {
        FORGET_EXPORT
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        run::forget_export(&self.app, context, request_in(payload)?).await
    }
}

/// Erases customers who were not seen for longer than their connection keeps them.
pub struct KeepRetention {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for KeepRetention {
    fn kind(&self) -> &'static str {
        KEEP_RETENTION
    }

    async fn run(&self, context: &JobContext, _payload: Value) -> Result<(), JobError> {
        retention::keep(&self.app, context).await
    }
}
