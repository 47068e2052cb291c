//! Who comes in, and what everybody else is told.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use portolan_app::people::{NewTenant, add_owner};
use portolan_app::router::router;
use portolan_app::web::problem::{PROBLEMS, address};
use serde_json::Value;
use tower::ServiceExt;

use crate::support::*;

/// What came back, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub location: Option<String>,
    pub cookie: Option<String>,
    pub content_type: String,
    pub body: String,
}

impl Answer {
    pub async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let (status, headers) = (parts.status, parts.headers);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (location, cookie) = (text(header::LOCATION), text(header::SET_COOKIE));
        let content_type = text(header::CONTENT_TYPE).unwrap_or_default();
        let body = to_bytes(body, 16 << 20).await.expect("a body");
        let body = String::from_utf8_lossy(&body).into_owned();
        Self { status, headers, location, cookie, content_type, body }
    }

    /// The body as problem details; fails where it is none.
    #[track_caller]
    pub fn problem(&self) -> Value {
        assert_eq!(self.content_type, "application/problem+json", "{} {}", self.status, self.body);
        let problem: Value = serde_json::from_str(&self.body).expect("json");
        assert_eq!(problem["status"], self.status.as_u16());
        // Its kind is documented where its type points to.
        let code = problem["code"].as_str().expect("a code");
        assert_eq!(problem["type"], address(code));
        assert!(PROBLEMS.iter().any(|kind| kind.code == code), "{code} is not documented");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        problem
    }
}

impl TestApp {
    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let router = router(std::sync::Arc::clone(&self.app));
        Answer::read(router.oneshot(request).await.expect("an answer")).await
    }

    /// The cookie of a session of the owner.
    pub async fn session(&self) -> String {
        let link = self.app.sessions.create_link(self.tenant, self.user).await.expect("a link");
        let session = self
            .app
            .sessions
            .sign_in_with_link(&link, portolan_access::Client::default())
            .await
            .expect("a session");
        format!("ptl_session={}", session.token)
    }

    pub async fn get(&self, session: &str, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, session);
        self.ask(request.body(Body::empty()).expect("a request")).await
    }

    pub async fn post_json(&self, session: &str, path: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, session)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(body.to_owned())).expect("a request")).await
    }
}

