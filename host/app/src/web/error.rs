//! The error policy of the product, in one place.
//!
//! Every failure a person or program can meet is an [`AppError`]: a status, a stable code, and a
//! sentence that says what to do next. What went wrong inside is logged once, here, under the
//! reference that the answer shows, and never leaves the host. A thing that belongs to another
//! tenant does not exist: 404, never 403.

use std::io::ErrorKind;
use std::net::IpAddr;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use portolan_admin_ui::Template;
use portolan_admin_ui::pages::ErrorPage;
use portolan_admin_ui::parts::{Link, Shell};
use portolan_connector::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::json::Json;

mod causes;

/// What the API answers.
pub type AppResult<T> = Result<T, AppError>;

/// What people read while the disk is full.
pub const DISK_FULL: &str = "The disk of this server is full. Free some space, then try again; nothing that was \
    acknowledged is lost.";

/// The code of [`AppError::second_factor_required`]: a page leads on where the API says so.
pub const SECOND_FACTOR_REQUIRED: &str = "second_factor_required";

/// Answers that tell of somebody who tried what is not theirs. What belongs to others is not found (404), and so is what
/// was mistyped: both leave a line.
const REFUSALS: [StatusCode; 2] = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];

/// When to ask again, in seconds, where the trouble passes by itself or with somebody's help.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A failure, told to whoever asked.
#[derive(Debug)]
pub struct AppError {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: String,
    pub fields: Vec<FieldError>,
    /// Why, for the log alone.
    internal: Option<String>,
    /// When asking again makes sense, where that is known.
    retry_after_seconds: Option<u64>,
}

/// RFC 9457 problem details.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names this kind of problem: an address of this host, where it is documented.
    pub r#type: String,
    pub title: String,
    pub status: u16,
    /// What happened and what to do next.
    pub detail: String,
    /// Stable, for programs.
    pub code: String,
    /// Find the same reference in the log.
    pub request_id: String,
    pub errors: Vec<ProblemField>,
}

/// One rejected field.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer of the field.
    pub pointer: String,
    pub message: String,
}

