//! Health and version over the JSON API.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::web::error::{AppError, AppResult, Problem};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(version))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthResponse {
    pub status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct VersionResponse {
    pub version: &'static str,
}

/// The process runs.
#[utoipa::path(get, path = "/api/v1/health/live", tag = "system", responses((status = 200, body = HealthResponse)))]
pub async fn live() -> Json<HealthResponse> {
    Json(HealthResponse { status: "live" })
}

/// The database answers and the server is not stopping.
#[utoipa::path(get, path = "/api/v1/health/ready", tag = "system",
    responses((status = 200, body = HealthResponse), (status = 503, body = Problem)))]
pub async fn ready(State(app): State<Arc<App>>) -> AppResult<Json<HealthResponse>> {
    if app.stopping.is_cancelled() {
        return Err(AppError::unavailable("The server is stopping.", "shutdown"));
    }
    app.db.ping().await?;
    Ok(Json(HealthResponse { status: "ready" }))
}

/// Which Portolan this is.
#[utoipa::path(get, path = "/api/v1/version", tag = "system", responses((status = 200, body = VersionResponse)))]
pub async fn version() -> Json<VersionResponse> {
    Json(VersionResponse { version: env!("CARGO_PKG_VERSION") })
}
