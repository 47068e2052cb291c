//! The security policy over the JSON API: for people in their sessions, no key reads or changes it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use portolan_access::{NewSignInPolicy, SignInPolicy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ops;
use crate::App;
use crate::web::actor::{Require, SecurityManage};
use crate::web::client::AskedFrom;
use crate::web::error::{AppResult, Problem};
use crate::web::route::{ApiRoutes, guarded};
use crate::web::step_up::StepUp;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(show_security_policy)).with(guarded!(change_security_policy))
}

/// What is asked of whoever signs in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecurityPolicyResponse {
    /// Roles whose holders need a second factor, in their sessions.
    pub second_factor_roles: Vec<String>,
    /// However busy it is, a session ends after this.
    pub session_minutes: i32,
    /// Without a request for this long, a session ends.
    pub idle_minutes: i32,
    /// Where sessions and keys may come from; from anywhere where empty.
    pub networks: Vec<String>,
    /// Whether a code that was mailed counts as a second factor, of whoever has no other.
    pub mail_codes: bool,
    /// For how many days a browser may be remembered, in which no second factor is asked for; 0: none is.
    pub device_days: i32,
}

impl From<SignInPolicy> for SecurityPolicyResponse {
    fn from(policy: SignInPolicy) -> Self {
        Self {
            second_factor_roles: policy.second_factor_roles.into_iter().collect(),
            session_minutes: policy.session_minutes,
            idle_minutes: policy.idle_minutes,
            networks: policy.networks.iter().map(ToString::to_string).collect(),
            mail_codes: policy.mail_codes,
            device_days: policy.device_days,
        }
    }
}

/// All of it: what is left out is not kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityPolicyRequest {
    second_factor_roles: Vec<String>,
    /// 15 to 720.
    session_minutes: i32,
    /// 5 to 120.
    idle_minutes: i32,
    /// `192.0.2.0/24`, `2001:db8::/32`; from anywhere where empty.
    networks: Vec<String>,
    /// No where absent.
    #[serde(default)]
    mail_codes: bool,
    /// 0 to 30; 30 where absent.
    device_days: Option<i32>,
}

/// Show what is asked of whoever signs in.
#[utoipa::path(get, path = "/api/v1/security-policy", tag = "security",
    responses((status = 200, body = SecurityPolicyResponse), (status = "4XX", body = Problem)))]
pub async fn show_security_policy(
    actor: Require<SecurityManage>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<SecurityPolicyResponse>> {
    Ok(Json(ops::read(&app, actor.tenant).await?.into()))
}

/// Change what is asked of whoever signs in. It holds from the next request on, for sessions that stand as well.
///
/// Needs somebody who has shown within ten minutes who they are, and whom the new policy admits from where they are.
#[utoipa::path(put, path = "/api/v1/security-policy", tag = "security", request_body = SecurityPolicyRequest,
    responses((status = 200, body = SecurityPolicyResponse), (status = "4XX", body = Problem)))]
pub async fn change_security_policy(
    StepUp(actor): StepUp<Require<SecurityManage>>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    body: Result<Json<SecurityPolicyRequest>, JsonRejection>,
) -> AppResult<Json<SecurityPolicyResponse>> {
    let Json(request) = body?;
    let new = NewSignInPolicy {
        second_factor_roles: request.second_factor_roles.into_iter().collect(),
        session_minutes: request.session_minutes,
        idle_minutes: request.idle_minutes,
        networks: request.networks,
        mail_codes: request.mail_codes,
        device_days: request.device_days.unwrap_or_else(|| NewSignInPolicy::default().device_days),
    };
    Ok(Json(ops::change(&app, &actor, from, new).await?.into()))
}
