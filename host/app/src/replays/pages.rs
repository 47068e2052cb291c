//! What a connection's page does with its stored data.

use std::sync::Arc;

use axum::extract::State;
use portolan_core::ConnectionId;
use serde::Deserialize;
use uuid::Uuid;

use super::ops::{self, ReplayScope};
use crate::App;
use crate::web::actor::{PageActor, SyncsRun};
use crate::web::error::PageResult;
use crate::web::extract::{Path, Query};
use crate::web::viewer::redirect_after;

/// Which part of the stored data a button means; all of it where nothing is named.
#[derive(Debug, Default, Deserialize)]
pub struct ScopeQuery {
    stream: Option<String>,
    chunk: Option<Uuid>,
}

pub async fn start_replay(
    PageActor(actor): PageActor<SyncsRun>,
    State(app): State<Arc<App>>,
    Path(id): Path<ConnectionId>,
    Query(scope): Query<ScopeQuery>,
) -> PageResult {
    let scope = ReplayScope { stream: scope.stream, chunk: scope.chunk };
    ops::start_replay(&app, actor.tenant, actor.who(), id, scope).await?;
    Ok(redirect_after(&format!("/connections/{id}"), "replay-started"))
}

pub async fn cancel_replay(
    PageActor(actor): PageActor<SyncsRun>,
    State(app): State<Arc<App>>,
    Path((id, replay)): Path<(ConnectionId, Uuid)>,
) -> PageResult {
    ops::cancel_replay(&app, actor.tenant, actor.who(), id, replay).await?;
    Ok(redirect_after(&format!("/connections/{id}"), "replay-cancelled"))
}
