//! People and invitations over the JSON API.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_access::{
    Explanation, Invitation, Member, Reason, Rights, Team, ban, lift_ban, members, open_invitations,
    remove_member, set_roles, sign_out_member, teams, withdraw_invitation,
};
use portolan_core::{TenantId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, change};
use crate::App;
use crate::web::actor::{Oneself, PeopleManage, PeopleRead, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::idempotency::NotKept;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_people))
        .with(guarded!(show_person))
        .with(guarded!(set_person_roles))
        .with(guarded!(ban_person))
        .with(guarded!(unban_person))
        .with(guarded!(sign_out_person))
        .with(guarded!(remove_person))
        .with(guarded!(explain_permission))
        .with(guarded!(leave_tenant))
        .with(guarded!(list_invitations))
        .with(guarded!(invite_person))
        .with(guarded!(withdraw_person_invitation))
}

/// Somebody who belongs to the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonResponse {
    pub id: Uuid,
    /// What they sign in with.
    pub name: String,
    /// Held by themselves.
    pub roles: BTreeSet<String>,
    pub teams: Vec<TeamName>,
    pub ban: Option<BanResponse>,
    /// RFC 3339.
    pub joined_at: String,
}

/// A team that somebody is in, with the roles that they hold by it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamName {
    pub id: Uuid,
    pub name: String,
    pub roles: BTreeSet<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BanResponse {
    /// RFC 3339.
    pub at: String,
    pub reason: String,
}

impl PersonResponse {
    fn new(member: Member, teams: &[Team]) -> Self {
        let own = teams.iter().filter(|team| team.members.contains(&member.user));
        Self {
            id: member.user.0,
            teams: own
                .map(|team| TeamName { id: team.id, name: team.name.clone(), roles: team.roles.clone() })
                .collect(),
            name: member.sign_in_name,
            roles: member.roles,
            ban: member.ban.map(|ban| BanResponse { at: ban.at.to_rfc3339(), reason: ban.reason }),
            joined_at: member.joined_at.to_rfc3339(),
        }
    }
}

/// Names of roles: system roles and the tenant's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRolesRequest {
    pub roles: BTreeSet<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BanRequest {
    /// Why, for whoever asks later.
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// What they will sign in with.
    name: String,
    roles: BTreeSet<String>,
}

/// An invitation that was not used yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationResponse {
    pub id: Uuid,
    pub name: String,
    pub roles: BTreeSet<String>,
    /// RFC 3339.
    pub expires_at: String,
    /// Told once, when the invitation is made: to be sent by a way that only they read.
    pub link: Option<String>,
    /// Whether the link is mailed to them; told once, too.
    pub mailed: Option<bool>,
}

impl InvitationResponse {
    fn new(invitation: Invitation, link: Option<String>, mailed: Option<bool>) -> Self {
        Self {
            id: invitation.id,
            name: invitation.sign_in_name,
            roles: invitation.roles,
            expires_at: invitation.expires_at.to_rfc3339(),
            link,
            mailed,
        }
    }
}

/// Whether somebody may do something, and which of their roles say so.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationResponse {
    pub permission: String,
    pub allowed: bool,
    /// A banned person may nothing.
    pub banned: bool,
    pub reasons: Vec<ReasonResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonResponse {
    pub role: String,
    /// The team that the role comes by.
    pub team: Option<String>,
    /// `allow`, `deny`, or nothing where the role does not speak of it.
    pub effect: Option<&'static str>,
}

impl From<Reason> for ReasonResponse {
    fn from(reason: Reason) -> Self {
        Self { role: reason.role, team: reason.team, effect: reason.effect.map(|effect| effect.as_str()) }
    }
}

/// Everybody who belongs to the tenant, by name.
#[utoipa::path(get, path = "/api/v1/people", tag = "people",
    responses((status = 200, body = Vec<PersonResponse>), (status = "4XX", body = Problem)))]
pub async fn list_people(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<PersonResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    let teams = teams(&tx).await?;
    let people = members(&tx).await?.into_iter().map(|member| PersonResponse::new(member, &teams));
    Ok(Json(people.collect()))
}

/// Somebody who belongs to the tenant.
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 200, body = PersonResponse), (status = "4XX", body = Problem)))]
pub async fn show_person(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<PersonResponse>> {
    Ok(Json(load(&app, actor.tenant, UserId(id)).await?))
}

/// Give somebody these roles and no others. What is taken is gone at their next request.
#[utoipa::path(put, path = "/api/v1/people/{id}/roles", tag = "people", params(("id" = Uuid, Path)),
    request_body = SetRolesRequest,
    responses((status = 200, body = PersonResponse), (status = "4XX", body = Problem)))]
pub async fn set_person_roles(
    StepUp(actor): StepUp<Require<PeopleManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<SetRolesRequest>, JsonRejection>,
) -> AppResult<Json<PersonResponse>> {
    let SetRolesRequest { roles } = accepted(request)?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { set_roles(tx, &by, UserId(id), &roles, now).await })
    })
    .await?;
    Ok(Json(load(&app, actor.tenant, UserId(id)).await?))
}

