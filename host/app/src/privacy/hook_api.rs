//! The address by which a channel tells of its customers' wishes, over the JSON API.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use portolan_core::ConnectionId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops;
use crate::App;
use crate::web::actor::{PrivacyManage, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::idempotency::NotKept;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(make_privacy_hook))
}

/// An address that is shown once.
#[derive(Serialize, ToSchema)]
pub struct PrivacyHookResponse {
    /// Register it at the channel, for each of its privacy topics. Without a public address of the server it begins with its path.
    pub address: String,
}

/// Make the address by which the channel of a connection tells of its customers' wishes. The one before leads nowhere from now on.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(post, path = "/api/v1/connections/{id}/privacy-hook", tag = "privacy", params(("id" = Uuid, Path)),
    responses((status = 201, body = PrivacyHookResponse), (status = "4XX", body = Problem)))]
pub async fn make_privacy_hook(
    StepUp(actor): StepUp<Require<PrivacyManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<(StatusCode, Extension<NotKept>, Json<PrivacyHookResponse>)> {
    let address = ops::make_hook(&app, actor.tenant, actor.who(), ConnectionId(id)).await?;
    Ok((StatusCode::CREATED, Extension(NotKept), Json(PrivacyHookResponse { address })))
}
