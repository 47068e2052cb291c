//! Companies and clients over the JSON API: for people in their sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_access::{ClientCompany, Permission, ReleasedBy, SystemRole, UnknownRole, clients_of};
use portolan_core::{TenantId, UserId};
use portolan_db::entity::tenant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, OwnTenant, TypedClient};
use super::reach;
use crate::App;
use crate::company::{TypedCompany, change_company};
use crate::web::actor::{ClientsManage, CompanyManage, Oneself, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_tenants))
        .with(guarded!(create_client))
        .with(guarded!(list_clients))
        .with(guarded!(show_tenant))
        .with(guarded!(change_tenant))
        .with(guarded!(release_client))
}

/// A company that one belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantResponse {
    pub id: Uuid,
    /// Short, in addresses and commands.
    pub slug: String,
    pub name: String,
    /// ISO 4217.
    pub reporting_currency: String,
    pub time_zone: String,
    /// 1 is Monday.
    pub week_start: i32,
    /// Whether this session works for it.
    pub current: bool,
    /// What one holds there, by oneself and by teams.
    pub roles: BTreeSet<String>,
    /// The name of the agency that looks after it.
    pub agency: Option<String>,
}

impl TenantResponse {
    fn new(own: OwnTenant, current: TenantId) -> Self {
        let OwnTenant { tenant, roles, agency } = own;
        Self {
            current: tenant.id == current.0,
            id: tenant.id,
            slug: tenant.slug,
            name: tenant.name,
            reporting_currency: tenant.reporting_currency,
            time_zone: tenant.time_zone,
            week_start: tenant.week_start,
            roles,
            agency,
        }
    }
}

/// All that an agency sees of a client without belonging to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientResponse {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    /// `open` where somebody may come in, `empty` where nobody may.
    pub state: &'static str,
    /// How many may come in.
    pub people: usize,
    /// RFC 3339.
    pub founded_at: String,
}

impl From<ClientCompany> for ClientResponse {
    fn from(client: ClientCompany) -> Self {
        Self {
            id: client.tenant.0,
            slug: client.slug,
            name: client.name,
            state: if client.people == 0 { "empty" } else { "open" },
            people: client.people,
            founded_at: client.founded_at.to_rfc3339(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateClientRequest {
    name: String,
    /// Small letters, digits and hyphens; of this server alone.
    slug: String,
    /// ISO 4217.
    reporting_currency: String,
    /// Of the time zone database.
    time_zone: String,
    /// Who begins in it, each with a system role: people of the agency, an owner among them. Oneself as owner, where absent.
    people: Option<BTreeMap<Uuid, String>>,
}

/// What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTenantRequest {
    name: Option<String>,
    reporting_currency: Option<String>,
    time_zone: Option<String>,
    /// 1 is Monday.
    week_start: Option<i32>,
}

/// List one's companies, by name.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "tenants",
    responses((status = 200, body = Vec<TenantResponse>), (status = "4XX", body = Problem)))]
pub async fn list_tenants(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<TenantResponse>>> {
    let own = ops::own_tenants(&app, &actor).await?.into_iter();
    Ok(Json(own.map(|one| TenantResponse::new(one, actor.tenant)).collect()))
}

/// Make a client company of this agency. It has keys, an audit and people of its own; whoever begins in it is named here.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "tenants", request_body = CreateClientRequest,
    responses((status = 201, body = ClientResponse), (status = "4XX", body = Problem)))]
pub async fn create_client(
    StepUp(actor): StepUp<Require<ClientsManage>>,
    State(app): State<Arc<App>>,
    request: Result<Json<CreateClientRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<ClientResponse>)> {
    let Json(request) = request?;
    let typed = TypedClient {
        name: request.name,
        slug: request.slug,
        reporting_currency: request.reporting_currency,
        time_zone: request.time_zone,
        people: read_people(request.people, actor.user)?,
    };
    let id = ops::create_client(&app, actor.tenant, actor.who(), typed).await?;
    let clients = clients_of(&app.db.system_read().await?, actor.tenant).await?;
    let made = clients.into_iter().find(|client| client.tenant == id);
    let made = made.ok_or_else(|| AppError::not_found("company"))?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

fn read_people(
    sent: Option<BTreeMap<Uuid, String>>,
    oneself: UserId,
) -> AppResult<BTreeMap<UserId, SystemRole>> {
    let Some(sent) = sent else { return Ok(BTreeMap::from([(oneself, SystemRole::Owner)])) };
    let role = |(user, role): (Uuid, String)| match role.parse::<SystemRole>() {
        Ok(role) => Ok((UserId(user), role)),
        Err(error @ UnknownRole(_)) => Err(AppError::invalid("people", format!("{error}."))),
    };
    sent.into_iter().map(role).collect()
}

/// List the clients of this agency: names and numbers, nothing of what they do.
#[utoipa::path(get, path = "/api/v1/clients", tag = "tenants",
    responses((status = 200, body = Vec<ClientResponse>), (status = "4XX", body = Problem)))]
