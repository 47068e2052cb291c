//! Reads about plugins.

use std::collections::BTreeMap;

use portolan_analytics::Visibility;
use portolan_core::TenantId;
use portolan_db::entity::plugin;
use sea_orm::QueryOrder;

use crate::App;
use crate::connections::queries::list_connections;
use crate::web::error::AppResult;
use crate::web::seen::sees;

/// Every installed build, oldest first.
pub async fn installed_rows(app: &App) -> AppResult<Vec<plugin::Model>> {
    let tx = app.db.system_read().await?;
    Ok(tx.find::<plugin::Entity>().order_by_asc(plugin::Column::InstalledAt).all(&tx).await?)
}

/// How many connections of the tenant that somebody sees go through each plugin.
pub async fn connection_counts(
    app: &App,
    tenant: TenantId,
    seen: &Visibility,
) -> AppResult<BTreeMap<String, usize>> {
    let tx = app.db.read(tenant).await?;
    let mut counts = BTreeMap::new();
    for connection in list_connections(&tx).await?.into_iter().filter(|connection| sees(seen, connection)) {
        *counts.entry(connection.plugin_id).or_default() += 1;
    }
    Ok(counts)
}
