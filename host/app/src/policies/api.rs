//! Policies and attributes over the JSON API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_access::data_policies::{
    self, Attributes, DataPolicy, NewDataPolicy, Subject, attributes_of, create, delete, find,
};
use portolan_access::members;
use portolan_analytics::policy::{ColumnPolicy, RowPolicy};
use portolan_core::{TenantId, UserId, id};
use portolan_db::TenantTx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{Kept, change, save_attributes, what_sees};
use crate::App;
use crate::web::actor::{PoliciesManage, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_policies))
        .with(guarded!(make_policy))
        .with(guarded!(show_policy))
        .with(guarded!(change_policy))
        .with(guarded!(remove_policy))
        .with(guarded!(show_attributes))
        .with(guarded!(set_person_attributes))
        .with(guarded!(show_visibility))
}

/// Whom a policy applies to: whoever is in any of these. Owners always see everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliesTo {
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Ids of teams.
    #[serde(default)]
    pub teams: BTreeSet<Uuid>,
    /// Ids of people.
    #[serde(default)]
    pub people: BTreeSet<Uuid>,
}

impl AppliesTo {
    pub fn subjects(self) -> BTreeSet<Subject> {
        let people = self.people.into_iter().map(|id| Subject::Person(UserId(id)));
        let roles = self.roles.into_iter().map(Subject::Role);
        roles.chain(self.teams.into_iter().map(Subject::Team)).chain(people).collect()
    }

    pub fn of(subjects: &BTreeSet<Subject>) -> Self {
        let mut applies = Self::default();
        for subject in subjects {
            match subject {
                Subject::Role(role) => applies.roles.insert(role.clone()),
                Subject::Team(id) => applies.teams.insert(*id),
                Subject::Person(user) => applies.people.insert(user.0),
            };
        }
        applies
    }
}

/// A policy of rows or of columns.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyResponse {
    pub id: Uuid,
    pub name: String,
    /// `{"rules": [{"dimension": "country", "op": "in", "values": ["DE", null, {"attribute": "countries"}]}]}`: rows that meet
    /// all of the rules.
    #[schema(value_type = Option<Object>)]
    pub rows: Option<Value>,
    /// `{"columns": ["costs"], "effect": "hide"}`: cash, costs, personal, sales, or ids of metrics and dimensions; mask or
    /// hide.
    #[schema(value_type = Option<Object>)]
    pub columns: Option<Value>,
    pub applies_to: AppliesTo,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
}

impl From<DataPolicy> for PolicyResponse {
    fn from(policy: DataPolicy) -> Self {
        // What can't be read shows nothing to whom it applies, and is shown as nothing.
        let body: Option<Value> = serde_json::from_str(&policy.body).ok();
        let of = |kind| body.clone().filter(|_| policy.kind == Some(kind));
        Self {
            id: policy.id,
            name: policy.name,
            rows: of(data_policies::DataPolicyKind::Rows),
            columns: of(data_policies::DataPolicyKind::Columns),
            applies_to: AppliesTo::of(&policy.subjects),
            created_at: policy.created_at.to_rfc3339(),
            updated_at: policy.updated_at.to_rfc3339(),
        }
    }
}

/// A policy as it is written: either of rows or of columns.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// Unlike that of other policies.
    name: String,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    rows: Option<RowPolicy>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    columns: Option<ColumnPolicy>,
    applies_to: AppliesTo,
}

impl PolicyRequest {
    fn checked(self) -> AppResult<NewDataPolicy> {
        let kept = match (self.rows, self.columns) {
            (Some(rows), None) => Kept::Rows(rows),
            (None, Some(columns)) => Kept::Columns(columns),
            _ => {
                return Err(AppError::invalid(
                    "rows",
                    "Say either which rows are seen or which columns are closed.",
                ));
            }
        };
        let (kind, body) = kept.checked()?;
        Ok(NewDataPolicy { kind, name: self.name, body, subjects: self.applies_to.subjects() })
    }
}

/// What is known of a person: lists of texts by their names.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributesBody {
    /// `{"countries": ["DE", "AT"]}`.
    pub attributes: BTreeMap<String, BTreeSet<String>>,
}

/// What somebody sees of the data.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisibilityResponse {
    /// Owners do, whatever policies there are.
    pub is_owner: bool,
    /// Names of the policies that apply.
    pub policies: Vec<String>,
    pub attributes: BTreeMap<String, BTreeSet<String>>,
    /// `rows`: limits that a row has to meet; `metrics`, `dimensions`, `groups`: what is masked or hidden.
    #[schema(value_type = Object)]
    pub seen: Value,
}

/// Every policy, by name.
#[utoipa::path(get, path = "/api/v1/policies", tag = "policies",
    responses((status = 200, body = Vec<PolicyResponse>), (status = "4XX", body = Problem)))]