pub async fn list_clients(
    actor: Require<ClientsManage>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<ClientResponse>>> {
    actor.signed_in()?;
    let clients = clients_of(&app.db.system_read().await?, actor.tenant).await?;
    Ok(Json(clients.into_iter().map(ClientResponse::from).collect()))
}

/// Show one of one's companies.
#[utoipa::path(get, path = "/api/v1/tenants/{id}", tag = "tenants", params(("id" = Uuid, Path)),
    responses((status = 200, body = TenantResponse), (status = "4XX", body = Problem)))]
pub async fn show_tenant(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<TenantResponse>> {
    let own = ops::own_tenants(&app, &actor).await?;
    let own = own.into_iter().find(|one| one.tenant.id == id);
    let own = own.ok_or_else(|| AppError::not_found("company"))?;
    Ok(Json(TenantResponse::new(own, actor.tenant)))
}

/// Change what this session's company says about itself.
#[utoipa::path(patch, path = "/api/v1/tenants/{id}", tag = "tenants", params(("id" = Uuid, Path)),
    request_body = ChangeTenantRequest,
    responses((status = 200, body = TenantResponse), (status = "4XX", body = Problem)))]
pub async fn change_tenant(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<ChangeTenantRequest>, JsonRejection>,
) -> AppResult<Json<TenantResponse>> {
    let row = own_row(&app, &actor, id).await?;
    let Json(request) = request?;
    let before = TypedCompany::of(&row);
    let typed = TypedCompany {
        name: request.name.unwrap_or(before.name),
        reporting_currency: request.reporting_currency.unwrap_or(before.reporting_currency),
        time_zone: request.time_zone.unwrap_or(before.time_zone),
        week_start: request.week_start.map_or(before.week_start, |day| day.to_string()),
    };
    change_company(&app, actor.tenant, actor.who(), &typed).await?;
    let own = ops::own_tenants(&app, &actor).await?.into_iter().find(|one| one.tenant.id == id);
    Ok(Json(TenantResponse::new(own.ok_or_else(|| AppError::not_found("company"))?, actor.tenant)))
}

async fn own_row<G>(app: &App, actor: &Require<G>, id: Uuid) -> AppResult<tenant::Model> {
    if id != actor.tenant.0 {
        return Err(AppError::not_found("company"));
    }
    reach::find(&app.db.system_read().await?, actor.tenant).await
}

/// End that an agency looks after a company: by whoever manages the agency's clients, or by an owner of the client, alone.
/// Whoever belongs to the company stays in it.
///
/// Needs somebody who has shown within ten minutes who they are.
#[utoipa::path(post, path = "/api/v1/tenants/{id}/release", tag = "tenants", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Released"), (status = "4XX", body = Problem)))]
pub async fn release_client(
    StepUp(actor): StepUp<Require<Oneself>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    let (agency, side) = sides(&app, &actor, TenantId(id)).await?;
    ops::release(&app, (agency, TenantId(id)), actor.who(), side).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The agency of a company, and from which side whoever asks looks at it.
pub(super) async fn sides<G>(
    app: &App,
    actor: &Require<G>,
    id: TenantId,
) -> AppResult<(TenantId, ReleasedBy)> {
    let missing = || AppError::not_found("company");
    let row = reach::find(&app.db.system_read().await?, id).await?;
    if id == actor.tenant {
        let alone = "No agency looks after this company.";
        let agency = row.parent_id.ok_or_else(|| AppError::conflict(alone))?;
        return Ok((TenantId(agency), ReleasedBy::Client));
    }
    if row.parent_id != Some(actor.tenant.0) {
        return Err(missing());
    }
    if !actor.may(Permission::ClientsManage) {
        return Err(AppError::forbidden(Permission::ClientsManage.as_str()));
    }
    Ok((actor.tenant, ReleasedBy::Agency))
}
