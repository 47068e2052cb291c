//! What all slices share at the edge: errors, the signed-in person, page shell, request references.

pub mod actor;
pub mod address;
pub mod brand;
pub mod caller;
pub mod client;
pub mod confirm;
pub mod cookies;
pub mod domain;
pub mod error;
pub mod extract;
pub mod guard;
pub mod idempotency;
pub mod json;
pub mod limits;
pub mod next;
pub mod page;
pub mod preferences;
pub mod problem;
pub mod proxies;
pub mod request_id;
pub mod revalidate;
pub mod route;
pub mod seen;
pub mod serve;
pub mod step_up;
mod unreadable;
pub mod viewer;

use axum::response::{Html, IntoResponse, Response};
use portolan_admin_ui::Template;

use crate::web::error::{AppError, PageError};

/// A rendered page or part of a page.
pub fn html(template: &impl Template) -> Result<Response, PageError> {
    match template.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(error) => Err(PageError(AppError::internal(error))),
    }
}

/// Whether an open page asks for its live region alone.
pub fn wants_part(headers: &axum::http::HeaderMap) -> bool {
    headers.get("hx-request").is_some_and(|value| value == "true")
}
