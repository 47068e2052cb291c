//! Syncs with the names of their connections: for the command line.

use portolan_analytics::Visibility;
use portolan_core::{SyncId, TenantId};
use serde::Serialize;

use super::api::{SyncResponse, progress_of};
use super::ops::find_sync;
use super::orphans::settle_orphans_or_log;
use super::queries::{SyncFilter, connection_labels, list_syncs};
use crate::App;
use crate::people::all_tenants;
use crate::web::error::AppResult;

/// How many syncs of each tenant are shown.
const NEWEST: u64 = 20;

/// A sync and the label of its connection.
#[derive(Debug, Serialize)]
pub struct NamedSync {
    pub connection: String,
    #[serde(flatten)]
    pub sync: SyncResponse,
}

/// The newest syncs of every tenant.
pub async fn newest_of_all(app: &App) -> AppResult<Vec<NamedSync>> {
    let mut newest = Vec::new();
    for tenant in all_tenants(app).await? {
        settle_orphans_or_log(app, TenantId(tenant.id)).await;
        let tx = app.db.read(TenantId(tenant.id)).await?;
        let labels = connection_labels(&tx, &Visibility::everything()).await?;
        for row in list_syncs(&tx, &Visibility::everything(), &SyncFilter::default(), NEWEST)
            .await?
            .into_iter()
            .take(NEWEST as usize)
        {
            let connection = labels.get(&row.connection_id).cloned().unwrap_or_default();
            let progress = progress_of(app, &tx, &row).await?;
            newest.push(NamedSync { connection, sync: SyncResponse::new(row, progress) });
        }
    }
    Ok(newest)
}

/// One sync of a tenant.
pub async fn one(app: &App, tenant: TenantId, id: SyncId) -> AppResult<NamedSync> {
    settle_orphans_or_log(app, tenant).await;
    let tx = app.db.read(tenant).await?;
    let row = find_sync(&tx, id).await?;
    let labels = connection_labels(&tx, &Visibility::everything()).await?;
    let connection = labels.get(&row.connection_id).cloned().unwrap_or_default();
    let progress = progress_of(app, &tx, &row).await?;
    Ok(NamedSync { connection, sync: SyncResponse::new(row, progress) })
}
