//! Reaching the channel behind a connection: the stored connection as a plugin call needs it.
//!
//! Below connections and syncs, which both make such calls.

pub mod budgets;
pub mod consent;
pub mod context;
pub mod heads;
pub mod seats;
pub mod seen;

use portolan_connector::InstalledPlugin;
use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::connection;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

use crate::App;
use crate::web::error::{AppError, AppResult};

/// The connection with this id.
pub async fn find_connection(tx: &TenantTx, id: ConnectionId) -> AppResult<connection::Model> {
    tx.find_by_id::<connection::Entity>(id.0).await?.ok_or_else(|| AppError::not_found("connection"))
}

/// A connection whose settings and secrets nobody else changes until this transaction ends. SQLite has one
/// writer; PostgreSQL locks the row, but not those that refer to it: syncs go on.
pub async fn hold_connection(tx: &TenantTx, id: ConnectionId) -> AppResult<connection::Model> {
    let row = tx
        .find::<connection::Entity>()
        .filter(connection::Column::Id.eq(id.0))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    row.ok_or_else(|| AppError::not_found("connection"))
}

/// The build of its plugin that a connection is on; none where that build is not installed (any more).
pub fn build_of_connection(app: &App, connection: &connection::Model) -> Option<InstalledPlugin> {
    match &connection.plugin_sha256 {
        Some(sha256) => app.runtime.build(sha256),
        None => app.runtime.find(&connection.plugin_id),
    }
}

/// [`build_of_connection`], for whoever can't go on without it.
pub fn plugin_of(app: &App, connection: &connection::Model) -> AppResult<InstalledPlugin> {
    build_of_connection(app, connection).ok_or_else(|| {
        AppError::conflict(format!(
            "The build of the plugin {} that this connection is on is not installed. Install the same file again.",
            connection.plugin_id
        ))
    })
}

/// The plugin with this id, in its newest installed build.
pub fn find_plugin(app: &App, plugin_id: &str) -> AppResult<InstalledPlugin> {
    app.runtime.find(plugin_id).ok_or_else(|| AppError::not_found("plugin"))
}
