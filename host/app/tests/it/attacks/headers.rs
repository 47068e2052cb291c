//! Somebody writes line breaks where they come back in a header.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use portolan_app::people::{NewTenant, add_owner};
use portolan_app::router::{route_infos, router};
use portolan_core::Duration;
use tower::ServiceExt;

use crate::doors::Answer;
use crate::support::*;

const PASSWORD: &str = "a harbour at dusk, 1487";

/// Line breaks as they are sent in an address or a form; what follows them would be a header or a body of its own.
const BREAKS: [&str; 10] = [
    "%0D%0ASet-Cookie:%20planted=1",
    "%0ASet-Cookie:%20planted=1",
    "%0DSet-Cookie:%20planted=1",
    "%0D%0A%0D%0A%3Cscript%3Ealert(1)%3C/script%3E",
    "%250D%250ASet-Cookie:%20planted=1",
    "%E5%98%8A%E5%98%8DSet-Cookie:%20planted=1",
    "%C0%8D%C0%8ASet-Cookie:%20planted=1",
    "%00%0D%0ASet-Cookie:%20planted=1",
    "%22%0D%0ASet-Cookie:%20planted=1",
    "%E2%80%A8Set-Cookie:%20planted=1",
];

async fn ask(routes: &Router, request: Request<Body>) -> Answer {
    Answer::read(routes.clone().oneshot(request).await.expect("an answer")).await
}

/// Nothing that was sent became a header, and nothing broke over it.
#[track_caller]
fn assert_harmless(what: &str, answer: &Answer) {
    assert!(answer.status.as_u16() < 500, "{what}: {} {}", answer.status, answer.body);
    for (name, value) in &answer.headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        assert!(!text.chars().any(char::is_control), "{what}: {name}: {text:?}");
        if name == header::SET_COOKIE {
            assert!(text.starts_with("ptl_") || text.starts_with("__Host-ptl_"), "{what}: {text}");
        }
        // Percent-encoded it is part of an address; as it is it would be a header of the next proxy.
        assert!(!text.contains("planted=1"), "{what}: {name}: {text}");
    }
    if let Some(place) = &answer.location {
        assert!(place.starts_with('/') && !place.starts_with("//"), "{what}: {place}");
    }
    // JSON is no markup, and says that it is none.
    let is_page = answer.content_type.starts_with("text/html");
    assert!(!(is_page && answer.body.contains("<script>alert(1)")), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_break_becomes_a_header() {
    // Nothing of it reaches a database.
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let tenant =
        NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
    add_owner(&shop.app, "mara", Some(PASSWORD), tenant).await.expect("an owner");
    let (session, routes) = (shop.session().await, router(Arc::clone(&shop.app)));
    let (api, pages) = route_infos();
    let paths: BTreeSet<&str> = api
        .iter()
        .chain(&pages)
        .filter(|route| route.method == "GET")
        .map(|route| route.path.as_str())
        .collect();
    assert!(paths.len() > 40);

    for broken in BREAKS {
        for path in &paths {
            // An open stream never ends.
            if *path == "/events" {
                continue;
            }
            let segments =
                path.split('/').map(|segment| if segment.starts_with('{') { broken } else { segment });
            let in_path = segments.collect::<Vec<_>>().join("/");
            let in_query = format!(
                "{}?next={broken}&cursor={broken}&limit=5&done={broken}&from={broken}&{broken}={broken}",
                in_path.replace(broken, &Uuid::nil().to_string())
            );
            for cookie in ["", session.as_str()] {
                for address in [&in_path, &in_query] {
                    let request = Request::get(address).header(header::COOKIE, cookie).body(Body::empty());
                    let Ok(request) = request else { continue };
                    assert_harmless(address, &ask(&routes, request).await);
                }
            }
        }
        // Where somebody is led after signing in, and the page that they came from.
        let sign_in = format!(
            "name=mara&password={}&next=/pulse{broken}",
            PASSWORD.replace(' ', "+").replace(',', "%2C")
        );
        for (path, form) in [
            ("/sign-in", sign_in),
            ("/sign-in/second-step", format!("code=1&next={broken}")),
            ("/sign-in/again", format!("code=1&next={broken}")),
            ("/account/password", format!("new_password={broken}&repeated={broken}")),
            ("/admin/people", format!("name={broken}&role.viewer=on")),
            ("/admin/api-keys", format!("name={broken}&days=1&scope=orders%3Aread")),
        ] {
            let request = Request::post(path)
                .header(header::COOKIE, &session)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::REFERER, format!("http://portolan.example/account?x={broken}"))
                .header("sec-fetch-site", "same-origin")
                .body(Body::from(form));
            assert_harmless(path, &ask(&routes, request.expect("a request")).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_calls_itself_comes_back_in_no_header() {
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let session = shop.session().await;
    shop.advance(Duration::from_secs(1));
    for name in [
        "x-request-id",
        "idempotency-key",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-for",
        "forwarded",
        "origin",
        "if-none-match",
        "accept",
        "portolan-tenant",
    ] {
        for path in ["/pulse", "/api/v1/orders", "/nowhere", "/sign-in"] {
            let request = Request::builder()
                .method(Method::GET)
                .uri(path)
                .header(header::COOKIE, &session)
                .header(name, "planted-here");
            let answer = shop.ask(request.body(Body::empty()).expect("a request")).await;
            for (header, value) in &answer.headers {
                let text = String::from_utf8_lossy(value.as_bytes());
                assert!(!text.contains("planted-here"), "{name} came back as {header} of {path}");
            }
        }
    }
}
