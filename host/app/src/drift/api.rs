//! The drift radar over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_core::ConnectionId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::compare::PathDrift;
use super::queries::{StreamDrift, drift_of};
use crate::App;
use crate::channels::find_connection;
use crate::web::actor::{ConnectionsRead, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(show_schema_drift))
}

/// How the raw records of a stream have changed on the last day on which some came, against the fortnight before.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamDriftResponse {
    pub stream: String,
    /// `YYYY-MM-DD`, UTC.
    pub day: String,
    /// Records looked at on that day: the first of each stored page.
    pub records: u64,
    pub records_before: u64,
    /// How many paths the records have.
    pub paths: usize,
    pub drift: Vec<PathDrift>,
}

impl From<StreamDrift> for StreamDriftResponse {
    fn from(stream: StreamDrift) -> Self {
        Self {
            stream: stream.stream,
            day: stream.day.to_string(),
            records: stream.records,
            records_before: stream.records_before,
            paths: stream.paths,
            drift: stream.drift,
        }
    }
}

/// Which fields of a channel's answers are new, gone or of another type. Types alone are kept, never a value.
#[utoipa::path(get, path = "/api/v1/connections/{id}/schema-drift", tag = "connections", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<StreamDriftResponse>), (status = "4XX", body = Problem)))]
pub async fn show_schema_drift(
    actor: Require<ConnectionsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<StreamDriftResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    find_connection(&tx, ConnectionId(id)).await?;
    let streams = drift_of(&tx, ConnectionId(id)).await?;
    Ok(Json(streams.into_iter().map(StreamDriftResponse::from).collect()))
}
