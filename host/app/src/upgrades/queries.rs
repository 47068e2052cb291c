//! Reads about builds, trials and switches of a connection.

use portolan_connector::InstalledPlugin;
use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::replay::ReplayState;
use portolan_db::entity::{connection, plugin_switch, shadow_replay};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::App;
use crate::channels::build_of_connection;
use crate::web::error::{AppError, AppResult};

/// The build that a connection is on, and the newest one where that is another.
pub struct Builds {
    pub present: Option<InstalledPlugin>,
    pub newer: Option<InstalledPlugin>,
}

pub fn builds_of(app: &App, connection: &connection::Model) -> Builds {
    let present = build_of_connection(app, connection);
    let newest = app.runtime.find(&connection.plugin_id);
    let other = |newest: &InstalledPlugin| {
        let on = connection
            .plugin_sha256
            .as_deref()
            .or(present.as_ref().map(|build| build.plugin.sha256.as_str()));
        on != Some(newest.plugin.sha256.as_str())
    };
    Builds { newer: newest.filter(other), present }
}

/// The newest trials of a connection.
pub async fn shadows_of(
    tx: &TenantTx,
    connection: ConnectionId,
    limit: u64,
) -> AppResult<Vec<shadow_replay::Model>> {
    Ok(tx
        .find::<shadow_replay::Entity>()
        .filter(shadow_replay::Column::ConnectionId.eq(connection.0))
        .order_by_desc(shadow_replay::Column::Id)
        .limit(limit)
        .all(tx)
        .await?)
}

/// The trial of a connection that waits or runs.
pub async fn open_shadow(tx: &TenantTx, connection: ConnectionId) -> AppResult<Option<shadow_replay::Model>> {
    Ok(tx
        .find::<shadow_replay::Entity>()
        .filter(shadow_replay::Column::ConnectionId.eq(connection.0))
        .filter(shadow_replay::Column::State.is_in([ReplayState::Queued, ReplayState::Running]))
        .one(tx)
        .await?)
}

pub async fn find_shadow(
    tx: &TenantTx,
    connection: ConnectionId,
    id: Uuid,
) -> AppResult<shadow_replay::Model> {
    let found = tx.find_by_id::<shadow_replay::Entity>(id).await?;
    found
        .filter(|shadow| shadow.connection_id == connection.0)
        .ok_or_else(|| AppError::not_found("shadow replay"))
}

/// The newest switches of a connection.
pub async fn switches_of(
    tx: &TenantTx,
    connection: ConnectionId,
    limit: u64,
) -> AppResult<Vec<plugin_switch::Model>> {
    Ok(tx
        .find::<plugin_switch::Entity>()
        .filter(plugin_switch::Column::ConnectionId.eq(connection.0))
        .order_by_desc(plugin_switch::Column::Id)
        .limit(limit)
        .all(tx)
        .await?)
}
