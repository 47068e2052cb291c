//! Background work of syncs: the run itself, and the schedules that start runs.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::StatusCode;
use portolan_access::audit::Who;
use portolan_connector::Manifest;
use portolan_connector::manifest::StreamMode;
use portolan_core::{ConnectionId, Duration, SyncId, TenantId};
use portolan_db::entity::schedule::CatchUp;
use portolan_db::entity::stream;
use portolan_db::{DbError, TenantTx};
use portolan_jobs::{JobContext, JobError, JobHandler, Lane, NewSchedule, PutScheduleError, Queue};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ops::{Trigger, start_sync};
use super::run::run_sync;
use crate::App;
use crate::web::error::AppError;

/// Kind of the job that runs a sync.
pub const RUN_SYNC: &str = "sync.run";
/// Kind of the job that folds a tenant's posted events into parts; whoever wires the engine handles it.
pub const FOLD_FACTS: &str = "facts.fold";
/// Kind of the job that starts a sync because a stream's schedule fired.
const START_SCHEDULED_SYNC: &str = "sync.start_scheduled";

/// The state of a stream that the connection's build of its plugin delivers.
pub const STREAM_ACTIVE: &str = "active";
/// The state of a stream that it does not deliver (any more): it is kept for a build that does.
pub const STREAM_GONE: &str = "gone";
/// Where a manifest names no schedule.
const DEFAULT_CRON: &str = "0 */6 * * *";
/// Spreads connections over the hour after their moment.
const JITTER: Duration = Duration::from_minutes(30);

#[derive(Deserialize)]
pub(super) struct RunSyncPayload {
    pub sync_id: SyncId,
}

/// Runs a sync.
pub struct RunSync {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for RunSync {
    fn kind(&self) -> &'static str {
        RUN_SYNC
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        let payload: RunSyncPayload = serde_json::from_value(payload).map_err(JobError::fail)?;
        run_sync(&self.app, context.clone(), payload.sync_id).await
    }
}

#[derive(Serialize, Deserialize)]
struct ScheduledSyncPayload {
    connection_id: ConnectionId,
    stream: String,
}

/// Starts a sync of one stream.
pub struct StartScheduledSync {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for StartScheduledSync {
    fn kind(&self) -> &'static str {
        START_SCHEDULED_SYNC
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        let payload: ScheduledSyncPayload = serde_json::from_value(payload).map_err(JobError::fail)?;
        let trigger = Trigger::Schedule { stream: payload.stream };
        match start_sync(&self.app, context.tenant()?, Who::operator(), payload.connection_id, trigger).await
        {
            Ok(_) => Ok(()),
            // Paused, deleted, or at work already: the next moment of the schedule decides anew.
            Err(AppError { status: StatusCode::CONFLICT | StatusCode::NOT_FOUND, detail, .. }) => {
                tracing::info!(connection.id = %payload.connection_id, detail, "scheduled sync not started");
                Ok(())
            }
            Err(error) => Err(JobError::retry(error.detail)),
        }
    }
}

/// Puts the schedule of every enabled stream of a connection in place.
///
/// Errors: a cron expression that cannot be read, with what is wrong.
pub async fn schedule_streams(
    queue: &Queue,
    tx: &TenantTx,
    connection: ConnectionId,
) -> Result<(), AppError> {
    let streams = streams_in_order(tx, connection).await?;
    for stream in streams {
        let id = schedule_id(connection, &stream.name);
        match stream.cron.filter(|_| stream.enabled && stream.state == STREAM_ACTIVE) {
            Some(cron) => put_schedule(queue, tx, connection, id, stream.name, cron).await?,
            None => {
                queue.remove_schedule(tx, &id).await?;
            }
        }
    }
    Ok(())
}

/// The schedule a stream starts with.
pub fn default_cron(declared: Option<&str>) -> String {
    declared.unwrap_or(DEFAULT_CRON).to_owned()
}

async fn put_schedule(
    queue: &Queue,
    tx: &TenantTx,
    connection: ConnectionId,
    id: String,
    stream: String,
    cron: String,
) -> Result<(), AppError> {
    let schedule = NewSchedule {
        id,
        lane: Lane::tenant(tx.tenant(), "schedules", 1),
        kind: START_SCHEDULED_SYNC.to_owned(),
        payload: json!(ScheduledSyncPayload { connection_id: connection, stream }),
        cron,
        time_zone: "UTC".to_owned(),
        jitter: JITTER,
        catch_up: CatchUp::Coalesce,
    };
    match queue.put_schedule(tx, schedule).await {
        Ok(_) => Ok(()),
        Err(PutScheduleError::Database(error)) => Err(error.into()),
        Err(error) => Err(AppError::invalid("cron", error.to_string())),
    }
}

/// The streams of a manifest as a new connection starts with them.
pub fn stream_rows(
    manifest: &Manifest,
    tenant: TenantId,
    connection: ConnectionId,
) -> Vec<stream::ActiveModel> {
    manifest
        .streams
        .iter()
        .map(|declaration| stream::ActiveModel {
            tenant_id: Set(tenant.0),
            connection_id: Set(connection.0),
            name: Set(declaration.name.clone()),
            enabled: Set(declaration.enabled),
            cron: Set(match declaration.mode {
                StreamMode::Files => None,
                _ => Some(default_cron(declaration.default_schedule.as_deref())),
            }),
            next_run_at: Set(None),
            watermark_at: Set(None),
            last_success_at: Set(None),
            state: Set(STREAM_ACTIVE.to_owned()),
        })
        .collect()
}

/// Ends the schedules of a connection's streams.
pub async fn unschedule_streams(
    queue: &Queue,
    tx: &TenantTx,
    connection: ConnectionId,
) -> Result<(), DbError> {
    let streams = streams_in_order(tx, connection).await?;
    for stream in streams {
        queue.remove_schedule(tx, &schedule_id(connection, &stream.name)).await?;
    }
    Ok(())
}

/// In the order of their schedules' ids: see the order of locks in `host/jobs/src/lane.rs`.
async fn streams_in_order(tx: &TenantTx, connection: ConnectionId) -> Result<Vec<stream::Model>, DbError> {
    let streams = tx.find::<stream::Entity>().filter(stream::Column::ConnectionId.eq(connection.0));
    Ok(streams.order_by_asc(stream::Column::Name).all(tx).await?)
}

fn schedule_id(connection: ConnectionId, stream: &str) -> String {
    format!("stream:{connection}:{stream}")
}
