//! Reaching the channel behind a connection: the stored connection as a plugin call needs it.
//!
//! Below connections and syncs, which both make such calls.

pub mod context;

use portolan_connector::InstalledPlugin;
use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::connection;

use crate::App;
use crate::web::error::{AppError, AppResult};

/// The connection with this id.
pub async fn find_connection(tx: &TenantTx, id: ConnectionId) -> AppResult<connection::Model> {
    tx.find_by_id::<connection::Entity>(id.0).await?.ok_or_else(|| AppError::not_found("connection"))
}

/// The plugin with this id, as it is installed.
pub fn find_plugin(app: &App, plugin_id: &str) -> AppResult<InstalledPlugin> {
    app.runtime.find(plugin_id).ok_or_else(|| AppError::not_found("plugin"))
}
