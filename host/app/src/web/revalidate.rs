//! Answers of the API carry a strong `ETag`, and whoever has the same already is told so with 304.
//!
//! An answer that names its version by itself keeps that name: it is cheaper, and `If-Match` may refer to
//! it. Such a name has to differ wherever the answer does. Any other is named by its own bytes. A program that keeps an
//! answer keeps it by itself: like pages, answers are `no-store` to browsers and whatever is in between.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::web::error::AppError;

/// No JSON answer is near this.
const LARGEST_BYTES: usize = 64 << 20;

/// Names JSON answers to GET below `/api/v1/`.
pub async fn name_answers(request: Request, next: Next) -> Response {
    let named = request.method() == Method::GET && request.uri().path().starts_with("/api/v1/");
    let known: Vec<HeaderValue> = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    let response = next.run(request).await;
    if !named || response.status() != StatusCode::OK || !is_json(response.headers()) {
        return response;
    }
    match with_tag(response).await {
        Ok((tag, response)) if is_known(&known, &tag) => unchanged(&response),
        Ok((_, response)) => response,
        Err(error) => AppError::internal(error).into_response(),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

async fn with_tag(response: Response) -> Result<(HeaderValue, Response), axum::Error> {
    if let Some(tag) = response.headers().get(header::ETAG) {
        return Ok((tag.clone(), response));
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST_BYTES).await?;
    let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..16]);
    // Letters, digits and hyphens: always a header.
    let tag = HeaderValue::from_str(&format!("\"{digest}\"")).map_err(axum::Error::new)?;
    parts.headers.insert(header::ETAG, tag.clone());
    Ok((tag, Response::from_parts(parts, Body::from(bytes))))
}

/// Whether `If-None-Match` names the answer. Weak and strong names compare alike there (RFC 9110, 13.1.2).
fn is_known(known: &[HeaderValue], tag: &HeaderValue) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(opaque) else { return false };
    let named = known.iter().filter_map(|header| header.to_str().ok());
    named.flat_map(|names| names.split(',')).any(|name| name.trim() == "*" || opaque(name) == tag)
}

fn unchanged(response: &Response) -> Response {
    let mut unchanged = StatusCode::NOT_MODIFIED.into_response();
    for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
        if let Some(value) = response.headers().get(&name) {
            unchanged.headers_mut().insert(name, value.clone());
        }
    }
    unchanged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(headers: &[&'static str], tag: &'static str) -> bool {
        let headers: Vec<HeaderValue> = headers.iter().copied().map(HeaderValue::from_static).collect();
        is_known(&headers, &HeaderValue::from_static(tag))
    }

    #[test]
    fn a_name_is_found_among_others() {
        assert!(known(&["\"a\""], "\"a\""));
        assert!(known(&["\"b\", W/\"a\""], "\"a\""));
        assert!(known(&["\"b\"", "\"a\""], "\"a\""));
        assert!(known(&["*"], "\"a\""));
        assert!(!known(&["\"b\""], "\"a\""));
        assert!(!known(&["a"], "\"a\""));
        assert!(!known(&[], "\"a\""));
    }
}
