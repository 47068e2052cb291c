//! A company's looks: on its pages, in its mails, and never as anything that runs.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portolan_app::router::router;
use portolan_db::entity::tenant_branding;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::agencies::ask;
use crate::support::*;

/// A picture of one pixel, of bytes that are a text as well.
pub const LOGO: &str = "RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0/\0\0\0\0x";

fn here(shop: &TestApp) -> String {
    format!("/api/v1/tenants/{}/branding", shop.tenant)
}

async fn put(shop: &TestApp, session: &str, branding: &Value) -> crate::doors::Answer {
    ask(shop, Method::PUT, &here(shop), session, Some(branding)).await
}

async fn put_logo(shop: &TestApp, session: &str, file: &[u8]) -> crate::doors::Answer {
    let logo = json!({ "data_base64": STANDARD.encode(file) });
    ask(shop, Method::PUT, &format!("{}/logo", here(shop)), session, Some(&logo)).await
}

/// Of somebody who is nobody.
async fn fetch(shop: &TestApp, path: &str) -> (u16, axum::http::HeaderMap, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = router(Arc::clone(&shop.app)).oneshot(request).await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, to_bytes(answer.into_body(), 1 << 20).await.expect("a body").to_vec())
}

/// The address in an attribute of the page, behind what stands before it.
fn address<'a>(page: &'a str, before: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split('"').next().expect("its end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_shows_its_name_colours_and_logo_and_its_neighbour_does_not() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let (session, neighbour) = (shop.session().await, other.session().await);
        let plain = shop.get(&session, "/pulse").await.body;
        let looks = json!({ "name": "Harbour", "mail_sender": "Harbour & Sons", "accent": "#FFEE00" });
        let saved = put(&shop, &session, &looks).await;
        assert_eq!(saved.status, 200, "{}", saved.body);
        let saved: Value = serde_json::from_str(&saved.body).expect("json");
        assert_eq!(saved["accent"], "#ffee00");
        // Yellow on white could not be read: it is darker there, and as it was on black.
        assert_ne!(saved["accent_light"], "#ffee00");
        assert_eq!(saved["accent_dark"], "#ffee00");
        let logo = put_logo(&shop, &session, LOGO.as_bytes()).await;
        assert_eq!(logo.status, 200, "{}", logo.body);

        let page = shop.get(&session, "/pulse").await.body;
        assert!(page.contains("· Harbour</title>") && page.contains("<span>Harbour</span>"), "{page}");
        let style = address(&page, "<link rel=\"stylesheet\" href=\"/brand/colours/");
        let (status, headers, css) = fetch(&shop, &format!("/brand/colours/{style}")).await;
        assert_eq!(
            (status, &headers[header::CONTENT_TYPE]),
            (200, &"text/css; charset=utf-8".parse().expect("a value"))
        );
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(headers[header::CACHE_CONTROL].to_str().expect("text").contains("immutable"));
        assert!(String::from_utf8(css).expect("text").starts_with(":root{--accent:light-dark(#"));
        let logo = address(&page, "<img class=\"logo\" src=\"");
        let (status, headers, bytes) = fetch(&shop, logo).await;
        assert_eq!((status, bytes.as_slice()), (200, LOGO.as_bytes()));
        assert_eq!(headers[header::CONTENT_TYPE], "image/webp");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(headers[header::CACHE_CONTROL].to_str().expect("text").contains("immutable"));
        // It is that company's: under another's id the same content is nothing.
        let elsewhere = logo.replace(&shop.tenant.to_string(), &other.tenant.to_string());
        assert_eq!(fetch(&shop, &elsewhere).await.0, 404);
        let hash = logo.rsplit('/').next().expect("a hash").to_owned();
        assert_eq!(fetch(&shop, &logo.replace(&hash, &hash[1..])).await.0, 404);

        let theirs = other.get(&neighbour, "/pulse").await.body;
        assert!(!theirs.contains("Harbour<") && !theirs.contains("/brand/"), "{theirs}");
        assert_eq!(shop.get(&neighbour, &here(&shop)).await.status, 404);
        // Nobody at the server's own door sees whose servers these are.
        assert!(!shop.get("", "/sign-in").await.body.contains("Harbour"));

        let reset = ask(&shop, Method::DELETE, &here(&shop), &session, None).await;
        assert_eq!(reset.status, 204);
        let after = shop.get(&session, "/pulse").await.body;
        assert_eq!(after.contains("/brand/"), plain.contains("/brand/"));
        assert!(after.contains("· Portolan</title>"));
        assert_eq!(fetch(&shop, logo).await.0, 404, "what was taken back is gone");
        assert!(shop.rows::<tenant_branding::Entity>().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_run_is_refused_or_stays_text() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        let behind = [LOGO.as_bytes(), b"<script>alert(1)</script>"].concat();
        for file in [&svg[..], b"<html>", b"", &behind, b"GIF89a\x01\0\x01\0", &vec![0x89_u8; 300 << 10]] {
            let refused = put_logo(&shop, &session, file).await;
            assert_eq!(refused.status, 422, "{}", refused.body);
        }
        let odd = json!({ "data_base64": "*" });
        let path = format!("{}/logo", here(&shop));
        assert_eq!(ask(&shop, Method::PUT, &path, &session, Some(&odd)).await.status, 422);
        for accent in ["red", "#fff", "#0f5280;}*{display:none", "url(//evil.example)", "#0f5280\n"] {
            let refused = put(&shop, &session, &json!({ "accent": accent })).await;
            // Blanks at its ends are nobody's colour.
            let wanted = if accent.trim().len() == 7 { 200 } else { 422 };
            assert_eq!(refused.status, wanted, "{accent:?}: {}", refused.body);
        }
        let named = json!({ "name": "</title><script>alert(1)</script>", "mail_sender": "<b>" });
        assert_eq!(put(&shop, &session, &named).await.status, 422, "no sender");
        let named = json!({ "name": "</title><script>alert(1)</script>" });
        assert_eq!(put(&shop, &session, &named).await.status, 200);
        for path in ["/pulse", "/admin/branding", "/account"] {
            let page = shop.get(&session, path).await.body;
            assert!(!page.contains("<script>alert"), "{path}");
        }
        for style in ["x.css", "0f5280-0000000000000000.css", "0f5280", "}*{.css", "../../etc/passwd"] {
            assert_eq!(fetch(&shop, &format!("/brand/colours/{style}")).await.0, 404, "{style}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_before_saving_changes_nothing() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let look = "/admin/branding?preview=yes&name=Quay&accent=%23a82a23";
        let page = shop.get(&session, look).await.body;
        assert!(page.contains("<span>Quay</span>") && page.contains("/brand/colours/a82a23-"), "{page}");
        assert!(page.contains("Nothing is saved yet"));
        assert!(shop.rows::<tenant_branding::Entity>().await.is_empty());
        let page = shop.get(&session, "/admin/branding?preview=yes&accent=red").await.body;
        assert!(page.contains("six hexadecimal digits"), "{page}");
        let analyst = shop.get(&session, "/admin/branding").await;
        assert!(!analyst.body.contains("Quay"));
    })
    .await;
}
