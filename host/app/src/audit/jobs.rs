//! The hourly signature of a tenant's head.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_access::audit::{AnchorError, anchor_head};
use portolan_core::{Duration, TenantId};
use portolan_db::entity::schedule::{self, CatchUp};
use portolan_jobs::{JobContext, JobError, JobHandler, Lane, NewSchedule};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

use super::ops::{append_anchor, read_anchors};
use crate::App;
use crate::people::all_tenants;
use crate::web::error::AppResult;

/// Kind of the job that signs a head.
const ANCHOR_AUDIT: &str = "audit.anchor";
const HOURLY: &str = "0 * * * *";
/// Spreads tenants over the beginning of the hour.
const JITTER: Duration = Duration::from_minutes(10);

/// Signs a tenant's head, and keeps that in the database and in the operator's file.
pub struct AnchorAudit {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for AnchorAudit {
    fn kind(&self) -> &'static str {
        ANCHOR_AUDIT
    }

    async fn run(&self, context: &JobContext, _payload: Value) -> Result<(), JobError> {
        anchor(&self.app, context.tenant()?).await
    }
}

async fn anchor(app: &App, tenant: TenantId) -> Result<(), JobError> {
    let signed = anchor_head(&app.db, &app.key_ring, tenant, &app.clock, &app.random).await;
    let anchor = match signed {
        Ok(Some(anchor)) => anchor,
        Ok(None) => return Ok(()),
        Err(error @ AnchorError::Broken(_)) => {
            tracing::error!(tenant.id = %tenant, %error, "look at /admin/audit/verification");
            return Err(JobError::fail(error));
        }
        Err(error) => return Err(JobError::retry(error)),
    };
    let Some(file) = &app.audit_anchors else { return Ok(()) };
    let kept = read_anchors(file.clone()).await.map_err(|error| JobError::retry(error.full_detail()))?;
    // It was signed and not written down: the server stopped in between, or had no file then.
    if kept.iter().any(|kept| kept.tenant == tenant && kept.seq == anchor.seq && kept.hash == anchor.hash) {
        return Ok(());
    }
    append_anchor(file.clone(), &anchor).await.map_err(|error| {
        tracing::error!(file = %file.display(), %error, "an audit anchor could not be written down");
        JobError::retry(error)
    })
}

/// Puts the schedule of every tenant in place that has none yet: at the start, and now and then for new tenants.
pub async fn schedule_anchors(app: &App) -> AppResult<()> {
    for tenant in all_tenants(app).await? {
        let (tenant, id) = (TenantId(tenant.id), format!("audit:{}", tenant.id));
        let tx = app.db.read(tenant).await?;
        let known = tx.find::<schedule::Entity>().filter(schedule::Column::Id.eq(&id)).one(&tx).await?;
        drop(tx);
        if known.is_some() {
            continue;
        }
        let queue = app.queue.clone();
        app.db
            .write(tenant, move |tx| {
                Box::pin(async move {
                    let new = NewSchedule {
                        id,
                        lane: Lane::tenant(tenant, "audit", 1),
                        kind: ANCHOR_AUDIT.to_owned(),
                        payload: json!({}),
                        cron: HOURLY.to_owned(),
                        time_zone: "UTC".to_owned(),
                        jitter: JITTER,
                        catch_up: CatchUp::Coalesce,
                    };
                    queue.put_schedule(tx, new).await?;
                    AppResult::Ok(())
                })
            })
            .await?;
    }
    Ok(())
}
