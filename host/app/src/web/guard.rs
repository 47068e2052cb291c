//! What every request passes: same-site check for unsafe methods, security headers on every answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::web::address::PublicAddress;
use crate::web::caller::has_bearer;
use crate::web::domain::origin_under_domain;
use crate::web::error::AppError;
use crate::web::request_id;

/// No inline script, no inline style, nothing from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    object-src 'none'; frame-ancestors 'none'";

/// The API explorer's bundle writes one style element, into its logo. That very text is let through, by its hash and on
/// that path alone.
const EXPLORER_CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

/// For a year, browsers come by https alone. Said only where the operator says that there is https.
const COME_BY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Refuses unsafe requests that another site made the browser send.
///
/// A browser says where a request comes from: by `Sec-Fetch-Site`, else by `Origin`. A program
/// that sends neither carries no cookie by accident, but a session cookie without either is
/// refused too. Where the public address is known, the origin must be exactly that.
pub async fn refuse_cross_site(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let unsafe_method = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // A key is sent by whoever means it: no browser adds it to a request that another site makes, and together with a
    // session it is refused.
    let by_key = request.uri().path().starts_with("/api/v1/") && has_bearer(request.headers());
    let public = app.public_address.as_ref();
    // Under a company's own domain that domain is the only origin, and elsewhere none of them is one.
    let under_domain = origin_under_domain(&request, public);
    let own = under_domain.as_deref().or(public.map(PublicAddress::as_str));
    if unsafe_method && !by_key && !is_same_site(request.headers(), own) {
        let header = |name: HeaderName| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        tracing::warn!(
            request.id = %request_id::current(),
            from_site = header(HeaderName::from_static("sec-fetch-site")),
            origin = header(header::ORIGIN),
            "refused a request that another site made"
        );
        return AppError::cross_site().into_response();
    }
    next.run(request).await
}

fn is_same_site(headers: &HeaderMap, own: Option<&str>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) {
        Some(origin) => {
            if let Some(own) = own {
                return origin == own;
            }
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, origin_host)| origin_host == host)
        }
        None => !headers.contains_key(header::COOKIE),
    }
}

/// Headers that every answer carries.
pub async fn secure_headers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let explorer = is_explorer(request.uri().path());
    let asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let policy = if explorer { EXPLORER_CONTENT_SECURITY_POLICY } else { CONTENT_SECURITY_POLICY };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.public_address.as_ref().is_some_and(PublicAddress::is_https) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, COME_BY_HTTPS);
    }
    if !asset && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The pages about problems lie below the same root, and are pages like others.
fn is_explorer(path: &str) -> bool {
    path.starts_with("/api/docs") && !path.starts_with("/api/docs/problems")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn is_same_site(headers: &HeaderMap) -> bool {
        super::is_same_site(headers, None)
    }

    #[test]
    fn a_known_public_address_is_the_only_origin() {
        let public: PublicAddress = "https://portolan.example".parse().expect("an address");
        let from = |origin| headers(&[("host", "127.0.0.1:8080"), ("origin", origin), ("cookie", "x=y")]);
        assert!(super::is_same_site(&from("https://portolan.example"), Some(public.as_str())));
        assert!(!super::is_same_site(&from("http://portolan.example"), Some(public.as_str())));
        assert!(!super::is_same_site(&from("http://127.0.0.1:8080"), Some(public.as_str())));
        assert!(!super::is_same_site(&from("null"), Some(public.as_str())));
    }

    #[test]
    fn fetch_metadata_decides_before_origin() {
        let own = headers(&[("sec-fetch-site", "same-origin"), ("host", "a"), ("origin", "http://b")]);
        let foreign = headers(&[("sec-fetch-site", "cross-site"), ("host", "a"), ("origin", "http://a")]);
        let sibling = headers(&[("sec-fetch-site", "same-site"), ("host", "a")]);
        assert!(is_same_site(&own));
        assert!(!is_same_site(&foreign));
        assert!(!is_same_site(&sibling));
    }

    #[test]
    fn origin_must_name_the_host_that_was_asked() {
        assert!(is_same_site(&headers(&[("host", "shop:8080"), ("origin", "http://shop:8080")])));
        assert!(!is_same_site(&headers(&[("host", "shop:8080"), ("origin", "http://shop:80801")])));
        assert!(!is_same_site(&headers(&[("host", "shop:8080"), ("origin", "null")])));
    }

    #[test]
    fn a_cookie_without_any_origin_is_refused() {
        assert!(!is_same_site(&headers(&[("host", "a"), ("cookie", "x=y")])));
        assert!(is_same_site(&headers(&[("host", "a")])));
    }
}
