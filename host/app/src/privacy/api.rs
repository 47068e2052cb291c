//! Requests over the JSON API. Whoever asks, takes or erases is a person who has just shown who they are; a key looks on.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::Response;
use portolan_core::{ConnectionId, Instant};
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, Ask};
use super::{download, queries};
use crate::App;
use crate::channels::seen::check_seen;
use crate::web::actor::{PrivacyManage, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::page::{ListedPage, Page, Paging};
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_privacy_requests))
        .with(guarded!(create_privacy_request))
        .with(guarded!(show_privacy_request))
        .with(guarded!(cancel_privacy_request))
        .with(guarded!(retry_privacy_request))
        .with(guarded!(download_privacy_export))
}

/// A request. It names no customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrivacyRequestResponse {
    pub id: Uuid,
    /// `export`, `erase`, or `erase_shop`: all customers of a connection.
    pub kind: &'static str,
    /// `received`, `running`, `done`, `failed` or `cancelled`.
    pub state: &'static str,
    /// `page`, `api`, `shop` where the channel asked, or `operator`.
    pub source: &'static str,
    pub connection_id: Uuid,
    pub asked_by: Option<Uuid>,
    /// RFC 3339.
    pub received_at: String,
    /// Until then it can be taken back, where nobody asked for it at once.
    pub starts_at: String,
    pub due_at: String,
    pub done_at: Option<String>,
    /// Counts: `{"persons": 1}`.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    pub last_error: Option<String>,
    /// Until when what was gathered can be taken from `/export`.
    pub export_until: Option<String>,
}

impl From<privacy_request::Model> for PrivacyRequestResponse {
    fn from(row: privacy_request::Model) -> Self {
        let moment = |at: i64| Instant(at).to_rfc3339();
        Self {
            id: row.id,
            kind: row.kind.as_str(),
            state: row.state.as_str(),
            source: row.source.as_str(),
            connection_id: row.connection_id,
            asked_by: row.asked_by,
            received_at: moment(row.received_at),
            starts_at: moment(row.starts_at),
            due_at: moment(row.due_at),
            done_at: row.done_at.map(moment),
            result: row.result.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            last_error: row.last_error,
            export_until: row.export_until.map(moment),
        }
    }
}

/// What can be asked of a customer.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyAskKind {
    Export,
    Erase,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePrivacyRequest {
    kind: PrivacyAskKind,
    connection_id: Uuid,
    /// The customer's id at the channel, as it shows it to people.
    customer_id: String,
    /// Erase without the hour in which it can be taken back.
    #[serde(default)]
    at_once: bool,
}

/// All requests, newest first.
#[utoipa::path(get, path = "/api/v1/privacy/requests", tag = "privacy", params(Paging),
    responses((status = 200, body = Page<PrivacyRequestResponse>), (status = "4XX", body = Problem)))]
pub async fn list_privacy_requests(
    actor: Require<PrivacyManage>,
    State(app): State<Arc<App>>,
    paging: Paging,
) -> AppResult<ListedPage<PrivacyRequestResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let found = queries::list_requests(&tx, actor.seen(), paging.beside, paging.limit).await?;
    Ok(paging.page(&app, found, |row| row.id).map(PrivacyRequestResponse::from))
}

/// Ask for what is stored of a customer, or to erase them: after an hour in which that can be taken back, or at once. The same
/// asked again while it is open is the same request.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(post, path = "/api/v1/privacy/requests", tag = "privacy", request_body = CreatePrivacyRequest,
    responses((status = 202, body = PrivacyRequestResponse), (status = "4XX", body = Problem)))]
pub async fn create_privacy_request(
    StepUp(actor): StepUp<Require<PrivacyManage>>,
    State(app): State<Arc<App>>,
    body: Result<Json<CreatePrivacyRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<PrivacyRequestResponse>)> {
    let Json(request) = body?;
    let connection = ConnectionId(request.connection_id);
    check_seen(&app.db.read(actor.tenant).await?, actor.seen(), connection).await?;
    let ask = Ask {
        kind: match request.kind {
            PrivacyAskKind::Export => PrivacyKind::Export,
            PrivacyAskKind::Erase => PrivacyKind::Erase,
        },
        source: PrivacySource::Api,
        connection,
        customer_id: request.customer_id,
        at_once: request.at_once,
    };
    let row = ops::ask(&app, actor.tenant, actor.who(), ask).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// One request.
#[utoipa::path(get, path = "/api/v1/privacy/requests/{id}", tag = "privacy", params(("id" = Uuid, Path)),
    responses((status = 200, body = PrivacyRequestResponse), (status = "4XX", body = Problem)))]
pub async fn show_privacy_request(
    actor: Require<PrivacyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<PrivacyRequestResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    Ok(Json(ops::find_request(&tx, actor.seen(), id).await?.into()))
}

/// Take a request back that was not begun. What a channel asked for cannot be taken back.
#[utoipa::path(delete, path = "/api/v1/privacy/requests/{id}", tag = "privacy", params(("id" = Uuid, Path)),
    responses((status = 200, body = PrivacyRequestResponse), (status = "4XX", body = Problem)))]
pub async fn cancel_privacy_request(
    actor: Require<PrivacyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<PrivacyRequestResponse>> {
    let seen = actor.seen().clone();
    Ok(Json(ops::cancel(&app, actor.tenant, actor.who(), seen, id).await?.into()))
}

/// Begin a request again that failed.
#[utoipa::path(post, path = "/api/v1/privacy/requests/{id}/retry", tag = "privacy", params(("id" = Uuid, Path)),
    responses((status = 202, body = PrivacyRequestResponse), (status = "4XX", body = Problem)))]
pub async fn retry_privacy_request(
    actor: Require<PrivacyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<(StatusCode, Json<PrivacyRequestResponse>)> {
    let seen = actor.seen().clone();
    let row = ops::retry(&app, actor.tenant, actor.who(), seen, id).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// What is stored of a customer, for seven days.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(get, path = "/api/v1/privacy/requests/{id}/export", tag = "privacy", params(("id" = Uuid, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = Problem)))]
pub async fn download_privacy_export(
    StepUp(actor): StepUp<Require<PrivacyManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Response> {
    download::file(&app, &actor, id).await
}
