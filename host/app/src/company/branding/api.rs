//! Branding over the JSON API: of the company that a session or a key works for.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portolan_core::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ops::{self, TypedBranding};
use crate::App;
use crate::company::check_own;
use crate::web::actor::{CompanyManage, Require};
use crate::web::brand::colours::{Accent, ThemeColours};
use crate::web::brand::logo_address;
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(show_branding))
        .with(guarded!(change_branding))
        .with(guarded!(reset_branding))
        .with(guarded!(set_logo))
        .with(guarded!(remove_logo))
}

/// How a company looks. What is absent is Portolan's own.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct BrandingResponse {
    /// In the place of "Portolan".
    pub name: Option<String>,
    /// Whom the company's mails name beside the address that they come from.
    pub mail_sender: Option<String>,
    /// As it was chosen: `#` and six hexadecimal digits.
    pub accent: Option<String>,
    /// What is used of it, so that it can be read: in the light theme, and in the dark one.
    pub accent_light: Option<String>,
    pub accent_dark: Option<String>,
    /// The address of the logo on this host, and its media type.
    pub logo: Option<String>,
    pub logo_kind: Option<String>,
}

/// All of it but the logo: what is left out is Portolan's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrandingRequest {
    /// At most 60 characters.
    #[serde(default)]
    name: Option<String>,
    /// At most 60 characters; no address.
    #[serde(default)]
    mail_sender: Option<String>,
    /// `#` and six hexadecimal digits.
    #[serde(default)]
    accent: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoRequest {
    /// A PNG, JPEG or WebP of at most 256 kB and 2048 pixels on each side, in base64.
    data_base64: String,
}

/// Show how the company looks.
#[utoipa::path(get, path = "/api/v1/tenants/{id}/branding", tag = "tenants", params(("id" = Uuid, Path)),
    responses((status = 200, body = BrandingResponse), (status = "4XX", body = Problem)))]
pub async fn show_branding(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<BrandingResponse>> {
    check_own(&actor, id)?;
    Ok(Json(load(&app, actor.tenant).await?))
}

/// Change name, mail sender and accent colour. A colour that could not be read is made lighter or darker in each theme.
#[utoipa::path(put, path = "/api/v1/tenants/{id}/branding", tag = "tenants", params(("id" = Uuid, Path)),
    request_body = BrandingRequest,
    responses((status = 200, body = BrandingResponse), (status = "4XX", body = Problem)))]
pub async fn change_branding(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<BrandingRequest>, JsonRejection>,
) -> AppResult<Json<BrandingResponse>> {
    check_own(&actor, id)?;
    let Json(request) = request?;
    let typed = TypedBranding {
        name: request.name.unwrap_or_default(),
        mail_sender: request.mail_sender.unwrap_or_default(),
        accent: request.accent.unwrap_or_default(),
    };
    ops::change(&app, actor.tenant, actor.who(), &typed).await?;
    Ok(Json(load(&app, actor.tenant).await?))
}

/// Go back to Portolan's own looks; the logo goes, too.
#[utoipa::path(delete, path = "/api/v1/tenants/{id}/branding", tag = "tenants", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn reset_branding(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    check_own(&actor, id)?;
    ops::reset(&app, actor.tenant, actor.who()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set the logo. Of the file the picture is kept and nothing else.
#[utoipa::path(put, path = "/api/v1/tenants/{id}/branding/logo", tag = "tenants", params(("id" = Uuid, Path)),
    request_body = LogoRequest,
    responses((status = 200, body = BrandingResponse), (status = "4XX", body = Problem)))]
pub async fn set_logo(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    request: Result<Json<LogoRequest>, JsonRejection>,
) -> AppResult<Json<BrandingResponse>> {
    check_own(&actor, id)?;
    let Json(request) = request?;
    let file = STANDARD.decode(request.data_base64);
    let file = file.map_err(|_| AppError::invalid("data_base64", "Send the file's bytes in base64."))?;
    ops::set_logo(&app, actor.tenant, actor.who(), &file).await?;
    Ok(Json(load(&app, actor.tenant).await?))
}

/// Take the logo away.
#[utoipa::path(delete, path = "/api/v1/tenants/{id}/branding/logo", tag = "tenants", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Gone"), (status = "4XX", body = Problem)))]
pub async fn remove_logo(
    actor: Require<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<StatusCode> {
    check_own(&actor, id)?;
    ops::remove_logo(&app, actor.tenant, actor.who()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn load(app: &App, tenant: TenantId) -> AppResult<BrandingResponse> {
    let Some(row) = ops::branding(app, tenant).await? else { return Ok(BrandingResponse::default()) };
    let accent = row.accent.as_deref().and_then(|accent| accent.parse::<Accent>().ok());
    Ok(BrandingResponse {
        name: row.name,
        mail_sender: row.mail_sender,
        accent: accent.map(|accent| format!("#{accent}")),
        accent_light: accent.map(|accent| format!("#{}", ThemeColours::light(accent).accent)),
        accent_dark: accent.map(|accent| format!("#{}", ThemeColours::dark(accent).accent)),
        logo: row.logo_hash.map(|hash| logo_address(tenant, &hash)),
        logo_kind: row.logo_kind,
    })
}
