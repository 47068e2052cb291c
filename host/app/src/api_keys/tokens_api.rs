//! Short tokens over the JSON API: bought with a key, renewed once each, ended when the work is done.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use portolan_access::Permission;
use portolan_access::api_keys::{self, ParsedKey, Refreshed, Refreshing, TokenError, TokenKind, TokenPair};
use portolan_access::audit::{Actor, Who};
use portolan_core::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::web::caller::{Caller, bearer};
use crate::web::client::{address_in, address_of};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::json::{Json, read_object};
use crate::web::request_id;
use crate::web::route::ApiRoutes;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with_public(utoipa_axum::routes!(issue_token), "the key in its header opens it")
        .with_public(utoipa_axum::routes!(refresh_token), "the refresh token in its header opens it")
        .with_public(utoipa_axum::routes!(end_token), "the refresh token in its header opens it")
}

/// Two tokens that are shown once.
#[derive(Serialize, ToSchema)]
pub struct TokenPairResponse {
    /// `Bearer`.
    pub token_type: &'static str,
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    pub expires_in_s: i64,
    /// Buys the next pair, once.
    pub refresh_token: String,
    /// RFC 3339: from then on the key has to be used again.
    pub refresh_until: String,
    pub scopes: Vec<&'static str>,
}

impl TokenPairResponse {
    fn new(pair: TokenPair, app: &App) -> Self {
        Self {
            token_type: "Bearer",
            access_token: pair.access_token,
            expires_in_s: pair.access_until.since(app.clock.now()).max(Duration::ZERO).as_ms() / 1_000,
            refresh_token: pair.refresh_token,
            refresh_until: pair.refresh_until.to_rfc3339(),
            scopes: pair.scopes.iter().map(|scope| scope.as_str()).collect(),
        }
    }
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueTokenRequest {
    /// Of the key's; all of them where absent.
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

/// Buy a pair of tokens with a key: the access token comes in for ten minutes, the refresh token buys the next pair. The body
/// may be left out.
#[utoipa::path(post, path = "/api/v1/auth/token", tag = "api keys", request_body = IssueTokenRequest,
    responses((status = 201, body = TokenPairResponse), (status = "4XX", body = Problem)))]
pub async fn issue_token(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Bytes,
) -> AppResult<(StatusCode, Json<TokenPairResponse>)> {
    let by_key =
        bearer(&parts.headers).and_then(ParsedKey::parse).is_some_and(|sent| sent.kind == TokenKind::Key);
    let caller = Caller::of_parts(&parts, &app).await?;
    let Some(Caller::Program(holder)) = caller.filter(|_| by_key) else {
        return Err(AppError::unauthenticated());
    };
    let request: IssueTokenRequest = match body.is_empty() {
        true => IssueTokenRequest::default(),
        false => read_object(&body).map_err(|error| AppError::unreadable(&error.to_string()))?,
    };
    let scopes = request.scopes.as_deref().map(read_scopes).transpose()?;
    let who = who_asks(&parts, &holder);
    let (tenant, app_in_task) = (holder.tenant, Arc::clone(&app));
    let issued = app.db.write(tenant, move |tx| {
        Box::pin(async move {
            let tools = (&*app_in_task.clock, &*app_in_task.random);
            api_keys::issue(tx, &who, &holder, scopes, tools).await
        })
    });
    Ok((StatusCode::CREATED, Json(TokenPairResponse::new(issued.await?, &app))))
}

/// Renew a pair: the answer holds the next one, and the refresh token that was sent is used up. Sent a second time it ends
/// all tokens that came of the same use of the key.
#[utoipa::path(post, path = "/api/v1/auth/token/refresh", tag = "api keys",
    responses((status = 201, body = TokenPairResponse), (status = "4XX", body = Problem)))]
pub async fn refresh_token(
    State(app): State<Arc<App>>,
    parts: Parts,
) -> AppResult<(StatusCode, Json<TokenPairResponse>)> {
    let refreshing = refreshing(&app, &parts).await?;
    let (who, tenant) = (who_asks(&parts, &refreshing.holder), refreshing.holder.tenant);
    let app_in_task = Arc::clone(&app);
    let refreshed = app.db.write(tenant, move |tx| {
        Box::pin(async move {
            let tools = (&*app_in_task.clock, &*app_in_task.random);
            Ok::<_, AppError>(api_keys::refresh(tx, &who, &refreshing, tools).await?)
        })
    });
    match refreshed.await? {
        Refreshed::New(pair) => Ok((StatusCode::CREATED, Json(TokenPairResponse::new(*pair, &app)))),
        Refreshed::Repeated => Err(AppError::conflict(
            "This refresh token was used a moment ago, perhaps by a repetition of this very request: go on with the tokens \
             of its answer, or use the key again.",
        )),
        Refreshed::Reused => Err(AppError::unauthenticated()),
    }
}

/// End a refresh token and everything that came of the same use of the key.
#[utoipa::path(delete, path = "/api/v1/auth/token", tag = "api keys",
    responses((status = 204, description = "Ended"), (status = "4XX", body = Problem)))]
pub async fn end_token(State(app): State<Arc<App>>, parts: Parts) -> AppResult<StatusCode> {
    let refreshing = refreshing(&app, &parts).await?;
    let (who, tenant) = (who_asks(&parts, &refreshing.holder), refreshing.holder.tenant);
    let now = app.clock.now();
    let ended = app.db.write(tenant, move |tx| {
        Box::pin(async move { Ok::<_, AppError>(api_keys::end_family(tx, &who, &refreshing, now).await?) })
    });
    ended.await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refreshing(app: &App, parts: &Parts) -> AppResult<Refreshing> {
    let Some(token) = bearer(&parts.headers) else { return Err(AppError::unauthenticated()) };
    app.sessions.refreshing(token, address_in(&parts.extensions)).await?.ok_or_else(AppError::unauthenticated)
}

fn who_asks(parts: &Parts, holder: &api_keys::KeyHolder) -> Who {
    Who {
        actor: Actor::ApiKey { key: holder.key, owner: holder.owner },
        session: None,
        address: address_of(parts),
        request_id: request_id::current(),
    }
}

/// Permissions by their names.
pub(super) fn read_scopes(named: &[String]) -> AppResult<BTreeSet<Permission>> {
    let read = named.iter().enumerate().map(|(index, scope)| {
        let read = scope.parse::<Permission>();
        read.map_err(|error| AppError::invalid(&format!("scopes/{index}"), format!("{error}.")))
    });
    read.collect()
}

impl From<TokenError> for AppError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Key(error) => error.into(),
            TokenError::Scope(_) | TokenError::NoScope => {
                Self::invalid("scopes", format!("{}.", super::ops::sentence(&error)))
            }
            TokenError::TooMany => Self::conflict(format!("{}.", super::ops::sentence(&error))),
        }
    }
}