impl AppError {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            fields: Vec::new(),
            internal: None,
            retry_after_seconds: None,
        }
    }

    /// The thing does not exist, or not for this tenant.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {what}. It may have been deleted, or the address is mistyped."),
        )
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// The thing has changed since the caller read it.
    pub fn stale(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "stale", detail)
    }

    /// A change has to say which version of the thing it is about.
    pub fn revision_required() -> Self {
        let detail = "Read the thing first and send its ETag as If-Match, so that nobody's change is lost.";
        Self::new(StatusCode::PRECONDITION_REQUIRED, "revision_required", detail)
    }

    pub fn invalid(path: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut error =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_input", format!("{path}: {message}"));
        error.fields = vec![FieldError { path: path.to_owned(), message }];
        error
    }

    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let detail = "Some fields were not accepted; each says why.";
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_input", detail);
        error.fields = fields;
        error
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    pub fn method_not_allowed() -> Self {
        let detail = "This address answers another method. Open the page it belongs to and act from there.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first, then try again.")
    }

    pub fn forbidden(permission: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("This needs the permission {permission}. Ask an owner of the tenant for it."),
        )
    }

    /// A policy, or what their roles leave out, keeps it from them.
    pub fn closed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// It is too long ago that they showed who they are.
    pub fn step_up_required() -> Self {
        let detail = "This needs somebody who has shown within ten minutes who they are. Open /sign-in/again, \
            then send it again.";
        Self::new(StatusCode::FORBIDDEN, "step_up_required", detail)
    }

    /// Their company asks for a second factor, and they have shown none.
    pub fn second_factor_required() -> Self {
        let detail = "Your company asks for a second factor. Set it up at /account, then sign in with it.";
        Self::new(StatusCode::FORBIDDEN, SECOND_FACTOR_REQUIRED, detail)
    }

    /// Their company lets nobody come from there.
    pub fn network_not_allowed(from: Option<IpAddr>) -> Self {
        let from = from.map_or_else(|| "an unknown address".to_owned(), |from| from.to_string());
        let detail = format!(
            "Your company lets people come from its own networks only, and this request came from {from}. Ask its \
             admins to name your network, or whoever runs this server to lift the rule."
        );
        Self::new(StatusCode::FORBIDDEN, "network_not_allowed", detail)
    }

    /// The person may do the thing, but not to this extent: the detail says what they lack.
    pub fn refused(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// A program's key is not enough here.
    pub fn for_people() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "for_people",
            "This is for people who are signed in: no key opens it. Programs use the addresses below /api/v1.",
        )
    }

    pub fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "cross_site",
            "This request came from another site and was refused. Open Portolan itself and try again.",
        )
    }

    /// The first request with this key has no answer yet, or never got one.
    pub fn idempotency_unsettled() -> Self {
        let detail = "A request with this Idempotency-Key is still being answered, or the server stopped while it \
            was. Ask again in a moment; if it stays, look what became of it before you send it with a new key.";
        Self::new(StatusCode::CONFLICT, "idempotency_unsettled", detail)
    }

    pub fn idempotency_mismatch() -> Self {
        let detail = "This Idempotency-Key belongs to another request. Use a new key for each new request.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch", detail)
    }

    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// They asked more often than they may.
    pub fn too_many_requests(wait_seconds: u64) -> Self {
        let unit = if wait_seconds == 1 { "second" } else { "seconds" };
        let detail =
            format!("These were too many requests. Wait for {wait_seconds} {unit}, then go on more slowly.");
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        error.retry_after_seconds = Some(wait_seconds);
        error
    }

    pub fn unavailable(detail: impl Into<String>, internal: impl ToString) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        error.internal = Some(internal.to_string());
        error
    }

    /// The disk has no room. Reading goes on.
    pub fn disk_full(internal: impl ToString) -> Self {
        Self { code: "disk_full", ..Self::unavailable(DISK_FULL, internal) }
    }

    /// A file could not be written or read.
    pub fn storage(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::disk_full(error),
            _ => Self::unavailable(
                "The file could not be stored on this server; its log says why. Nothing was imported, send it again.",
                error,
            ),
        }
    }

    /// Something broke inside. The answer says so and nothing else.
    pub fn internal(cause: impl ToString) -> Self {
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Portolan failed to answer. Try again; if it stays, give the reference to whoever runs this server.",
        );
        error.internal = Some(cause.to_string());
        error
    }

    /// Everything in one line, cause included: for the operator's terminal, never for an answer.
    pub fn full_detail(&self) -> String {
        let mut text = self.detail.clone();
        for field in self.fields.iter().filter(|field| !self.detail.contains(&field.message)) {
            text.push_str(&format!(" {}: {}", field.path, field.message));
        }
        if let Some(internal) = &self.internal {
            text.push_str(&format!(" ({internal})"));
        }
        text
    }

    /// A reference for people; the same in the answer and in the log, where it is written.
    fn log(&self) -> String {
        let reference = crate::web::request_id::current();
        if let Some(internal) = &self.internal {
            tracing::error!(request.id = %reference, code = self.code, error = %internal, "request failed");
        } else if let Some(refused) = REFUSALS.iter().find(|status| **status == self.status) {
            tracing::info!(request.id = %reference, code = self.code, status = refused.as_u16(), "request refused");
        }
        reference
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let request_id = self.log();
        let retry_after_seconds = self.retry_after_seconds;
        let problem = Problem {
            r#type: crate::web::problem::address(self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            request_id,
            errors: self
                .fields
                .into_iter()
                .map(|field| ProblemField { pointer: field.path, message: field.message })
                .collect(),
        };
        let mut response = (self.status, Json(problem)).into_response();
        let content_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        invite_back(self.status, retry_after_seconds, &mut response);
        if self.code == "idempotency_unsettled" {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}

/// The same failure, as a page.
#[derive(Debug)]
pub struct PageError(pub AppError);

/// What a page handler answers.
pub type PageResult = Result<Response, PageError>;

impl<E: Into<AppError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if self.0.status == StatusCode::UNAUTHORIZED {
            return axum::response::Redirect::to("/sign-in").into_response();
        }
        let reference = self.0.log();
        let page = error_page(&self.0, reference);
        // A page about an error that cannot be rendered is still said in words.
        let html = page.render().unwrap_or_else(|_| page.message.clone());
        let mut response = (self.0.status, Html(html)).into_response();
        invite_back(self.0.status, self.0.retry_after_seconds, &mut response);
        response
    }
}

fn invite_back(status: StatusCode, wait_seconds: Option<u64>, response: &mut Response) {
    if let Some(wait_seconds) = wait_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, wait_seconds.into());
    } else if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
}

fn error_page(error: &AppError, reference: String) -> ErrorPage {
    let title = error.status.canonical_reason().unwrap_or("Error");
    if error.status == StatusCode::NOT_FOUND {
        return ErrorPage { reference: Some(reference), ..ErrorPage::not_found(Shell::plain("Not found")) };
    }
    let next_step = match error.status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::INTERNAL_SERVER_ERROR => {
            "What was stored is safe. If it happens again, look for the reference below in the log."
        }
        StatusCode::TOO_MANY_REQUESTS => "Nothing is wrong with what you sent. Reload the page then.",
        _ => "Go back, correct it, and send it again.",
    };
    ErrorPage {
        shell: Shell::plain(title),
        status: error.status.as_u16(),
        message: error.detail.clone(),
        next_step: next_step.to_owned(),
        reference: Some(reference),
        links: vec![Link::new("Pulse", "/pulse"), Link::new("Connections", "/connections")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_and_invites_back() {
        let error = AppError::storage(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert!(error.detail.contains("disk of this server is full. Free some space"));
        for response in [PageError(AppError::disk_full("no room")).into_response(), error.into_response()] {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        }
    }

    #[test]
    fn the_terminal_hears_each_sentence_once() {
        let error = AppError::invalid("from", "Write YYYY-MM-DD.");
        assert_eq!(error.full_detail(), "from: Write YYYY-MM-DD.");
    }
}