/// Keep somebody out. What they have open ends; their roles stay for when they are let in again.
#[utoipa::path(post, path = "/api/v1/people/{id}/ban", tag = "people", params(("id" = Uuid, Path)),
    request_body = BanRequest,
    responses((status = 200, body = PersonResponse), (status = "4XX", body = Problem)))]
pub async fn ban_person(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<BanRequest>, JsonRejection>,
) -> AppResult<Json<PersonResponse>> {
    let BanRequest { reason } = accepted(request)?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { ban(tx, &by, UserId(id), &reason, now).await })
    })
    .await?;
    Ok(Json(load(&app, actor.tenant, UserId(id)).await?))
}

/// End what somebody has open in the tenant, such as on a device that is lost. They may sign in again.
#[utoipa::path(delete, path = "/api/v1/people/{id}/sessions", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Ended"), (status = "4XX", body = Problem)))]
pub async fn sign_out_person(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { sign_out_member(tx, &by, UserId(id), now).await })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let somebody in again, with the roles that they had.
#[utoipa::path(post, path = "/api/v1/people/{id}/unban", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 200, body = PersonResponse), (status = "4XX", body = Problem)))]
pub async fn unban_person(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<PersonResponse>> {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { lift_ban(tx, &by, UserId(id), now).await }))
        .await?;
    Ok(Json(load(&app, actor.tenant, UserId(id)).await?))
}

/// Take somebody off the list.
#[utoipa::path(delete, path = "/api/v1/people/{id}", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn remove_person(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { remove_member(tx, &by, UserId(id), now).await })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether somebody may do something, and why or why not.
#[utoipa::path(get, path = "/api/v1/people/{id}/permissions/{permission}", tag = "people",
    params(("id" = Uuid, Path), ("permission" = String, Path, description = "As `object:action`")),
    responses((status = 200, body = ExplanationResponse), (status = "4XX", body = Problem)))]
pub async fn explain_permission(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
    Path((id, permission)): Path<(Uuid, String)>,
) -> AppResult<Json<ExplanationResponse>> {
    let permission = ops::read_permission(&permission)?;
    load(&app, actor.tenant, UserId(id)).await?;
    let tx = app.db.read(actor.tenant).await?;
    let Explanation { allowed, banned, reasons } = Rights::load(&tx).await?.explain(UserId(id), permission);
    let reasons = reasons.into_iter().map(ReasonResponse::from).collect();
    Ok(Json(ExplanationResponse { permission: permission.to_string(), allowed, banned, reasons }))
}

/// Leave the tenant. An owner leaves when there is another one.
#[utoipa::path(post, path = "/api/v1/leave", tag = "people",
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn leave_tenant(actor: Require<Oneself>, State(app): State<Arc<App>>) -> AppResult<StatusCode> {
    let (by, user, now) = (actor.who(), actor.user, app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { remove_member(tx, &by, user, now).await }))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invitations that could still be used.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "people",
    responses((status = 200, body = Vec<InvitationResponse>), (status = "4XX", body = Problem)))]
pub async fn list_invitations(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<InvitationResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    let open = open_invitations(&tx, app.clock.now()).await?;
    Ok(Json(open.into_iter().map(|invitation| InvitationResponse::new(invitation, None, None)).collect()))
}

/// Invite somebody, for seven days. An older invitation for the same name ends.
///
/// Where the server sends mail and the name is a mail address, the link is mailed; else send it by a way that only they read. Somebody who signs in to this server already has to be signed
/// in to use it. The link is answered once, also to a repetition by its Idempotency-Key: that makes a new one.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "people", request_body = InviteRequest,
    responses((status = 201, body = InvitationResponse), (status = "4XX", body = Problem)))]
pub async fn invite_person(
    StepUp(actor): StepUp<Require<PeopleManage>>,
    State(app): State<Arc<App>>,
    request: Result<Json<InviteRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Extension<NotKept>, Json<InvitationResponse>)> {
    let InviteRequest { name, roles } = accepted(request)?;
    let made = ops::make_invitation(&app, actor.tenant, actor.who(), name, roles).await?;
    let response = InvitationResponse::new(made.invitation, Some(made.link), Some(made.mailed));
    Ok((StatusCode::CREATED, Extension(NotKept), Json(response)))
}

/// End an invitation before it is used.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn withdraw_person_invitation(
    actor: Require<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { withdraw_invitation(tx, &by, id, now).await })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn load(app: &App, tenant: TenantId, user: UserId) -> AppResult<PersonResponse> {
    let tx = app.db.read(tenant).await?;
    let teams = teams(&tx).await?;
    let member = members(&tx).await?.into_iter().find(|member| member.user == user);
    Ok(PersonResponse::new(member.ok_or_else(|| AppError::not_found("person"))?, &teams))
}

pub(super) fn accepted<T>(request: Result<Json<T>, JsonRejection>) -> AppResult<T> {
    let Json(request) = request?;
    Ok(request)
}
