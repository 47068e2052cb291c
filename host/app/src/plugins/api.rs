//! Plugins over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_connector::InstalledPlugin;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::channels::find_plugin;
use crate::web::actor::{PluginsRead, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(list_plugins)).with(guarded!(show_plugin))
}

/// An installed plugin.
#[derive(Debug, Serialize, ToSchema)]
pub struct PluginResponse {
    pub id: String,
    pub version: String,
    /// SHA-256 of the component, lower-case hex.
    pub sha256: String,
    pub name: String,
    pub publisher: String,
    pub size_bytes: u64,
    /// Everything that the plugin declares.
    pub manifest: Value,
}

impl TryFrom<InstalledPlugin> for PluginResponse {
    type Error = AppError;

    fn try_from(installed: InstalledPlugin) -> Result<Self, Self::Error> {
        Ok(Self {
            manifest: serde_json::to_value(&*installed.manifest).map_err(AppError::internal)?,
            id: installed.plugin.id,
            version: installed.plugin.version,
            sha256: installed.plugin.sha256,
            name: installed.manifest.name.clone(),
            publisher: installed.manifest.publisher.clone(),
            size_bytes: installed.size_bytes,
        })
    }
}

/// List installed plugins.
#[utoipa::path(get, path = "/api/v1/plugins", tag = "plugins",
    responses((status = 200, body = Vec<PluginResponse>), (status = "4XX", body = Problem)))]
pub async fn list_plugins(
    _actor: Require<PluginsRead>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<PluginResponse>>> {
    let plugins = app.runtime.plugins().into_iter().map(PluginResponse::try_from);
    Ok(Json(plugins.collect::<AppResult<_>>()?))
}

/// One installed plugin.
#[utoipa::path(get, path = "/api/v1/plugins/{id}", tag = "plugins", params(("id" = String, Path)),
    responses((status = 200, body = PluginResponse), (status = "4XX", body = Problem)))]
pub async fn show_plugin(
    _actor: Require<PluginsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> AppResult<Json<PluginResponse>> {
    Ok(Json(find_plugin(&app, &id)?.try_into()?))
}
