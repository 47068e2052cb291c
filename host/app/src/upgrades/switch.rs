//! The switch of a connection to another build, forward or back: the pointer, what goes with it and the job that
//! reads the stored pages anew, in one transaction. The ledger only grows: what was reported before the switch is
//! what was recorded before it.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_connector::InstalledPlugin;
use portolan_core::id::new_uuid;
use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::replay::ReplayState;
use portolan_db::entity::sync::{self, SyncState};
use portolan_db::entity::{connection_secret, plugin_switch, stream};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::queries::{find_shadow, switches_of};
use crate::App;
use crate::channels::consent::{NewAsks, consent_record};
use crate::channels::{find_connection, hold_connection};
use crate::replays::ops::{ReplayReason, ReplayScope, announce, cancel_open, enqueue_replay};
use crate::syncs::jobs::{STREAM_ACTIVE, STREAM_GONE, schedule_streams, stream_rows};
use crate::web::error::{AppError, AppResult};

/// Switches to the build of a trial that has succeeded. Gives the replay that reads the stored pages anew.
///
/// Errors: the trial has not succeeded or was of another build than the connection is on now; the build asks for
/// more than was agreed to and nobody agreed; a sync is running.
pub async fn switch_build(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    shadow: Uuid,
    consent: bool,
) -> AppResult<Uuid> {
    let app_in_task = Arc::clone(app);
    let replay = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = hold_connection(tx, connection).await?;
                let trial = find_shadow(tx, connection, shadow).await?;
                if trial.state != ReplayState::Succeeded {
                    return Err(AppError::conflict(
                        "The comparison has not succeeded. Let it end, or compare anew, then switch.",
                    ));
                }
                if row.plugin_sha256.as_deref().is_some_and(|on| on != trial.from_sha256) {
                    return Err(AppError::conflict(
                        "The connection has been switched since the two versions were compared. Compare anew.",
                    ));
                }
                let next = installed(&app_in_task, &trial.to_sha256)?;
                let present = app_in_task.runtime.build(&trial.from_sha256);
                let present = present.as_ref().map(|build| build.manifest.as_ref());
                let asks = NewAsks::between(&row.consent, present, &next.manifest);
                if !asks.is_empty() && !consent {
                    return Err(AppError::invalid(
                        "consent",
                        "The new version asks for more than was agreed to. Agree to it, or stay on this version.",
                    ));
                }
                let switch = Switch { who, shadow: Some(shadow), reason: ReplayReason::Upgrade };
                point_to(&app_in_task, tx, row, &next, switch).await
            })
        })
        .await?;
    announce(app, tenant, replay, connection);
    Ok(replay)
}

/// Goes back to the build that the connection was on before its last switch: its consent was given then.
pub async fn roll_back(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
) -> AppResult<Uuid> {
    let app_in_task = Arc::clone(app);
    let replay = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = hold_connection(tx, connection).await?;
                let previous = previous_build(tx, &row).await?;
                let previous = previous.ok_or_else(|| {
                    AppError::conflict(
                        "The connection has not been switched: there is nothing to go back to.",
                    )
                })?;
                let build = installed(&app_in_task, &previous)?;
                let switch = Switch { who, shadow: None, reason: ReplayReason::Rollback };
                point_to(&app_in_task, tx, row, &build, switch).await
            })
        })
        .await?;
    announce(app, tenant, replay, connection);
    Ok(replay)
}

/// The build before the last switch.
pub async fn previous_build(tx: &TenantTx, connection: &connection::Model) -> AppResult<Option<String>> {
    let switches = switches_of(tx, ConnectionId(connection.id), 1).await?;
    Ok(switches.into_iter().next().and_then(|switch| switch.from_sha256))
}

/// What another build asks for that nobody has agreed to.
pub async fn asks_of(app: &App, tx: &TenantTx, connection: ConnectionId, sha256: &str) -> AppResult<NewAsks> {
    let row = find_connection(tx, connection).await?;
    let present = crate::channels::build_of_connection(app, &row);
    let present = present.as_ref().map(|build| build.manifest.as_ref());
    Ok(NewAsks::between(&row.consent, present, &installed(app, sha256)?.manifest))
}

fn installed(app: &App, sha256: &str) -> AppResult<InstalledPlugin> {
    app.runtime.build(sha256).ok_or_else(|| {
        AppError::conflict("This version is not installed (any more). Install the same file again.")
    })
}

/// Who switches, and why.
struct Switch {
    who: Who,
    shadow: Option<Uuid>,
    reason: ReplayReason,
}