pub async fn list_policies(
    actor: Require<PoliciesManage>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<Vec<PolicyResponse>>> {
    let tx = app.db.read(actor.tenant).await?;
    Ok(Json(data_policies::list(&tx).await?.into_iter().map(PolicyResponse::from).collect()))
}

/// Make a policy. It counts from the next request on.
#[utoipa::path(post, path = "/api/v1/policies", tag = "policies", request_body = PolicyRequest,
    responses((status = 201, body = PolicyResponse), (status = "4XX", body = Problem)))]
pub async fn make_policy(
    StepUp(actor): StepUp<Require<PoliciesManage>>,
    State(app): State<Arc<App>>,
    request: Result<Json<PolicyRequest>, JsonRejection>,
) -> AppResult<(StatusCode, Json<PolicyResponse>)> {
    let new = accepted(request)?.checked()?;
    let policy = id::new_uuid(&*app.clock, &*app.random);
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { create(tx, &by, policy, &new, now).await }))
        .await?;
    Ok((StatusCode::CREATED, load(&app, actor.tenant, policy).await?))
}

/// One policy.
#[utoipa::path(get, path = "/api/v1/policies/{id}", tag = "policies", params(("id" = Uuid, Path)),
    responses((status = 200, body = PolicyResponse), (status = "4XX", body = Problem)))]
pub async fn show_policy(
    actor: Require<PoliciesManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<PolicyResponse>> {
    load(&app, actor.tenant, id).await
}

/// Write a policy anew. One of rows stays one of rows.
#[utoipa::path(put, path = "/api/v1/policies/{id}", tag = "policies", params(("id" = Uuid, Path)),
    request_body = PolicyRequest,
    responses((status = 200, body = PolicyResponse), (status = "4XX", body = Problem)))]
pub async fn change_policy(
    StepUp(actor): StepUp<Require<PoliciesManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<PolicyRequest>, JsonRejection>,
) -> AppResult<Json<PolicyResponse>> {
    let new = accepted(request)?.checked()?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { data_policies::change(tx, &by, id, &new, now).await })
    })
    .await?;
    load(&app, actor.tenant, id).await
}

/// Take a policy away: whoever it applied to sees what it kept from them.
#[utoipa::path(delete, path = "/api/v1/policies/{id}", tag = "policies", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn remove_policy(
    StepUp(actor): StepUp<Require<PoliciesManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { delete(tx, &by, id, now).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is known of a person, for the policies that ask for it.
#[utoipa::path(get, path = "/api/v1/people/{id}/attributes", tag = "policies", params(("id" = Uuid, Path)),
    responses((status = 200, body = AttributesBody), (status = "4XX", body = Problem)))]
pub async fn show_attributes(
    actor: Require<PoliciesManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<AttributesBody>> {
    let tx = app.db.read(actor.tenant).await?;
    check_person(&tx, UserId(id)).await?;
    Ok(Json(AttributesBody { attributes: attributes_of(&tx, UserId(id)).await? }))
}

/// Say what is known of a person: these attributes and no others.
#[utoipa::path(put, path = "/api/v1/people/{id}/attributes", tag = "policies", params(("id" = Uuid, Path)),
    request_body = AttributesBody,
    responses((status = 200, body = AttributesBody), (status = "4XX", body = Problem)))]
pub async fn set_person_attributes(
    StepUp(actor): StepUp<Require<PoliciesManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<AttributesBody>, JsonRejection>,
) -> AppResult<Json<AttributesBody>> {
    let attributes: Attributes = accepted(request)?.attributes;
    save_attributes(&app, actor.tenant, actor.who(), UserId(id), attributes.clone()).await?;
    Ok(Json(AttributesBody { attributes }))
}

/// What a person sees of the data, by policies and permissions together.
#[utoipa::path(get, path = "/api/v1/people/{id}/visibility", tag = "policies", params(("id" = Uuid, Path)),
    responses((status = 200, body = VisibilityResponse), (status = "4XX", body = Problem)))]
pub async fn show_visibility(
    actor: Require<PoliciesManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<VisibilityResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    check_person(&tx, UserId(id)).await?;
    let (seen, restrictions) = what_sees(&tx, UserId(id)).await?;
    Ok(Json(VisibilityResponse {
        is_owner: restrictions.is_owner,
        policies: restrictions.policies.into_iter().map(|policy| policy.name).collect(),
        attributes: restrictions.attributes,
        seen: serde_json::to_value(seen).map_err(AppError::internal)?,
    }))
}

async fn check_person(tx: &TenantTx, user: UserId) -> AppResult<()> {
    let belongs = members(tx).await?.iter().any(|member| member.user == user);
    if belongs { Ok(()) } else { Err(AppError::not_found("person")) }
}

async fn load(app: &App, tenant: TenantId, id: Uuid) -> AppResult<Json<PolicyResponse>> {
    let tx = app.db.read(tenant).await?;
    Ok(Json(find(&tx, id).await?.into()))
}

fn accepted<T>(request: Result<Json<T>, JsonRejection>) -> AppResult<T> {
    let Json(request) = request?;
    Ok(request)
}
