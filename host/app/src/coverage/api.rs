//! Coverage over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_core::{ConnectionId, Duration, Instant};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::queries::{StreamCoverage, coverage_of};
use super::spans::Span;
use super::views::{minutes_since, mode_name};
use crate::App;
use crate::channels::find_connection;
use crate::web::actor::{ConnectionsRead, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

/// What a person looks at first.
pub const RECENT: Duration = Duration::from_days(30);

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(show_coverage))
}

/// What has been fetched of a stream, and how fresh it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamCoverageResponse {
    pub stream: String,
    /// incremental, snapshot or files; absent where the plugin does not deliver it (any more).
    pub mode: Option<String>,
    /// Metric 89: whole minutes since the stream was last complete; absent before that.
    pub freshness_minutes: Option<i64>,
    /// Whole minutes from the newest change that is certainly known until now; absent without windows.
    pub watermark_lag_minutes: Option<i64>,
    /// RFC 3339.
    pub last_success_at: Option<String>,
    /// Everything updated before this has been fetched.
    pub watermark_at: Option<String>,
    /// From this moment on everything is known, up to `complete_until`.
    pub complete_since: Option<String>,
    pub complete_until: Option<String>,
    /// Whether the last 30 days are known.
    pub last_30_days_complete: bool,
    /// Each fetch reaches back so far before the last one: later edits and late arrivals.
    pub lookback_seconds: Option<u64>,
    /// How long the channel may take to show a change.
    pub lag_seconds: Option<u64>,
    /// How far back the channel answers; absent: for ever.
    pub retention_seconds: Option<u64>,
    /// Oldest first, without a hole between them; empty for files and for what is taken whole each time.
    pub spans: Vec<SpanResponse>,
}

/// A span of time, half-open.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpanResponse {
    /// RFC 3339.
    pub from: String,
    pub until: String,
    /// done, running, failed, gap, or unavailable: the channel no longer answers for it.
    pub state: String,
}

impl From<&Span> for SpanResponse {
    fn from(span: &Span) -> Self {
        Self {
            from: span.from.to_rfc3339(),
            until: span.until.to_rfc3339(),
            state: span.state.as_str().to_owned(),
        }
    }
}

impl StreamCoverageResponse {
    fn new(stream: StreamCoverage, now: Instant) -> Self {
        let time = |at: i64| Instant(at).to_rfc3339();
        let known = stream.coverage.as_ref().and_then(|coverage| coverage.newest_complete());
        Self {
            mode: stream.mode.map(|mode| mode_name(mode).to_owned()),
            freshness_minutes: minutes_since(stream.row.last_success_at, now),
            watermark_lag_minutes: minutes_since(stream.row.watermark_at, now),
            last_success_at: stream.row.last_success_at.map(time),
            watermark_at: stream.row.watermark_at.map(time),
            complete_since: known.map(|span| span.from.to_rfc3339()),
            complete_until: known.map(|span| span.until.to_rfc3339()),
            last_30_days_complete: stream
                .coverage
                .as_ref()
                .is_some_and(|coverage| coverage.knows_the_last(RECENT, now)),
            lookback_seconds: stream.lookback_seconds,
            lag_seconds: stream.lag_seconds,
            retention_seconds: stream.retention_seconds,
            spans: stream
                .coverage
                .iter()
                .flat_map(|coverage| &coverage.spans)
                .map(SpanResponse::from)
                .collect(),
            stream: stream.row.name,
        }
    }
}

/// What has been fetched of each stream of a connection, where gaps are, and how fresh it is.
#[utoipa::path(get, path = "/api/v1/connections/{id}/coverage", tag = "connections", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<StreamCoverageResponse>), (status = "4XX", body = Problem)))]
pub async fn show_coverage(
    actor: Require<ConnectionsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<StreamCoverageResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    let connection = find_connection(&tx, ConnectionId(id)).await?;
    let streams = coverage_of(&app, &tx, &connection).await?;
    let now = app.clock.now();
    Ok(Json(streams.into_iter().map(|stream| StreamCoverageResponse::new(stream, now)).collect()))
}
