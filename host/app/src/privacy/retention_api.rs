//! How long customers are kept, over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_core::ConnectionId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::retention::{self, Kept};
use crate::App;
use crate::web::actor::{PrivacyManage, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Query;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(show_retention)).with(guarded!(change_retention))
}

/// What is kept of the customers of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionResponse {
    pub connection_id: Uuid,
    pub label: String,
    /// Customers who were not seen for so long are erased; null: they are kept.
    pub days: Option<i32>,
    /// Whether customers are stored under pseudonyms; where not, the connection is of before, and knows nobody to erase.
    pub pseudonyms: bool,
    pub persons: u64,
    pub erased: u64,
    /// RFC 3339: when the one who is known longest was seen for the first time.
    pub oldest_seen_at: Option<String>,
    /// How many would be erased today, by these days or by those of the query.
    pub would_erase: Option<usize>,
}

impl From<Kept> for RetentionResponse {
    fn from(kept: Kept) -> Self {
        Self {
            connection_id: kept.connection.id,
            days: kept.retention_days(),
            pseudonyms: kept.connection.pseudonyms,
            persons: kept.standing.persons,
            erased: kept.standing.erased,
            oldest_seen_at: kept.standing.oldest.map(|at| at.to_rfc3339()),
            would_erase: kept.would_erase,
            label: kept.connection.label,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct RetentionQuery {
    /// Tell how many would be erased if customers were kept so many days.
    days: Option<i32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRetentionRequest {
    connection_id: Uuid,
    /// 1 to 3650; null: customers are kept.
    days: Option<i32>,
}

/// How long the customers of each connection are kept, and how many there are.
#[utoipa::path(get, path = "/api/v1/privacy/retention", tag = "privacy", params(RetentionQuery),
    responses((status = 200, body = Vec<RetentionResponse>), (status = "4XX", body = Problem)))]
pub async fn show_retention(
    actor: Require<PrivacyManage>,
    State(app): State<Arc<App>>,
    Query(query): Query<RetentionQuery>,
) -> AppResult<Json<Vec<RetentionResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    let listed = retention::list(&app, &tx, actor.seen(), query.days).await?;
    Ok(Json(listed.into_iter().map(RetentionResponse::from).collect()))
}

/// Say how long the customers of a connection are kept after they were seen last. Once a day whoever was not seen for longer
/// is erased, which nobody undoes.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(put, path = "/api/v1/privacy/retention", tag = "privacy", request_body = ChangeRetentionRequest,
    responses((status = 204, description = "Saved"), (status = "4XX", body = Problem)))]
pub async fn change_retention(
    StepUp(actor): StepUp<Require<PrivacyManage>>,
    State(app): State<Arc<App>>,
    body: Result<Json<ChangeRetentionRequest>, JsonRejection>,
) -> AppResult<StatusCode> {
    let Json(request) = body?;
    let (seen, id) = (actor.seen().clone(), ConnectionId(request.connection_id));
    retention::set(&app, actor.tenant, actor.who(), seen, id, request.days).await?;
    Ok(StatusCode::NO_CONTENT)
}