async fn point_to(
    app: &Arc<App>,
    tx: &TenantTx,
    row: connection::Model,
    next: &InstalledPlugin,
    switch: Switch,
) -> AppResult<Uuid> {
    let connection = ConnectionId(row.id);
    if row.pseudonyms && !next.manifest.names_subjects() {
        return Err(AppError::conflict(
            "The connection keeps its customers under pseudonyms, and that version doesn't say where it names them: \
             they would be stored as the channel sends them. Choose another version.",
        ));
    }
    refuse_running_sync(tx, connection).await?;
    let now = app.clock.now().0;
    let by = switch.who.user();
    let action = match switch.reason {
        ReplayReason::Rollback => "connection.roll_back",
        ReplayReason::Manual | ReplayReason::Upgrade => "connection.switch_build",
    };
    let entry = switch.who.did(action, "connection", connection);
    let entry = entry.before(json!({ "plugin_sha256": row.plugin_sha256 }));
    audit::write(tx, Instant(now), entry.after(json!({ "plugin_sha256": next.plugin.sha256 })));
    let state = state_on(tx, &row, next).await?;
    tx.update(connection::ActiveModel {
        tenant_id: Set(row.tenant_id),
        id: Set(row.id),
        plugin_sha256: Set(Some(next.plugin.sha256.clone())),
        consent: Set(consent_record(&next.manifest, by, now).to_string()),
        state: Set(state),
        updated_at: Set(now),
        ..Default::default()
    })
    .await?;
    fit_streams(app, tx, connection, next).await?;
    cancel_open(tx, connection, None, now).await?;
    let scope = ReplayScope::default();
    let replay = enqueue_replay(app, tx, connection, scope, switch.reason, by).await?;
    tx.insert(plugin_switch::ActiveModel {
        tenant_id: Set(row.tenant_id),
        id: Set(new_uuid(&*app.clock, &*app.random)),
        connection_id: Set(row.id),
        from_sha256: Set(row.plugin_sha256.clone()),
        to_sha256: Set(next.plugin.sha256.clone()),
        shadow_replay_id: Set(switch.shadow),
        replay_id: Set(replay),
        switched_by: Set(by.map(|user| user.0)),
        switched_at: Set(now),
    })
    .await?;
    tracing::info!(
        tenant.id = %tx.tenant(), connection.id = %connection, reason = switch.reason.as_str(),
        from = row.plugin_sha256, to = next.plugin.sha256, "connection switched to another build of its plugin"
    );
    Ok(replay)
}

/// What a running sync stores now it would read with the old build, behind the replay's back.
async fn refuse_running_sync(tx: &TenantTx, connection: ConnectionId) -> AppResult<()> {
    let running = tx
        .find::<sync::Entity>()
        .filter(sync::Column::ConnectionId.eq(connection.0))
        .filter(sync::Column::State.eq(SyncState::Running))
        .one(tx)
        .await?;
    match running {
        None => Ok(()),
        Some(sync) => Err(AppError::conflict(format!(
            "A sync of this connection is running. Wait for its end, or pause or cancel it at /syncs/{}, then switch.",
            sync.id
        ))),
    }
}

/// Settings that the build does not accept have to be entered before anything is fetched again.
async fn state_on(
    tx: &TenantTx,
    row: &connection::Model,
    next: &InstalledPlugin,
) -> AppResult<ConnectionState> {
    let config: Value = serde_json::from_str(&row.config).map_err(AppError::internal)?;
    let secrets = tx
        .find::<connection_secret::Entity>()
        .filter(connection_secret::Column::ConnectionId.eq(row.id))
        .all(tx)
        .await?;
    let stored: Vec<String> = secrets.into_iter().map(|secret| secret.field).collect();
    match next.manifest.validate_change(&config, &config, &stored) {
        Ok(()) => Ok(row.state),
        Err(_) => Ok(ConnectionState::NeedsAuth),
    }
}

/// Streams that the build adds begin as on a new connection; those that it lacks are kept, and no longer run.
async fn fit_streams(
    app: &Arc<App>,
    tx: &TenantTx,
    connection: ConnectionId,
    next: &InstalledPlugin,
) -> AppResult<()> {
    let rows = stream_rows(&next.manifest, tx.tenant(), connection);
    tx.insert_many_on_conflict_do_nothing(rows).await?;
    let delivered: Vec<&str> = next.manifest.streams.iter().map(|stream| stream.name.as_str()).collect();
    let set = async |state: &str, those: sea_orm::Condition| -> Result<(), DbError> {
        tx.update_many::<stream::Entity>()
            .col_expr(stream::Column::State, Expr::value(state))
            .filter(stream::Column::ConnectionId.eq(connection.0))
            .filter(those)
            .exec(tx)
            .await?;
        Ok(())
    };
    let among = stream::Column::Name.is_in(delivered.iter().copied());
    let not_among = stream::Column::Name.is_not_in(delivered.iter().copied());
    set(STREAM_ACTIVE, sea_orm::Condition::all().add(among)).await?;
    set(STREAM_GONE, sea_orm::Condition::all().add(not_among)).await?;
    schedule_streams(&app.queue, tx, connection).await
}
