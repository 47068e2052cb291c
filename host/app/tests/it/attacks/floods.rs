//! Somebody asks more often than anybody needs to.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use portolan_app::web::client::Peer;
use portolan_app::web::limits::{Allowances, RequestLimits};
use portolan_core::{Duration, Instant, ManualClock};
use serde_json::Value;

use crate::doors::Answer;
use crate::support::*;

async fn limited(test: &TestDatabase, allowances: Allowances) -> (TestApp, ManualClock) {
    let mut shop = TestApp::new(test, "shop").await;
    let clock = ManualClock::at(Instant(0));
    let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
    app.limits = RequestLimits::new(Arc::new(clock.clone()), allowances);
    (shop, clock)
}

async fn ask(
    shop: &TestApp,
    address: &str,
    path: &str,
    credential: Option<(header::HeaderName, &str)>,
) -> Answer {
    let peer: SocketAddr = format!("{address}:40000").parse().expect("an address");
    let mut request = Request::get(path);
    if let Some((name, value)) = credential {
        request = request.header(name, value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(Peer(peer));
    shop.ask(request).await
}

fn header_of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_is_counted_by_address_and_told_when_to_come_again() {
    on_both(migrate, async |test| {
        let (shop, clock) = limited(test, Allowances { per_client: 6, per_caller: 100 }).await;
        let session = shop.session().await;
        for left in (0..6).rev() {
            let answer = ask(&shop, "198.51.100.7", "/api/v1/orders", None).await;
            assert_eq!(answer.status, 401);
            assert_eq!(header_of(&answer, "ratelimit-policy"), "\"client\";q=6;w=60");
            assert!(header_of(&answer, "ratelimit").starts_with(&format!("\"client\";r={left};t=")));
        }
        let refused = ask(&shop, "198.51.100.7", "/api/v1/orders", None).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.problem()["code"], "too_many_requests");
        assert_eq!(header_of(&refused, "retry-after"), "10");
        assert_eq!(header_of(&refused, "ratelimit"), "\"client\";r=0;t=10");
        assert!(refused.body.contains("10 seconds"), "{}", refused.body);

        // A page says the same in words, and a session's cookie that is none opens nothing.
        let page = ask(&shop, "198.51.100.7", "/sign-in", None).await;
        assert_eq!((page.status.as_u16(), header_of(&page, "retry-after")), (429, "10"));
        assert!(page.content_type.starts_with("text/html") && page.body.contains("10 seconds"));
        let made_up = Some((header::COOKIE, "ptl_session=made-up"));
        assert_eq!(ask(&shop, "198.51.100.7", "/api/v1/orders", made_up).await.status, 429);
        assert_eq!(ask(&shop, "198.51.100.7", "/api/v1/health/live", None).await.status, 200);
        assert_eq!(ask(&shop, "198.51.100.7", "/api/v1/health/ready", None).await.status, 200);
        // Our own styles are everybody's.
        assert_ne!(ask(&shop, "198.51.100.7", "/assets/none.css", None).await.status, 429);

        // Elsewhere nobody notices, and those who are known don't spend it.
        for _ in 0..30 {
            let answer = ask(&shop, "203.0.113.9", "/api/v1/orders", Some((header::COOKIE, &session))).await;
            assert_eq!(answer.status, 200);
            assert!(header_of(&answer, "ratelimit").starts_with("\"caller\";r="), "{:?}", answer.headers);
        }
        assert_eq!(ask(&shop, "203.0.113.9", "/api/v1/orders", None).await.status, 401);
        clock.advance(Duration::from_secs(10));
        assert_eq!(ask(&shop, "198.51.100.7", "/sign-in", None).await.status, 200);
        assert_eq!(ask(&shop, "198.51.100.7", "/sign-in", None).await.status, 429);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_session_and_each_key_has_its_own_allowance() {
    on_both(migrate, async |test| {
        let (shop, clock) = limited(test, Allowances { per_client: 1_000, per_caller: 12 }).await;
        let (mine, theirs) = (shop.session().await, shop.session().await);
        let made = r#"{"name": "till", "scopes": ["orders:read"]}"#;
        let made = shop.post_json(&theirs, "/api/v1/api-keys", made).await;
        let made: Value = serde_json::from_str(&made.body).expect("json");
        let key = format!("Bearer {}", made["key"].as_str().expect("a key"));
        for credential in [(header::COOKIE, mine.as_str()), (header::AUTHORIZATION, key.as_str())] {
            for number in 0..12 {
                // From wherever they ask.
                let answer =
                    ask(&shop, &format!("198.51.100.{number}"), "/api/v1/orders", Some(credential.clone()))
                        .await;
                assert_eq!(answer.status, 200, "{}", answer.body);
            }
            let refused = ask(&shop, "203.0.113.9", "/api/v1/orders", Some(credential.clone())).await;
            assert_eq!((refused.status.as_u16(), header_of(&refused, "retry-after")), (429, "5"));
            assert_eq!(refused.problem()["code"], "too_many_requests");
        }
        let page = ask(&shop, "203.0.113.9", "/orders", Some((header::COOKIE, &mine))).await;
        assert_eq!(page.status, 429);
        assert_eq!(ask(&shop, "203.0.113.9", "/orders", Some((header::COOKIE, &theirs))).await.status, 200);
        clock.advance(Duration::from_secs(5));
        assert_eq!(ask(&shop, "203.0.113.9", "/orders", Some((header::COOKIE, &mine))).await.status, 200);
    })
    .await;
}
