//! What changes where the operator says under which address people come.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, header};
use portolan_app::router::router;
use tower::ServiceExt as _;

use crate::support::*;

const PUBLIC: &str = "https://portolan.example";

async fn answer(shop: &TestApp, request: Request<Body>) -> Response<Body> {
    router(Arc::clone(&shop.app)).oneshot(request).await.expect("an answer")
}

async fn shop_behind(test: &TestDatabase, address: &str) -> TestApp {
    let mut shop = TestApp::new(test, "shop").await;
    let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
    app.public_address = Some(address.parse().expect("an address"));
    shop
}

/// The answer to a use of a fresh one-time link.
async fn sign_in(shop: &TestApp, origin: &str) -> Response<Body> {
    let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
    let request = Request::post(format!("/sign-in/link/{link}"))
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, origin);
    answer(shop, request.body(Body::empty()).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_https_the_session_travels_by_https_alone() {
    on_both(migrate, async |test| {
        let shop = shop_behind(test, PUBLIC).await;
        let welcome = sign_in(&shop, PUBLIC).await;
        assert_eq!(welcome.status(), 303);
        assert_eq!(welcome.headers()[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
        let cookie = welcome.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(cookie.starts_with("__Host-ptl_session="), "{cookie}");
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{attribute}: {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        let session = cookie.split(';').next().expect("a pair");
        assert_eq!(shop.get(session, "/pulse").await.status, 200);
        let under_the_plain_name = session.replace("__Host-", "");
        assert!(shop.get(&under_the_plain_name, "/pulse").await.status.is_redirection());

        let out = Request::post("/sign-out").header(header::COOKIE, session).header(header::ORIGIN, PUBLIC);
        let out = answer(&shop, out.body(Body::empty()).expect("a request")).await;
        let removed = out.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(removed.starts_with("__Host-ptl_session=;") && removed.contains("Secure"), "{removed}");
        assert!(shop.get(session, "/pulse").await.status.is_redirection(), "signed out is out");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_is_another_site_even_under_the_same_host() {
    on_both(migrate, async |test| {
        let shop = shop_behind(test, PUBLIC).await;
        for origin in ["http://portolan.example", "http://127.0.0.1:8080", "https://evil.example", "null"] {
            assert_eq!(sign_in(&shop, origin).await.status(), 403, "{origin}");
        }
        assert_eq!(sign_in(&shop, PUBLIC).await.status(), 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_plain_http_nothing_promises_https() {
    on_both(migrate, async |test| {
        let shop = shop_behind(test, "http://portolan.example").await;
        let welcome = sign_in(&shop, "http://portolan.example").await;
        let cookie = welcome.headers()[header::SET_COOKIE].to_str().expect("text");
        assert!(cookie.starts_with("ptl_session=") && !cookie.contains("Secure"), "{cookie}");
        assert!(!welcome.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
    })
    .await;
}
