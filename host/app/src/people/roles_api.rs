//! Roles over the JSON API.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_access::{
    CustomRole, Effect, Permission, SystemRole, change_role, create_role, custom_roles, delete_role,
    find_custom_role,
};
use portolan_core::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api::accepted;
use super::ops::change;
use crate::App;
use crate::web::actor::{PeopleRead, Require, RolesManage};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_roles))
        .with(guarded!(make_role))
        .with(guarded!(show_role))
        .with(guarded!(set_role))
        .with(guarded!(remove_role))
}

/// What a role allows and denies.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleResponse {
    pub name: String,
    pub description: String,
    /// Whether every tenant has it, and nobody changes it.
    pub system: bool,
    /// `allow` or `deny` by permission; it says nothing about those that are absent.
    pub rules: BTreeMap<String, String>,
}

impl From<SystemRole> for RoleResponse {
    fn from(role: SystemRole) -> Self {
        let allowed = role.permissions().iter();
        Self {
            name: role.to_string(),
            description: role.description().to_owned(),
            system: true,
            rules: allowed.map(|one| (one.to_string(), Effect::Allow.as_str().to_owned())).collect(),
        }
    }
}

impl From<CustomRole> for RoleResponse {
    fn from(role: CustomRole) -> Self {
        let rules = role.rules.into_iter();
        Self {
            name: role.name,
            description: role.description,
            system: false,
            rules: rules.map(|(one, effect)| (one.to_string(), effect.as_str().to_owned())).collect(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeRoleRequest {
    /// Small letters, digits and hyphens; it stays.
    name: String,
    #[serde(default)]
    description: String,
    /// `allow` or `deny` by permission.
    rules: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoleRequest {
    #[serde(default)]
    description: String,
    /// `allow` or `deny` by permission.
    rules: BTreeMap<String, String>,
}

/// System roles, then the tenant's own.
#[utoipa::path(get, path = "/api/v1/roles", tag = "people",
    responses((status = 200, body = Vec<RoleResponse>), (status = "4XX", body = Problem)))]
pub async fn list_roles(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<RoleResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    let own = custom_roles(&tx).await?.into_iter().map(RoleResponse::from);
    Ok(Json(SystemRole::ALL.iter().copied().map(RoleResponse::from).chain(own).collect()))
}

/// Make a role. It allows nothing that its maker may not do.
#[utoipa::path(post, path = "/api/v1/roles", tag = "people", request_body = MakeRoleRequest,
    responses((status = 201, body = RoleResponse), (status = "4XX", body = Problem)))]
pub async fn make_role(
    StepUp(actor): StepUp<Require<RolesManage>>,
    State(app): State<Arc<App>>,
    request: Result<Json<MakeRoleRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<RoleResponse>)> {
    let MakeRoleRequest { name, description, rules } = accepted(request)?;
    let role = CustomRole { name, description, rules: read_rules(&rules)?, created_at: app.clock.now() };
    let (by, made) = (actor.who(), role.clone());
    let now = app.clock.now();
    change(&app, actor.tenant, move |tx| Box::pin(async move { create_role(tx, &by, &made, now).await }))
        .await?;
    Ok((StatusCode::CREATED, Json(role.into())))
}

/// One role.
#[utoipa::path(get, path = "/api/v1/roles/{name}", tag = "people", params(("name" = String, Path)),
    responses((status = 200, body = RoleResponse), (status = "4XX", body = Problem)))]
pub async fn show_role(
    actor: Require<PeopleRead>,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> AppResult<Json<RoleResponse>> {
    if let Ok(role) = name.parse::<SystemRole>() {
        return Ok(Json(role.into()));
    }
    let tx = app.db.read(actor.tenant).await?;
    Ok(Json(find_custom_role(&tx, &name).await?.into()))
}

/// Say anew what a role of the tenant's own is for, allows and denies.
#[utoipa::path(put, path = "/api/v1/roles/{name}", tag = "people", params(("name" = String, Path)),
    request_body = SetRoleRequest,
    responses((status = 200, body = RoleResponse), (status = "4XX", body = Problem)))]
pub async fn set_role(
    StepUp(actor): StepUp<Require<RolesManage>>,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Result<Json<SetRoleRequest>, JsonRejection>,
) -> AppResult<Json<RoleResponse>> {
    let SetRoleRequest { description, rules } = accepted(request)?;
    let role = CustomRole { name, description, rules: read_rules(&rules)?, created_at: Instant(0) };
    let (by, changed) = (actor.who(), role.clone());
    let now = app.clock.now();
    change(&app, actor.tenant, move |tx| Box::pin(async move { change_role(tx, &by, &changed, now).await }))
        .await?;
    Ok(Json(role.into()))
}

/// Take a role of the tenant's own away that nobody holds.
#[utoipa::path(delete, path = "/api/v1/roles/{name}", tag = "people", params(("name" = String, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem),
        (status = 409, body = Problem, description = "Somebody holds it; the detail says who")))]
pub async fn remove_role(
    StepUp(actor): StepUp<Require<RolesManage>>,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> AppResult<StatusCode> {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { delete_role(tx, &by, &name, now).await }))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_rules(rules: &BTreeMap<String, String>) -> AppResult<BTreeMap<Permission, Effect>> {
    let read = |(name, effect): (&String, &String)| {
        let path = format!("rules/{name}");
        let permission = name.parse::<Permission>();
        let permission = permission.map_err(|error| AppError::invalid(&path, format!("{error}.")))?;
        match effect.as_str() {
            "allow" => Ok((permission, Effect::Allow)),
            "deny" => Ok((permission, Effect::Deny)),
            _ => Err(AppError::invalid(&path, "Say allow or deny, or leave it out.")),
        }
    };
    rules.iter().map(read).collect()
}
