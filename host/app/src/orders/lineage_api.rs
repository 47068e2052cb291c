//! Where an order's figures come from, over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::lineage::{self, Build, Lineage, PostingOrigin, VersionOrigin};
use super::queries::load_order;
use crate::App;
use crate::web::actor::{OrdersRead, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(show_lineage))
}

/// From each ledger event of an order to the raw record and the build of the plugin that read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineageResponse {
    pub order_id: Uuid,
    /// Oldest first: the events that one stored page had posted at one moment.
    pub postings: Vec<PostingOriginResponse>,
    /// Every version of the order and of its refunds.
    pub versions: Vec<VersionOriginResponse>,
}

/// Events that were posted together, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostingOriginResponse {
    pub posting_version: i64,
    /// RFC 3339.
    pub recorded_at: String,
    pub event_ids: Vec<Uuid>,
    /// The stored page that had them posted; absent for what was posted before this was kept.
    pub chunk_id: Option<Uuid>,
    /// Of the page as the channel sent it.
    pub chunk_sha256: Option<String>,
    pub stream: Option<String>,
    /// RFC 3339.
    pub received_at: Option<String>,
    pub plugin: Option<BuildResponse>,
    /// Versions of the order and of its refunds that the page says.
    pub version_ids: Vec<Uuid>,
}

/// Where one version of a document comes from.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionOriginResponse {
    pub id: Uuid,
    pub entity: String,
    pub key: String,
    /// SHA-256 of the content.
    pub hash: String,
    /// Whether a stored page still says it; one that none says any more counts for nothing.
    pub counts: bool,
    /// The stored page that said it first.
    pub chunk_id: Uuid,
    /// Index of the raw record inside that page.
    pub record_index: i64,
    pub plugin: Option<BuildResponse>,
}

/// A build of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuildResponse {
    pub id: String,
    pub version: String,
    /// SHA-256 of the component, lower-case hex.
    pub sha256: String,
}

impl From<Build> for BuildResponse {
    fn from(build: Build) -> Self {
        Self { id: build.id, version: build.version, sha256: build.sha256 }
    }
}

impl From<VersionOrigin> for VersionOriginResponse {
    fn from(origin: VersionOrigin) -> Self {
        Self {
            id: origin.version,
            entity: origin.entity,
            key: origin.key,
            hash: origin.hash,
            counts: origin.counts,
            chunk_id: origin.chunk,
            record_index: origin.record,
            plugin: origin.plugin.map(BuildResponse::from),
        }
    }
}

impl PostingOriginResponse {
    fn new(posting: PostingOrigin, versions: &[VersionOrigin]) -> Self {
        let source = posting.source;
        let said = source.iter().flat_map(|source| &source.versions);
        Self {
            posting_version: posting.posting_version,
            recorded_at: posting.recorded_at.to_rfc3339(),
            event_ids: posting.events.iter().map(|event| event.id).collect(),
            version_ids: said.map(|index| versions[*index].version).collect(),
            chunk_id: source.as_ref().map(|source| source.chunk),
            chunk_sha256: source.as_ref().map(|source| source.sha256.clone()),
            stream: source.as_ref().map(|source| source.stream.clone()),
            received_at: source.as_ref().map(|source| source.received_at.to_rfc3339()),
            plugin: source.and_then(|source| source.plugin).map(BuildResponse::from),
        }
    }
}

/// Where an order's figures come from.
#[utoipa::path(get, path = "/api/v1/orders/{id}/lineage", tag = "orders", params(("id" = Uuid, Path)),
    responses((status = 200, body = LineageResponse), (status = "4XX", body = Problem)))]
pub async fn show_lineage(
    actor: Require<OrdersRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<LineageResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let record = load_order(&tx, actor.seen(), id).await?;
    let Lineage { versions, postings } = lineage::trace(&tx, &record).await?;
    Ok(Json(LineageResponse {
        order_id: id,
        postings: postings
            .into_iter()
            .map(|posting| PostingOriginResponse::new(posting, &versions))
            .collect(),
        versions: versions.into_iter().map(VersionOriginResponse::from).collect(),
    }))
}
