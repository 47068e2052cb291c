//! Teams over the JSON API.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_access::{
    Team, create_team, delete_team, find_team, rename_team, set_team_members, set_team_roles, teams,
};
use portolan_core::{TenantId, UserId, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::api::{SetRolesRequest, accepted};
use super::ops::change;
use crate::App;
use crate::web::actor::{PeopleManage, PeopleRead, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_teams))
        .with(guarded!(make_team))
        .with(guarded!(show_team))
        .with(guarded!(name_team))
        .with(guarded!(remove_team))
        .with(guarded!(set_members_of_team))
        .with(guarded!(set_roles_of_team))
}

/// People who hold roles together.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamResponse {
    pub id: Uuid,
    pub name: String,
    /// Ids of people.
    pub members: BTreeSet<Uuid>,
    pub roles: BTreeSet<String>,
    /// RFC 3339.
    pub created_at: String,
}

impl From<Team> for TeamResponse {
    fn from(team: Team) -> Self {
        Self {
            id: team.id,
            name: team.name,
            members: team.members.iter().map(|user| user.0).collect(),
            roles: team.roles,
            created_at: team.created_at.to_rfc3339(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamNameRequest {
    /// Unlike that of other teams.
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamMembersRequest {
    /// Ids of people who belong to the tenant.
    members: BTreeSet<Uuid>,
}

/// Every team, by name.
#[utoipa::path(get, path = "/api/v1/teams", tag = "people",
    responses((status = 200, body = Vec<TeamResponse>), (status = "4XX", body = Problem)))]
pub async fn list_teams(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<TeamResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    Ok(Json(teams(&tx).await?.into_iter().map(TeamResponse::from).collect()))
}

/// Make a team without members and roles.
#[utoipa::path(post, path = "/api/v1/teams", tag = "people", request_body = TeamNameRequest,
    responses((status = 201, body = TeamResponse), (status = "4XX", body = Problem)))]
pub async fn make_team(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    request: Result<Json<TeamNameRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<TeamResponse>)> {
    let TeamNameRequest { name } = accepted(request)?;
    let team = id::new_uuid(&*app.clock, &*app.random);
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { create_team(tx, &by, team, &name, now).await })
    })
    .await?;
    Ok((StatusCode::CREATED, load(&app, actor.tenant, team).await?))
}

/// One team.
#[utoipa::path(get, path = "/api/v1/teams/{id}", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 200, body = TeamResponse), (status = "4XX", body = Problem)))]
pub async fn show_team(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<TeamResponse>> {
    load(&app, actor.tenant, id).await
}

/// Give a team another name.
#[utoipa::path(patch, path = "/api/v1/teams/{id}", tag = "people", params(("id" = Uuid, Path)),
    request_body = TeamNameRequest,
    responses((status = 200, body = TeamResponse), (status = "4XX", body = Problem)))]
pub async fn name_team(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<TeamNameRequest>, JsonRejection>,
) -> AppResult<Json<TeamResponse>> {
    let TeamNameRequest { name } = accepted(request)?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { rename_team(tx, &by, id, &name, now).await }))
        .await?;
    load(&app, actor.tenant, id).await
}

/// Take a team away. Nobody is removed from the tenant; what they held by the team alone is gone.
#[utoipa::path(delete, path = "/api/v1/teams/{id}", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn remove_team(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { delete_team(tx, &by, id, now).await }))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say who is in a team.
#[utoipa::path(put, path = "/api/v1/teams/{id}/members", tag = "people", params(("id" = Uuid, Path)),
    request_body = TeamMembersRequest,
    responses((status = 200, body = TeamResponse), (status = "4XX", body = Problem)))]
pub async fn set_members_of_team(
    StepUp(actor): StepUp<Require<PeopleManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<TeamMembersRequest>, JsonRejection>,
) -> AppResult<Json<TeamResponse>> {
    let (by, now) = (actor.who(), app.clock.now());
    let members: BTreeSet<UserId> = accepted(request)?.members.into_iter().map(UserId).collect();
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { set_team_members(tx, &by, id, &members, now).await })
    })
    .await?;
    load(&app, actor.tenant, id).await
}

/// Say which roles everybody in a team holds.
#[utoipa::path(put, path = "/api/v1/teams/{id}/roles", tag = "people", params(("id" = Uuid, Path)),
    request_body = SetRolesRequest,
    responses((status = 200, body = TeamResponse), (status = "4XX", body = Problem)))]
pub async fn set_roles_of_team(
    StepUp(actor): StepUp<Require<PeopleManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<SetRolesRequest>, JsonRejection>,
) -> AppResult<Json<TeamResponse>> {
    let SetRolesRequest { roles } = accepted(request)?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { set_team_roles(tx, &by, id, &roles, now).await })
    })
    .await?;
    load(&app, actor.tenant, id).await
}

async fn load(app: &App, tenant: TenantId, id: Uuid) -> AppResult<Json<TeamResponse>> {
    let tx = app.db.read(tenant).await?;
    Ok(Json(find_team(&tx, id).await?.into()))
}
