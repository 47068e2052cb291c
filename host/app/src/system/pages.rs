//! The way in, and the bundled files.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use portolan_admin_ui::assets;

use crate::App;
use crate::web::actor::session_token;
use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Path, refuse};
use crate::web::preferences::{Preferences, StartPage};

/// To the page that somebody begins on; whoever is not signed in is led to the door from there.
pub async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> PageResult {
    let present = match session_token(&headers, &app) {
        Some(token) => app.sessions.still_stands(&token).await?,
        None => None,
    };
    let start = match present {
        Some(person) => Preferences::of(&app.db.system_read().await?, person.user).await?.start_page,
        None => StartPage::default(),
    };
    Ok(Redirect::to(start.path()).into_response())
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
