//! Another site makes a browser send something: every unsafe route, by every mixture of what a browser says of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use portolan_app::router::{route_infos, router};
use portolan_app::web::route::RouteInfo;
use tower::ServiceExt;

use crate::doors::Answer;
use crate::support::*;

const HOST: &str = "portolan.example";

/// What `Sec-Fetch-Site` says, if anything: the four words that it has, and what no browser sends.
const SITES: [Option<&str>; 8] = [
    None,
    Some("same-origin"),
    Some("same-site"),
    Some("cross-site"),
    Some("none"),
    Some(""),
    Some("Same-Origin"),
    Some("same-origin, cross-site"),
];

const ORIGINS: [Option<&str>; 8] = [
    None,
    Some("http://portolan.example"),
    Some("http://evil.example"),
    Some("http://sub.portolan.example"),
    Some("http://portolan.example.evil.example"),
    Some("http://portolan.example:81"),
    Some("null"),
    Some(""),
];

const CONTENT_TYPES: [Option<&str>; 5] = [
    None,
    Some("application/x-www-form-urlencoded"),
    Some("multipart/form-data; boundary=x"),
    Some("text/plain"),
    Some("application/json"),
];

/// The rule: what the browser says of the site decides; where it says nothing of it, the origin has to be ours; where it
/// says nothing at all, only who carries no cookie is let through.
fn may_pass(site: Option<&str>, origin: Option<&str>, cookie: bool) -> bool {
    match (site, origin) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == "http://portolan.example",
        (None, None) => !cookie,
    }
}

fn unsafe_routes() -> Vec<RouteInfo> {
    let (api, pages) = route_infos();
    api.into_iter().chain(pages).filter(|route| route.method != "GET").collect()
}

/// With nobody's id in it.
fn address(route: &RouteInfo) -> String {
    let nobody = Uuid::nil().to_string();
    let segments =
        route.path.split('/').map(|segment| if segment.starts_with('{') { &nobody } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

async fn ask(routes: &Router, request: Request<Body>) -> Answer {
    Answer::read(routes.clone().oneshot(request).await.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_unsafe_route_is_reached_from_another_site() {
    // The verdict is given before anything is read: one database is enough.
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let routes = router(Arc::clone(&shop.app));
    let (mut passed, mut refused) = (0_u32, 0_u32);
    let unsafe_routes = unsafe_routes();
    assert!(unsafe_routes.len() > 80, "{}", unsafe_routes.len());
    for (number, route) in unsafe_routes.iter().enumerate() {
        let path = address(route);
        for (turn, (site, origin)) in
            SITES.iter().flat_map(|site| ORIGINS.map(|origin| (*site, origin))).enumerate()
        {
            for cookie in [true, false] {
                // Each route by each mixture; what kind of body it is must change nothing, so they take turns.
                let content_type = CONTENT_TYPES[(turn + number) % CONTENT_TYPES.len()];
                let mut request =
                    Request::builder().method(route.method).uri(&path).header(header::HOST, HOST);
                let said = [("sec-fetch-site", site), ("origin", origin), ("content-type", content_type)];
                for (name, value) in said {
                    if let Some(value) = value {
                        request = request.header(name, value);
                    }
                }
                if cookie {
                    request = request.header(header::COOKIE, "ptl_session=made-up");
                }
                let answer = ask(&routes, request.body(Body::from("x=y")).expect("a request")).await;
                let told = answer.status == StatusCode::FORBIDDEN && answer.body.contains("\"cross_site\"");
                let expected = may_pass(site, origin, cookie);
                assert_eq!(
                    !told, expected,
                    "{} {path} {site:?} {origin:?} {content_type:?} {cookie}",
                    route.method
                );
                *(if expected { &mut passed } else { &mut refused }) += 1;
            }
        }
    }
    assert!(passed > 1_000 && refused > 5_000, "{passed} passed, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kind_of_body_changes_no_verdict() {
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let (session, routes) = (shop.session().await, router(Arc::clone(&shop.app)));
    for content_type in CONTENT_TYPES {
        for (site, origin) in SITES.iter().flat_map(|site| ORIGINS.map(|origin| (*site, origin))) {
            let mut request = Request::post("/api/v1/queries")
                .header(header::HOST, HOST)
                .header(header::COOKIE, &session)
                .header("x-http-method-override", "GET");
            for (name, value) in
                [("sec-fetch-site", site), ("origin", origin), ("content-type", content_type)]
            {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let answer = ask(&routes, request.body(Body::from("{}")).expect("a request")).await;
            let told = answer.body.contains("\"cross_site\"");
            assert_eq!(!told, may_pass(site, origin, true), "{site:?} {origin:?} {content_type:?}");
        }
    }
}
