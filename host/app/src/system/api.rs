//! Health and version over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::App;
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::json::Json;
use crate::web::route::ApiRoutes;

const HEALTH: &str = "whatever watches over the server has no session";

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with_public(routes!(live), HEALTH)
        .with_public(routes!(ready), HEALTH)
        .with_public(routes!(version), "programs ask which version answers before they sign in")
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
