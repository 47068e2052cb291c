//! The way in, and the bundled files.

use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use portolan_admin_ui::assets;

use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Path, refuse};

pub async fn home() -> Redirect {
    Redirect::to("/pulse")
}

/// Names carry a hash of their content: a browser may keep them for ever.
pub async fn show_asset(Path(file): Path<String>) -> PageResult {
    let asset = assets::find(&file).ok_or_else(|| AppError::not_found("file"))?;
    let mut response: Response = asset.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}

/// Every address that no route knows.
pub async fn not_found(uri: Uri) -> Response {
    refuse(uri.path(), AppError::not_found("page"))
}

/// An address that is asked in a way it does not answer: an action's address opened as a page.
pub async fn method_not_allowed(uri: Uri) -> Response {
    refuse(uri.path(), AppError::method_not_allowed())
}
