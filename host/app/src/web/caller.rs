//! Who asks: a person in their session, or a program with its key. Never both at once.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use portolan_access::api_keys::KeyHolder;
use portolan_access::audit::Actor;
use portolan_access::data_policies::Restrictions;
use portolan_access::{Permission, SignedIn};
use portolan_core::{TenantId, UserId};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use uuid::Uuid;

use crate::App;
use crate::web::actor::{Meets, session_token};
use crate::web::client::address_in;
use crate::web::error::{AppError, AppResult};

/// Names the tenant that a program means, by its slug or its id.
const TENANT: &str = "portolan-tenant";

/// Somebody who came in.
#[derive(Debug, Clone)]
pub enum Caller {
    Person(SignedIn),
    Program(KeyHolder),
}

impl Caller {
    /// Who stands behind this request; `None` where nobody says who they are, or what they say does not hold.
    ///
    /// Errors: a key together with a session, and a tenant that is not the key's.
    pub async fn of(headers: &HeaderMap, from: Option<IpAddr>, app: &App) -> AppResult<Option<Self>> {
        let session = session_token(headers, app);
        if !headers.contains_key(AUTHORIZATION) {
            let Some(token) = session else { return Ok(None) };
            return Ok(app.sessions.authenticate(&token).await?.map(Self::Person));
        }
        if session.is_some() {
            let detail = "Send a key or a session's cookie, not both: nobody knows who of them is meant.";
            return Err(AppError::bad_request(detail));
        }
        let Some(key) = bearer(headers) else { return Ok(None) };
        let Some(holder) = app.sessions.authenticate_key(key, from).await? else { return Ok(None) };
        match headers.get(TENANT).map(|named| named.to_str().unwrap_or_default()) {
            Some(named) if named != holder.tenant_slug && named != holder.tenant.to_string() => {
                Err(AppError::not_found("tenant"))
            }
            _ => Ok(Some(Self::Program(holder))),
        }
    }

    pub async fn of_parts(parts: &Parts, app: &App) -> AppResult<Option<Self>> {
        Self::of(&parts.headers, address_in(&parts.extensions), app).await
    }

    /// The person, or whoever made the key.
    pub const fn user(&self) -> UserId {
        match self {
            Self::Person(person) => person.user,
            Self::Program(program) => program.owner,
        }
    }

    pub const fn tenant(&self) -> TenantId {
        match self {
            Self::Person(person) => person.tenant,
            Self::Program(program) => program.tenant,
        }
    }

    pub fn may(&self, permission: Permission) -> bool {
        match self {
            Self::Person(person) => person.may(permission),
            Self::Program(program) => program.may(permission),
        }
    }

    /// Fails unless the rules of their company are met, as far as they are asked for. A key's were when it was looked up.
    pub fn check_meets(&self, meets: Meets, from: Option<IpAddr>) -> AppResult<()> {
        let Self::Person(person) = self else { return Ok(()) };
        if meets != Meets::Nothing && !person.may_come_from(from) {
            return Err(AppError::network_not_allowed(from));
        }
        if meets == Meets::Everything && person.lacks_second_factor() {
            return Err(AppError::second_factor_required());
        }
        Ok(())
    }

    /// What of the data is kept from the person, or from the key's maker.
    pub fn restrictions(&self) -> Restrictions {
        match self {
            Self::Person(person) => person.restrictions(),
            Self::Program(program) => program.restrictions(),
        }
    }

    pub const fn is_program(&self) -> bool {
        matches!(self, Self::Program(_))
    }

    /// As the audit tells it: with the session, where it is one.
    pub const fn actor(&self) -> (Actor, Option<Uuid>) {
        match self {
            Self::Person(person) => (Actor::Person(person.user), Some(person.session)),
            Self::Program(program) => (Actor::ApiKey { key: program.key, owner: program.owner }, None),
        }
    }
}

/// Says in the document how people and programs come in.
pub fn describe(document: &mut OpenApi) {
    let session = ApiKeyValue::with_description("ptl_session", "The session of a browser.");
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A key made on the page API keys (ptl_…), or an access token that one bought (pta_…)",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    components.add_security_scheme("api_key", SecurityScheme::Http(key));
    let ways = ["session", "api_key"].map(|way| SecurityRequirement::new(way, Vec::<String>::new()));
    document.security = Some(ways.into());
}

/// Whether a program says who it is. Browsers send this header to no other site by themselves.
pub fn has_bearer(headers: &HeaderMap) -> bool {
    bearer(headers).is_some()
}

/// What stands behind `Bearer`; `None` for another scheme, and for more than one header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_bearer_is_read_and_nothing_else() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["Bearer ptl_x"]).as_deref(), Some("ptl_x"));
        assert_eq!(of(&["bearer  ptl_x "]).as_deref(), Some("ptl_x"));
        for wrong in [&["Basic eDp5"][..], &["ptl_x"], &["Bearer"], &["Bearer a", "Bearer b"], &[]] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }
}
