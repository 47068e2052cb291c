//! The audit over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_access::audit::Verification;
use portolan_core::Instant;
use portolan_db::entity::audit_event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::ops;
use super::queries::{self, EventFilter, place_of};
use crate::App;
use crate::web::actor::{AuditRead, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::{Path, Query};
use crate::web::json::Json;
use crate::web::page::{ListedPage, Page, Paging};
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_audit_events))
        .with(guarded!(show_audit_event))
        .with(guarded!(verify_audit))
}

/// That somebody did something.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEventResponse {
    /// 1, 2, 3, … without a gap.
    pub seq: i64,
    /// RFC 3339.
    pub at: String,
    /// person, api_key, other_company (an agency, or a client), operator, channel (by the address of a connection) or server.
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    /// `object.verb`.
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// Empty on the command line.
    pub address: String,
    /// The log has the same.
    pub request_id: String,
    /// SHA-256 in hex, as `hash`.
    pub previous_hash: String,
    pub hash: String,
}

impl From<audit_event::Model> for AuditEventResponse {
    fn from(row: audit_event::Model) -> Self {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Self {
            seq: row.seq,
            at: Instant(row.at).to_rfc3339(),
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            session_id: row.session_id,
            action: row.action,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            before: json(row.before),
            after: json(row.after),
            address: row.address,
            request_id: row.request_id,
            previous_hash: row.previous_hash,
            hash: row.hash,
        }
    }
}

/// What a look at the whole chain found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditVerificationResponse {
    /// Whether all of it is as it was written.
    pub holds: bool,
    /// Events that are, from the first on.
    pub events: i64,
    /// Signed heads that were met.
    pub anchors: u64,
    /// Up to here a signature holds the events.
    pub anchored_seq: Option<i64>,
    /// Keys that sign for this company: Ed25519, in hex.
    pub public_keys: Vec<String>,
    pub broken: Option<BrokenResponse>,
}

/// The first place that does not hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct BrokenResponse {
    pub seq: i64,
    pub detail: String,
}

impl From<Verification> for AuditVerificationResponse {
    fn from(found: Verification) -> Self {
        Self {
            holds: found.broken.is_none(),
            events: found.events,
            anchors: found.anchors,
            anchored_seq: found.anchored_seq,
            public_keys: found.public_keys,
            broken: found.broken.map(|broken| BrokenResponse { seq: broken.seq, detail: broken.to_string() }),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct AuditListQuery {
    /// A person or a key.
    actor_id: Option<Uuid>,
    /// `sync.start`, or `sync` for everything that is done to syncs.
    action: Option<String>,
    /// The id of what it was done to.
    subject_id: Option<String>,
    /// RFC 3339.
    from: Option<String>,
    /// Before this moment, RFC 3339.
    until: Option<String>,
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/v1/audit/events", tag = "audit", params(AuditListQuery, Paging),
    responses((status = 200, body = Page<AuditEventResponse>), (status = "4XX", body = Problem)))]
pub async fn list_audit_events(
    actor: Require<AuditRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<AuditListQuery>,
    paging: Paging,
) -> AppResult<ListedPage<AuditEventResponse>> {
    let filter = EventFilter {
        actor: query.actor_id,
        operator: false,
        action: query.action,
        subject: query.subject_id,
        from: moment("from", query.from.as_deref())?,
        until: moment("until", query.until.as_deref())?,
        beside: paging.beside,
    };
    let tx = app.db.read(actor.tenant).await?;
    let events = queries::list_events(&tx, &filter, paging.limit).await?;
    let events = events.into_iter().map(|event| (place_of(&event), event.into()));
    let events: Vec<(Uuid, AuditEventResponse)> = events.collect();
    Ok(paging.page(&app, events, |(place, _)| *place).map(|(_, event)| event))
}

/// One event.
#[utoipa::path(get, path = "/api/v1/audit/events/{seq}", tag = "audit", params(("seq" = i64, Path)),
    responses((status = 200, body = AuditEventResponse), (status = "4XX", body = Problem)))]
pub async fn show_audit_event(
    actor: Require<AuditRead>,
    State(app): State<Arc<App>>,
    Path(seq): Path<i64>,
) -> AppResult<Json<AuditEventResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    Ok(Json(queries::find_event(&tx, seq).await?.into()))
}

/// Whether the audit is as it was written: every number, every hash, every signed head.
#[utoipa::path(get, path = "/api/v1/audit/verification", tag = "audit",
    responses((status = 200, body = AuditVerificationResponse), (status = "4XX", body = Problem)))]
pub async fn verify_audit(
    actor: Require<AuditRead>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<AuditVerificationResponse>> {
    Ok(Json(ops::verify(&app, actor.tenant, app.audit_anchors.as_deref()).await?.into()))
}

fn moment(name: &str, text: Option<&str>) -> AppResult<Option<Instant>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = Instant::parse_rfc3339(text);
    let read = read.ok_or_else(|| AppError::invalid(name, "Write a moment such as 2026-03-01T12:00:00Z."));
    read.map(Some)
}
