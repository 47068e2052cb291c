//! Domains over the JSON API: of the company that a session or a key works for.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_core::Instant;
use portolan_db::entity::tenant_domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops;
use crate::App;
use crate::company::check_own;
use crate::web::actor::{CompanyManage, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_domains))
        .with(guarded!(add_domain))
        .with(guarded!(verify_domain))
        .with(guarded!(remove_domain))
}

/// A domain that the company says is its own.
#[derive(Debug, Serialize, ToSchema)]
pub struct DomainResponse {
    pub id: Uuid,
    /// Small ASCII letters, punycode.
    pub domain: String,
    /// `pending`, `verified`, `failed` or `lapsed`.
    pub state: String,
    /// The TXT record that shows it: its name, and what it has to say.
    pub record_name: String,
    pub record_text: String,
    /// RFC 3339.
    pub checked_at: Option<String>,
    pub verified_at: Option<String>,
    /// Since when the record of a verified domain is not seen; three days later it lapses.
    pub failing_since: Option<String>,
    /// Why the last look was in vain.
    pub error: Option<String>,
}

impl From<tenant_domain::Model> for DomainResponse {
    fn from(row: tenant_domain::Model) -> Self {
        let when = |at: Option<i64>| at.map(|at| Instant(at).to_rfc3339());
        Self {
            record_name: ops::record_name(&row.domain),
            record_text: ops::record_text(&row),
            checked_at: when(row.checked_at),
            verified_at: when(row.verified_at),
            failing_since: when(row.failing_since),
            id: row.id,
            domain: row.domain,
            state: row.state,
            error: row.error,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddDomainRequest {
    /// Such as `figures.example.com`; may be written in any letters.
    domain: String,
}

/// List the company's domains, by name.
#[utoipa::path(get, path = "/api/v1/tenants/{id}/domains", tag = "tenants", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<DomainResponse>), (status = "4XX", body = Problem)))]
pub async fn list_domains(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<DomainResponse>>> {
    check_own(&actor, id)?;
    let rows = ops::list(&app, actor.tenant).await?;
    Ok(Json(rows.into_iter().map(DomainResponse::from).collect()))
}

/// Say that a domain is the company's own. The answer names the TXT record that shows it.
#[utoipa::path(post, path = "/api/v1/tenants/{id}/domains", tag = "tenants", params(("id" = Uuid, Path)),
    request_body = AddDomainRequest,
    responses((status = 201, body = DomainResponse), (status = "4XX", body = Problem)))]
pub async fn add_domain(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<AddDomainRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<DomainResponse>)> {
    check_own(&actor, id)?;
    let Json(request) = request?;
    let row = ops::add(&app, actor.tenant, actor.who(), &request.domain).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Look for a domain's record now. It is looked for each day as well.
#[utoipa::path(post, path = "/api/v1/tenants/{id}/domains/{domain_id}/verify", tag = "tenants",
    params(("id" = Uuid, Path), ("domain_id" = Uuid, Path)),
    responses((status = 200, body = DomainResponse), (status = "4XX", body = Problem)))]
pub async fn verify_domain(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path((id, domain_id)): Path<(Uuid, Uuid)>,
) -> AppResult<Json<DomainResponse>> {
    check_own(&actor, id)?;
    Ok(Json(ops::verify(&app, actor.tenant, actor.who(), domain_id).await?.into()))
}

/// Take a domain away.
#[utoipa::path(delete, path = "/api/v1/tenants/{id}/domains/{domain_id}", tag = "tenants",
    params(("id" = Uuid, Path), ("domain_id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn remove_domain(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path((id, domain_id)): Path<(Uuid, Uuid)>,
) -> AppResult<StatusCode> {
    check_own(&actor, id)?;
    ops::remove(&app, actor.tenant, actor.who(), domain_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
