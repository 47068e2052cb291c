//! Who of an agency works in a client, over the JSON API. Asked from a session of the agency, by somebody who manages
//! people in the client.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use portolan_access::{Member, grants_in_client};
use portolan_core::{TenantId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops;
use super::reach::reach;
use crate::App;
use crate::web::actor::{ClientsManage, Require};
use crate::web::client::AskedFrom;
use crate::web::error::{AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_client_grants))
        .with(guarded!(grant_in_client))
        .with(guarded!(revoke_in_client))
}

/// Somebody of the agency who belongs to the client.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantResponse {
    pub person: Uuid,
    /// What they sign in with.
    pub name: String,
    /// Held in the client, by themselves.
    pub roles: BTreeSet<String>,
    /// A banned person does not come in, whatever they hold.
    pub banned: bool,
}

impl From<Member> for GrantResponse {
    fn from(member: Member) -> Self {
        Self {
            person: member.user.0,
            name: member.sign_in_name,
            roles: member.roles,
            banned: member.ban.is_some(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// Somebody of the agency.
    person: Uuid,
    /// System roles, and the client's own.
    roles: BTreeSet<String>,
}

/// List who of the agency belongs to a client, by name.
#[utoipa::path(get, path = "/api/v1/tenants/{id}/grants", tag = "tenants", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<GrantResponse>), (status = "4XX", body = Problem)))]
pub async fn list_client_grants(
    actor: Require<ClientsManage>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Path(id): Path<Uuid>,
) -> AppResult<Json<Vec<GrantResponse>>> {
    let client = reach(&app, &actor, from, TenantId(id)).await?;
    let tx = app.db.read(client.tenant).await?;
    let grants = grants_in_client(&tx, &client.of_agency).await?;
    Ok(Json(grants.into_iter().map(GrantResponse::from).collect()))
}

/// Let somebody of the agency into a client with these roles; or give them these and no others.
///
/// Needs somebody who has shown within ten minutes who they are, and who manages people in the client.
#[utoipa::path(post, path = "/api/v1/tenants/{id}/grants", tag = "tenants", params(("id" = Uuid, Path)),
    request_body = GrantRequest,
    responses((status = 204, description = "Granted"), (status = "4XX", body = Problem)))]
pub async fn grant_in_client(
    StepUp(actor): StepUp<Require<ClientsManage>>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Path(id): Path<Uuid>,
    request: Result<Json<GrantRequest>, JsonRejection>,
) -> AppResult<StatusCode> {
    let client = reach(&app, &actor, from, TenantId(id)).await?;
    let Json(request) = request?;
    ops::grant(&app, &client, actor.who(), UserId(request.person), request.roles).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take somebody of the agency out of a client.
///
/// Needs somebody who has shown within ten minutes who they are, and who manages people in the client.
#[utoipa::path(delete, path = "/api/v1/tenants/{id}/grants/{user_id}", tag = "tenants",
    params(("id" = Uuid, Path), ("user_id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn revoke_in_client(
    StepUp(actor): StepUp<Require<ClientsManage>>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
) -> AppResult<StatusCode> {
    let client = reach(&app, &actor, from, TenantId(id)).await?;
    ops::revoke(&app, &client, actor.who(), UserId(user_id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
