//! What a brand's pages load: colours and the logo. Nobody need be known for it, so nothing here tells more than whoever
//! asks knows already: an address holds the hash of what it leads to.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use portolan_core::TenantId;
use portolan_db::DbError;
use portolan_db::entity::tenant_branding;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::logo::LogoKind;
use crate::App;
use crate::web::brand::colours::find_style;
use crate::web::error::{AppError, PageResult};
use crate::web::extract::Path;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Made of the address alone.
pub async fn show_colours(Path(file): Path<String>) -> PageResult {
    let style = find_style(&file).ok_or_else(|| AppError::not_found("file"))?;
    Ok(for_ever(style.into_response(), "text/css; charset=utf-8"))
}

pub async fn show_logo(
    State(app): State<Arc<App>>,
    Path((tenant, hash)): Path<(Uuid, String)>,
) -> PageResult {
    let missing = || AppError::not_found("file");
    let tx = app.db.read(TenantId(tenant)).await?;
    let row = tx
        .find::<tenant_branding::Entity>()
        .filter(tenant_branding::Column::LogoHash.eq(hash))
        .one(&tx)
        .await
        .map_err(DbError::from)?
        .ok_or_else(missing)?;
    let kind = row.logo_kind.as_deref().and_then(LogoKind::of_name).ok_or_else(missing)?;
    Ok(for_ever(row.logo.ok_or_else(missing)?.into_response(), kind.content_type()))
}

fn for_ever(mut response: Response, content_type: &'static str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, FOR_EVER);
    response
}
