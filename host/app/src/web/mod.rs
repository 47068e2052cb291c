//! What all slices share at the edge: errors, the signed-in person, page shell, request references.

pub mod actor;
pub mod error;
pub mod guard;
pub mod page;
pub mod request_id;
pub mod viewer;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::web::error::{AppError, PageError};

/// A rendered page or part of a page.
pub fn html(template: &impl Template) -> Result<Response, PageError> {
    match template.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(error) => Err(PageError(AppError::internal(error))),
    }
}
