//! What a browser is told that it may run: nothing inline, anywhere.

use std::io::Read as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use portolan_app::router::{route_infos, router};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::doors::Answer;
use crate::support::*;

#[track_caller]
fn policy_of<'a>(path: &str, answer: &'a Answer) -> &'a str {
    let policies: Vec<_> = answer.headers.get_all("content-security-policy").iter().collect();
    assert_eq!(policies.len(), 1, "{path}");
    policies[0].to_str().expect("text")
}

fn directives(policy: &str) -> Vec<(&str, &str)> {
    let parts = policy.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.split_once(' ').unwrap_or((part, ""))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_lets_anything_unsafe_run() {
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let session = shop.session().await;
    let (api, pages) = route_infos();
    let routes = api.iter().chain(&pages).filter(|route| route.method == "GET" && route.path != "/events");
    let mut paths: Vec<String> = routes
        .map(|route| {
            let nobody = Uuid::nil().to_string();
            let segments =
                route.path.split('/').map(|part| if part.starts_with('{') { &nobody } else { part });
            segments.collect::<Vec<_>>().join("/")
        })
        .collect();
    let others =
        ["/api/docs/", "/api/docs/swagger-ui-bundle.js", "/api/openapi.json", "/nowhere", "/api/v1/nowhere"];
    paths.extend(others.map(str::to_owned));
    for path in paths {
        for cookie in [session.as_str(), ""] {
            let answer = shop.get(cookie, &path).await;
            let policy = policy_of(&path, &answer);
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
            let directives = directives(policy);
            let of = |name: &str| {
                let found = directives.iter().find(|(directive, _)| *directive == name);
                found.unwrap_or_else(|| panic!("{path}: no {name} in {policy}")).1
            };
            assert_eq!(of("default-src"), "'none'", "{path}");
            assert_eq!(of("script-src"), "'self'", "{path}");
            for closed in ["object-src", "base-uri", "frame-ancestors"] {
                assert_eq!(of(closed), "'none'", "{path}: {closed}");
            }
            assert_eq!(of("form-action"), "'self'", "{path}");
            let explorer = path.starts_with("/api/docs") && !path.starts_with("/api/docs/problems");
            assert!(of("style-src") == "'self'" || explorer, "{path}: {policy}");
        }
    }
}

/// Nothing of it would run; so nothing of it is written.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_script_a_style_or_a_handler_inline() {
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let session = shop.session().await;
    let (_, pages) = route_infos();
    for route in pages.iter().filter(|route| route.method == "GET" && !route.path.contains('{')) {
        if ["/events", "/"].contains(&route.path.as_str()) {
            continue;
        }
        let page = shop.get(&session, &route.path).await;
        if !page.content_type.starts_with("text/html") {
            continue;
        }
        let body = page.body.to_ascii_lowercase();
        assert!(
            !body.contains("<style") && !body.contains(" style=") && !body.contains("javascript:"),
            "{}",
            route.path
        );
        for tag in body.split('<').skip(1) {
            let head = tag.split('>').next().unwrap_or_default();
            assert!(
                !head.starts_with("script") || head.contains(" src=\"/assets/"),
                "{}: {head}",
                route.path
            );
            let handler = head
                .split_whitespace()
                .skip(1)
                .find(|attribute| attribute.starts_with("on") && attribute.contains('='));
            assert_eq!(handler, None, "{}: {head}", route.path);
        }
    }
}

/// The explorer's files come packed, whoever asks.
async fn unpacked(shop: &TestApp, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = router(Arc::clone(&shop.app)).oneshot(request).await.expect("an answer");
    let packed = answer.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
    let body = to_bytes(answer.into_body(), 16 << 20).await.expect("a body");
    if !packed {
        return String::from_utf8(body.to_vec()).expect("text");
    }
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).expect("packed text");
    text
}

/// A newer bundle that writes something else fails here, and not in front of somebody.
#[tokio::test(flavor = "multi_thread")]
async fn the_one_style_of_the_explorer_is_the_one_that_its_policy_names() {
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let explorer = shop.get("", "/api/docs/").await;
    let policy = policy_of("/api/docs/", &explorer).to_owned();
    let page = unpacked(&shop, "/api/docs/").await;
    assert!(
        page.contains("swagger-ui-bundle.js") && !page.contains("<style") && !page.contains("<script>"),
        "{page}"
    );
    let bundle = unpacked(&shop, "/api/docs/swagger-ui-standalone-preset.js").await;
    // It is the only text of the bundle that begins so, and ends with its quotation marks.
    let begins = bundle
        .find(".logo_small_svg__cls-2{")
        .expect("another style: look at it in a browser, and name its hash");
    let style = bundle[begins..].split(['"', '\'', '`']).next().unwrap_or_default();
    assert!(style.ends_with('}') && style.len() < 200, "{style}");
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    assert!(policy.contains(&format!("style-src 'self' 'sha256-{hash}'")), "{policy}");
}