fn plain(method: Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_is_sent_to_the_sign_in_page() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = Uuid::nil();
        let pages = ["/pulse", "/connections", "/connections/new", "/syncs", "/orders", "/plugins"];
        let things = [format!("/connections/{id}"), format!("/syncs/{id}"), format!("/orders/{id}")];
        for page in pages.iter().map(|page| (*page).to_owned()).chain(things) {
            let answer = shop.ask(plain(Method::GET, &page)).await;
            let place = answer.location.unwrap_or_default();
            assert!(answer.status.is_redirection() && place.starts_with("/sign-in"), "{page}: {place}");
        }
        assert_eq!(shop.ask(plain(Method::GET, "/sign-in")).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_back_to_the_page_that_was_asked_for() {
    const PASSWORD: &str = "a harbour at dusk, 1487";
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let tenant =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, "mara", Some(PASSWORD), tenant).await.expect("an owner");

        let asked = "/orders?from=2026-05-01&until=2026-05-31";
        let sent = shop.ask(plain(Method::GET, asked)).await.location.expect("a place");
        assert_eq!(sent, "/sign-in?next=/orders%3Ffrom%3D2026-05-01%26until%3D2026-05-31");
        let form = shop.ask(plain(Method::GET, &sent)).await.body;
        assert!(
            form.contains(r#"name="next" value="/orders?from=2026-05-01&#38;until=2026-05-31""#),
            "{form}"
        );
        // What was sent is not sent again.
        let posted = shop.ask(plain(Method::POST, "/syncs")).await;
        assert!(posted.location.is_none_or(|place| place == "/sign-in"), "{}", posted.status);

        let sign_in = async |password: &str, next: &str| {
            let form = format!("name=mara&password={}&next={next}", password.replace(' ', "+"));
            let request = Request::post("/sign-in")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin");
            shop.ask(request.body(Body::from(form)).expect("a request")).await
        };
        let next = sent.split_once("next=").expect("a query").1;
        let wrong = sign_in("no harbour", next).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.body.contains(r#"name="next""#), "a typing error keeps the way back");
        assert_eq!(sign_in(PASSWORD, next).await.location.as_deref(), Some(asked));
        for trap in [
            "",
            "//evil.example",
            "%2F%2Fevil.example",
            "/%5Cevil.example",
            "%5C%5Cevil.example",
            "https%3A%2F%2Fevil.example",
            "https:evil.example",
            "/%09/evil.example",
            "/%0A/evil.example",
            "/pulse%0D%0ASet-Cookie:a=b",
            "/%C3%A9",
            "/%00",
        ] {
            let answer = sign_in(PASSWORD, trap).await;
            assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (303, Some("/pulse")), "{trap}");
            let page = shop.ask(plain(Method::GET, &format!("/sign-in?next={trap}"))).await;
            assert!(page.status == 200 && !page.body.contains(r#"name="next""#), "{trap}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_problem_has_its_page_for_everybody() {
    let test = TestDatabase::sqlite(migrate).await;
    let shop = TestApp::new(&test, "shop").await;
    let all = shop.ask(plain(Method::GET, "/api/docs/problems")).await;
    assert_eq!(all.status, 200);
    for kind in &PROBLEMS {
        let page = shop.ask(plain(Method::GET, &address(kind.code))).await;
        assert!(page.status == 200 && page.body.contains(kind.code), "{}", kind.code);
        assert!(all.body.contains(&address(kind.code)), "{}", kind.code);
    }
    assert_eq!(shop.ask(plain(Method::GET, "/api/docs/problems/no-such")).await.status, 404);
    // The explorer below the same root still answers.
    assert_ne!(shop.ask(plain(Method::GET, "/api/docs/")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_answer_already_is_told_so() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let session = shop.session().await;
        for path in [format!("/api/v1/connections/{connection}"), "/api/v1/plugins/fake".to_owned()] {
            let asked = async |known: Option<&str>| {
                let request = Request::get(&path).header(header::COOKIE, &session);
                let request = match known {
                    Some(known) => request.header(header::IF_NONE_MATCH, known),
                    None => request,
                };
                let router = router(std::sync::Arc::clone(&shop.app));
                let response = router.oneshot(request.body(Body::empty()).expect("a request")).await;
                let response = response.expect("an answer");
                let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
                (response.status().as_u16(), tag.map(str::to_owned))
            };
            let (status, tag) = asked(None).await;
            let tag = tag.expect("a tag");
            assert!(status == 200 && tag.starts_with('"'), "{path}: {tag} is strong");
            assert_eq!(asked(Some(&tag)).await, (304, Some(tag.clone())), "{path}");
            assert_eq!(asked(Some("\"other\"")).await, (200, Some(tag)), "{path}");
        }
        // What failed has no version.
        let missing = shop.get(&session, &format!("/api/v1/connections/{}", Uuid::nil())).await;
        assert_eq!(missing.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_another_site_made_the_browser_send_is_refused() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let session = shop.session().await;
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let request = Request::post("/api/v1/syncs")
                .header(header::COOKIE, &session)
                .header(header::HOST, "portolan.example")
                .header(header::CONTENT_TYPE, "application/json")
                .header(name, value)
                .body(Body::from(format!(r#"{{"connection_id": "{connection}"}}"#)));
            let answer = shop.ask(request.expect("a request")).await;
            assert_eq!(answer.status, 403, "{name}: {value}");
            assert_eq!(answer.problem()["code"], "cross_site");
        }
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_link_signs_in_once() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
        let path = format!("/sign-in/link/{link}");
        // Looking does not use it up.
        assert_eq!(shop.ask(plain(Method::GET, &path)).await.status, 200);
        assert_eq!(shop.ask(plain(Method::GET, &path)).await.status, 200);
        let signed_in = shop.ask(plain(Method::POST, &path)).await;
        assert_eq!((signed_in.status.as_u16(), signed_in.location.as_deref()), (303, Some("/pulse")));
        let cookie = signed_in.cookie.expect("a cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        let session = cookie.split(';').next().expect("a pair");
        assert_eq!(shop.get(session, "/pulse").await.status, 200);
        let again = shop.ask(plain(Method::POST, &path)).await;
        assert_eq!((again.status.as_u16(), again.cookie), (410, None));
        assert_eq!(shop.ask(plain(Method::GET, &path)).await.status, 410);

        let out = Request::post("/sign-out")
            .header(header::COOKIE, session)
            .header("sec-fetch-site", "same-origin");
        shop.ask(out.body(Body::empty()).expect("a request")).await;
        assert!(shop.get(session, "/pulse").await.status.is_redirection(), "signed out is out");
    })
    .await;
}
