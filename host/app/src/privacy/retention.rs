//! How long customers of a connection are kept after they were seen last. Whoever was not seen for longer is erased, once a day.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_analytics::Visibility;
use portolan_core::{ConnectionId, Duration, Instant, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::schedule::CatchUp;
use portolan_db::entity::{connection, connection_privacy};
use portolan_jobs::{JobContext, JobError, NewSchedule};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::jobs::KEEP_RETENTION;
use super::kept;
use super::queries::{Standing, standing};
use super::run::erase_unseen;
use super::store::lane;
use crate::App;
use crate::channels::find_connection;
use crate::channels::seen::{check_seen, of_seen_connections};
use crate::subjects;
use crate::web::error::{AppError, AppResult};

const LONGEST_DAYS: i32 = 3_650;
/// At night, in UTC.
const DAILY: &str = "30 3 * * *";
const JITTER: Duration = Duration::from_minutes(60);

/// A connection with how its customers are treated.
#[derive(Debug)]
pub struct Kept {
    pub connection: connection::Model,
    pub said: Option<connection_privacy::Model>,
    pub standing: Standing,
    /// How many would be erased today.
    pub would_erase: Option<usize>,
}

impl Kept {
    pub fn retention_days(&self) -> Option<i32> {
        self.said.as_ref().and_then(|said| said.retention_days)
    }
}

/// The connections that somebody sees. `days`: in place of what is set, to see what it would do.
pub async fn list(app: &App, tx: &TenantTx, seen: &Visibility, days: Option<i32>) -> AppResult<Vec<Kept>> {
    if let Some(days) = days {
        check_days(days)?;
    }
    let seen = of_seen_connections(tx, seen, connection::Column::Id).await?;
    let connections = tx.find::<connection::Entity>().filter(seen).order_by_asc(connection::Column::Label);
    let mut listed = Vec::new();
    for connection in connections.all(tx).await? {
        let id = ConnectionId(connection.id);
        let said = kept::of(tx, id).await?;
        let days = days.or(said.as_ref().and_then(|said| said.retention_days));
        let would_erase = match days {
            Some(days) => Some(would_erase(app, tx, id, days).await?),
            None => None,
        };
        listed.push(Kept { standing: standing(tx, id).await?, said, would_erase, connection });
    }
    Ok(listed)
}

/// How many customers would be erased today if they were kept so long.
pub async fn would_erase(app: &App, tx: &TenantTx, id: ConnectionId, days: i32) -> AppResult<usize> {
    check_days(days)?;
    let before = app.clock.now() - Duration::from_days(i64::from(days));
    Ok(subjects::unseen_since(tx, id.0, before).await?.len())
}

pub fn check_days(days: i32) -> AppResult<()> {
    match (1..=LONGEST_DAYS).contains(&days) {
        true => Ok(()),
        false => Err(AppError::invalid(
            "days",
            format!("Enter 1 to {LONGEST_DAYS} days, or nothing: then all are kept."),
        )),
    }
}

/// Says how long the customers of a connection are kept; without an end where it is nothing.
pub async fn set(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    seen: Visibility,
    id: ConnectionId,
    days: Option<i32>,
) -> AppResult<()> {
    if let Some(days) = days {
        check_days(days)?;
    }
    let in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = in_task;
                check_seen(tx, &seen, id).await?;
                find_connection(tx, id).await?;
                let before = kept::of(tx, id).await?.and_then(|said| said.retention_days);
                kept::change(tx, id, |row| row.retention_days = Set(days)).await?;
                if days.is_some() {
                    schedule(&app, tx).await?;
                }
                let entry = who.did("connection.set_retention", "connection", id);
                let entry = entry.before(json!({ "personal_retention_days": before }));
                audit::write(tx, app.clock.now(), entry.after(json!({ "personal_retention_days": days })));
                Ok(())
            })
        })
        .await
}

/// One schedule for all connections of the tenant.
async fn schedule(app: &App, tx: &TenantTx) -> AppResult<()> {
    let new = NewSchedule {
        id: format!("privacy:{}", tx.tenant()),
        lane: lane(tx.tenant()),
        kind: KEEP_RETENTION.to_owned(),
        payload: json!({}),
        cron: DAILY.to_owned(),
        time_zone: "UTC".to_owned(),
        jitter: JITTER,
        catch_up: CatchUp::Coalesce,
    };
    app.queue.put_schedule(tx, new).await?;
    Ok(())
}

/// Erases whoever was not seen for longer than their connection keeps them.
pub async fn keep(app: &Arc<App>, job: &JobContext) -> Result<(), JobError> {
    let tx = job.read().await?;
    let limited = tx
        .find::<connection_privacy::Entity>()
        .filter(connection_privacy::Column::RetentionDays.is_not_null())
        .all(&tx)
        .await?;
    drop(tx);
    for row in limited {
        let Some(days) = row.retention_days else { continue };
        let (id, now) = (ConnectionId(row.connection_id), app.clock.now());
        let before: Instant = now - Duration::from_days(i64::from(days));
        let persons = erase_unseen(app, job, id, before, "not seen for longer than they are kept").await?;
        if persons == 0 {
            continue;
        }
        tracing::info!(tenant.id = %job.tenant()?, connection.id = %id, persons, "customers were not seen for long and are erased");
    }
    Ok(())
}
