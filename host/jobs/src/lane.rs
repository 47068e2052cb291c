//! What transactions do to lanes, and the order in which everybody locks.
//!
//! **Schedules, then jobs, then lanes.** A lane's row is wanted by everybody who works in it, so whatever a
//! transaction does to lanes is put off to its very end and done there in the order of their ids
//! ([`SystemTx::before_commit`]): whoever holds a lane waits for nobody but the holder of a later lane, who is about
//! to commit. Claims lock the other way round, lane before job, and the reaper and the schedulers take rows from
//! anywhere; they pass over what is locked (`SKIP LOCKED`), and who does not wait is in nobody's way. So no two
//! transactions of the queue wait for each other, and PostgreSQL has none to end.
//!
//! What this asks of others: one that puts several schedules does so in the order of their ids; a job's transaction
//! enqueues what comes after the job, never what the job waits for.

use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::entity::lane;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, Value};

/// A queue inside the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    pub id: String,
    pub connection: Option<ConnectionId>,
    /// How many of its jobs run at once.
    pub max_running: i32,
}

impl Lane {
    /// The lane of a connection: its jobs never crowd out another connection's.
    pub fn connection(connection: ConnectionId, max_running: i32) -> Self {
        Self { id: format!("connection:{connection}"), connection: Some(connection), max_running }
    }

    /// A lane of a tenant for one purpose ("fold").
    pub fn tenant(tenant: TenantId, purpose: &str, max_running: i32) -> Self {
        Self { id: format!("tenant:{tenant}:{purpose}"), connection: None, max_running }
    }

    /// A lane of the house.
    pub fn house(purpose: &str, max_running: i32) -> Self {
        Self { id: format!("house:{purpose}"), connection: None, max_running }
    }
}

/// A lane as it is known.
pub(crate) async fn stored_lane(tx: &SystemTx, id: &str) -> Result<Option<Lane>, DbError> {
    let found = tx.find::<lane::Entity>().filter(lane::Column::Id.eq(id)).one(tx).await?;
    Ok(found.map(|lane| Lane {
        id: lane.id,
        connection: lane.connection_id.map(ConnectionId),
        max_running: lane.max_running,
    }))
}

/// Makes the lane if it is new, follows its limit, and has it looked at when work is due.
pub(crate) fn open_lane(tx: &SystemTx, tenant: Option<TenantId>, lane: &Lane, next_at: Option<Instant>) {
    let sql = "INSERT INTO lane (id, tenant_id, connection_id, max_running, running, next_at, last_served) \
               VALUES ($1, $2, $3, $4, 0, $5, 0) \
               ON CONFLICT (id) DO UPDATE SET max_running = excluded.max_running, next_at = CASE \
               WHEN excluded.next_at IS NULL THEN lane.next_at \
               WHEN lane.next_at IS NULL OR lane.next_at > excluded.next_at THEN excluded.next_at \
               ELSE lane.next_at END";
    let values = vec![
        lane.id.clone().into(),
        tenant.map(|tenant| tenant.0).into(),
        lane.connection.map(|connection| connection.0).into(),
        lane.max_running.max(1).into(),
        next_at.map(|instant| instant.0).into(),
    ];
    at_the_end(tx, &lane.id, sql, values);
}

/// Gives a running job's place free; the lane is looked at again when the job is ready again.
pub(crate) fn leave_lane(tx: &SystemTx, lane_id: &str, ready_at: Option<Instant>) {
    let leave = "UPDATE lane SET running = CASE WHEN running > 0 THEN running - 1 ELSE 0 END WHERE id = $1";
    at_the_end(tx, lane_id, leave, vec![lane_id.into()]);
    if let Some(ready_at) = ready_at {
        let expect = "UPDATE lane SET next_at = $2 WHERE id = $1 AND (next_at IS NULL OR next_at > $2)";
        at_the_end(tx, lane_id, expect, vec![lane_id.into(), ready_at.0.into()]);
    }
}

/// Lets nothing in the lane begin before this moment.
pub(crate) fn pause_lane(tx: &SystemTx, lane_id: &str, until: i64, reason: Option<String>) {
    let sql = "UPDATE lane SET paused_until = $2, pause_reason = $3 WHERE id = $1";
    at_the_end(tx, lane_id, sql, vec![lane_id.into(), until.into(), reason.into()]);
}

/// Ends the pause of a tenant's lane.
pub(crate) fn unpause_lane(tx: &SystemTx, tenant: TenantId, lane_id: &str) {
    let sql = "UPDATE lane SET paused_until = NULL, pause_reason = NULL WHERE id = $1 AND tenant_id = $2";
    at_the_end(tx, lane_id, sql, vec![lane_id.into(), tenant.0.into()]);
}

fn at_the_end(tx: &SystemTx, lane_id: &str, sql: &'static str, values: Vec<Value>) {
    tx.before_commit(lane_id, move |tx| {
        Box::pin(async move {
            tx.execute_raw(tx.statement(sql, values)).await?;
            Ok(())
        })
    });
}
