//! What complete passes no longer show, over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_core::{ConnectionId, Instant};
use portolan_db::entity::held_delete;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::vanish;
use crate::App;
use crate::channels::find_connection;
use crate::web::actor::{Require, SyncsRead, SyncsRun};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(list_held_deletes)).with(guarded!(confirm_deletes))
}

/// Documents that a complete pass no longer showed, too many to believe it unasked.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldDeleteResponse {
    pub stream: String,
    /// The pass.
    pub sync_id: Uuid,
    pub vanished: i64,
    /// Of so many documents.
    pub total: i64,
    /// RFC 3339.
    pub created_at: String,
}

impl From<held_delete::Model> for HeldDeleteResponse {
    fn from(row: held_delete::Model) -> Self {
        Self {
            stream: row.stream,
            sync_id: row.sync_id,
            vanished: row.vanished,
            total: row.total,
            created_at: Instant(row.created_at).to_rfc3339(),
        }
    }
}

/// How many documents count as gone now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmedResponse {
    pub documents: u64,
}

/// What waits for a person's word, by stream.
#[utoipa::path(get, path = "/api/v1/connections/{id}/held-deletes", tag = "syncs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<HeldDeleteResponse>), (status = "4XX", body = Problem)))]
pub async fn list_held_deletes(
    actor: Require<SyncsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<HeldDeleteResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    find_connection(&tx, ConnectionId(id)).await?;
    let held = vanish::held(&tx, ConnectionId(id)).await?;
    Ok(Json(held.into_iter().map(HeldDeleteResponse::from).collect()))
}

/// Believe that what a complete pass did not show is gone at the channel.
#[utoipa::path(post, path = "/api/v1/connections/{id}/streams/{stream}/confirm-deletes", tag = "syncs",
    params(("id" = Uuid, Path), ("stream" = String, Path)),
    responses((status = 200, body = ConfirmedResponse), (status = "4XX", body = Problem)))]
pub async fn confirm_deletes(
    actor: Require<SyncsRun>,
    State(app): State<Arc<App>>,
    Path((id, stream)): Path<(Uuid, String)>,
) -> AppResult<Json<ConfirmedResponse>> {
    let documents = vanish::confirm(&app, actor.tenant, actor.who(), ConnectionId(id), stream).await?;
    Ok(Json(ConfirmedResponse { documents }))
}
