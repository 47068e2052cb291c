//! What a request carries in its path, query and form. Where it cannot be read, the answer is in the
//! caller's own language: problem+json below `/api/`, a page elsewhere.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::web::error::{AppError, PageError};

/// The variables of the path. One that cannot be read names nothing that exists.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// The query of the address.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// A form that was sent.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(_) => Err(refuse(parts.uri.path(), AppError::not_found("thing"))),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let detail =
                    format!("The address has a query that cannot be read: {}.", rejection.body_text());
                Err(refuse(parts.uri.path(), AppError::unreadable(&detail)))
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let path = request.uri().path().to_owned();
        match axum::extract::Form::from_request(request, state).await {
            Ok(axum::extract::Form(form)) => Ok(Self(form)),
            // What was sent is not quoted: it may hold a secret.
            Err(_) => {
                let detail = "The form could not be read. Go back, reload the page and send it again.";
                Err(refuse(&path, AppError::bad_request(detail)))
            }
        }
    }
}

/// An error in the language of whoever asked for this path.
pub fn refuse(path: &str, error: AppError) -> Response {
    if path.starts_with("/api/") { error.into_response() } else { PageError(error).into_response() }
}
