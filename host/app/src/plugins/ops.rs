//! Installing plugins, and finding them again at the next start.

use std::sync::Arc;

use bytes::Bytes;
use portolan_access::audit::{self, Who};
use portolan_connector::{Fault, InstalledPlugin};
use portolan_core::TenantId;
use portolan_db::entity::{plugin, tenant};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::App;
use crate::web::error::{AppError, AppResult};

/// Checks, compiles and keeps a component. The same component again changes nothing.
pub async fn install_plugin(app: &Arc<App>, component: Bytes) -> AppResult<InstalledPlugin> {
    let installed = app.runtime.install(component.clone()).await.map_err(refused)?;
    keep_component(app, &installed, component).await?;
    let row = plugin::ActiveModel {
        id: Set(installed.plugin.id.clone()),
        version: Set(installed.plugin.version.clone()),
        sha256: Set(installed.plugin.sha256.clone()),
        manifest: Set(serde_json::to_string(&*installed.manifest).map_err(AppError::internal)?),
        size_bytes: Set(installed.size_bytes as i64),
        enabled: Set(true),
        installed_at: Set(app.clock.now().0),
    };
    let now = app.clock.now();
    let told = json!({ "version": installed.plugin.version, "sha256": installed.plugin.sha256 });
    let entry = Who::operator().did("plugin.install", "plugin", &installed.plugin.id).after(told);
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                if tx.insert_many_on_conflict_do_nothing(vec![row]).await? == 0 {
                    return Ok(());
                }
                // It is there for everybody: each company's audit tells it.
                for tenant in tx.find::<tenant::Entity>().all(tx).await? {
                    audit::write_in_house(tx, TenantId(tenant.id), now, entry.clone());
                }
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(installed)
}

fn refused(fault: Fault) -> AppError {
    AppError::invalid("component", format!("{fault}."))
}

/// Written aside and renamed: a crash leaves no half component.
async fn keep_component(app: &App, installed: &InstalledPlugin, component: Bytes) -> AppResult<()> {
    let folder = app.data_dir.join("plugins");
    let path = folder.join(format!("{}.wasm", installed.plugin.sha256));
    let work = move || {
        if path.exists() {
            return Ok(());
        }
        std::fs::create_dir_all(&folder)?;
        let aside = path.with_extension("part");
        std::fs::write(&aside, &component)?;
        std::fs::File::open(&aside)?.sync_all()?;
        std::fs::rename(&aside, &path)
    };
    let kept = tokio::task::spawn_blocking(work).await.map_err(AppError::internal)?;
    kept.map_err(|error: std::io::Error| {
        AppError::unavailable("The component could not be stored. Is the disk full?", error)
    })
}

/// Loads every installed plugin, oldest first, so that the newest version of each stands.
///
/// A component that is gone or damaged is reported and left out: the others go on.
pub async fn load_installed(app: &Arc<App>) -> AppResult<()> {
    let tx = app.db.system_read().await?;
    let rows = tx
        .find::<plugin::Entity>()
        .filter(plugin::Column::Enabled.eq(true))
        .order_by_asc(plugin::Column::InstalledAt)
        .all(&tx)
        .await?;
    drop(tx);
    for row in rows {
        let path = app.data_dir.join("plugins").join(format!("{}.wasm", row.sha256));
        let component = match tokio::fs::read(&path).await {
            Ok(component) => Bytes::from(component),
            Err(error) => {
                tracing::error!(plugin.id = row.id, %error, "an installed plugin is gone: install it again");
                continue;
            }
        };
        if let Err(fault) = app.runtime.install(component).await {
            tracing::error!(plugin.id = row.id, %fault, "an installed plugin no longer loads");
        }
    }
    Ok(())
}
