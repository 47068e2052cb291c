//! The daily look at every domain of a company: a record that is gone for three days takes its domain along, and one that
//! came late is found.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_core::Duration;
use portolan_db::TenantTx;
use portolan_db::entity::schedule::CatchUp;
use portolan_jobs::{JobContext, JobError, JobHandler, Lane, NewSchedule};
use serde_json::{Value, json};

use super::ops::{list, look, settle};
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Kind of the job.
const CHECK_DOMAINS: &str = "domains.check";
const DAILY: &str = "23 4 * * *";
/// Spreads tenants over some hours.
const JITTER: Duration = Duration::from_hours(3);

pub struct CheckDomains {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for CheckDomains {
    fn kind(&self) -> &'static str {
        CHECK_DOMAINS
    }

    async fn run(&self, context: &JobContext, _payload: Value) -> Result<(), JobError> {
        let (app, tenant) = (&self.app, context.tenant()?);
        let later = |error: AppError| JobError::retry(error.full_detail());
        for row in list(app, tenant).await.map_err(later)? {
            let seen = look(app, &row).await;
            match settle(app, tenant, row.id, seen, None).await {
                Ok(_) => {}
                // Taken away meanwhile, or another company's: that is said beside it.
                Err(error) if error.status.is_client_error() => {}
                Err(error) => return Err(later(error)),
            }
        }
        Ok(())
    }
}

fn schedule_id(tx: &TenantTx) -> String {
    format!("domains:{}", tx.tenant())
}

/// With a company's first domain; again with others, which changes nothing.
pub async fn put_schedule(app: &App, tx: &TenantTx) -> AppResult<()> {
    let new = NewSchedule {
        id: schedule_id(tx),
        lane: Lane::tenant(tx.tenant(), "domains", 1),
        kind: CHECK_DOMAINS.to_owned(),
        payload: json!({}),
        cron: DAILY.to_owned(),
        time_zone: "UTC".to_owned(),
        jitter: JITTER,
        catch_up: CatchUp::Coalesce,
    };
    app.queue.put_schedule(tx, new).await?;
    Ok(())
}

/// With its last.
pub async fn remove_schedule(app: &App, tx: &TenantTx) -> AppResult<()> {
    app.queue.remove_schedule(tx, &schedule_id(tx)).await?;
    Ok(())
}
