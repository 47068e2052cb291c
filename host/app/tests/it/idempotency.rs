//! A request with an `Idempotency-Key` is done once, however often and however parallel it is sent.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_app::connections::change::revision;
use portolan_core::Duration;
use portolan_db::entity::{idempotency_key, sync};
use serde_json::{Value, json};

use crate::doors::Answer;
use crate::support::*;

async fn send(shop: &TestApp, session: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header(header::COOKIE, session)
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "same-origin")
        .header("idempotency-key", key);
    shop.ask(request.body(Body::from(body.to_string())).expect("a request")).await
}

fn was_replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotency-replayed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_has_the_first_answer_and_no_second_effect() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let body = json!({ "connection_id": shop.connect().await });
        let session = shop.session().await;
        let first = send(&shop, &session, "/api/v1/syncs", "k-1", &body).await;
        assert_eq!((first.status.as_u16(), was_replayed(&first)), (202, false), "{}", first.body);
        let again = send(&shop, &session, "/api/v1/syncs", "k-1", &body).await;
        assert_eq!((again.status.as_u16(), was_replayed(&again)), (202, true));
        assert_eq!((again.body, again.content_type), (first.body, first.content_type));
        assert_eq!(shop.rows::<sync::Entity>().await.len(), 1);

        // Another key is another request: a sync is under way, and this answer is kept, too.
        let other = send(&shop, &session, "/api/v1/syncs", "k-2", &body).await;
        let repeated = send(&shop, &session, "/api/v1/syncs", "k-2", &body).await;
        assert_eq!((other.status, &other.body), (repeated.status, &repeated.body));
        assert!(was_replayed(&repeated));

        let mismatch = send(&shop, &session, "/api/v1/syncs", "k-1", &json!({})).await;
        assert_eq!(
            (mismatch.status.as_u16(), &mismatch.problem()["code"]),
            (422, &json!("idempotency_mismatch"))
        );
        assert_eq!(
            mismatch.problem()["request_id"].as_str(),
            mismatch.headers["x-request-id"].to_str().ok(),
            "what is told refers to this request"
        );
        // The key is good for its address alone.
        let elsewhere = send(&shop, &session, "/api/v1/queries", "k-1", &body).await;
        assert!(!was_replayed(&elsewhere));
        for bad in ["", &"k".repeat(256)] {
            assert_eq!(send(&shop, &session, "/api/v1/syncs", bad, &body).await.status, 400);
        }

        shop.advance(Duration::from_hours(25));
        let forgotten = send(&shop, &shop.session().await, "/api/v1/syncs", "k-1", &body).await;
        assert!(!was_replayed(&forgotten));
        let kept = shop.rows::<idempotency_key::Entity>().await;
        assert_eq!(kept.len(), 1, "a day later the others are gone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_is_done() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let body = json!({ "connection_id": shop.connect().await });
        let session = shop.session().await;
        let sent = (0..20).map(|_| send(&shop, &session, "/api/v1/syncs", "once", &body));
        let answers = futures::future::join_all(sent).await;
        let done = answers.iter().filter(|answer| answer.status == 202 && !was_replayed(answer)).count();
        assert_eq!(done, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        for answer in answers.iter().filter(|answer| answer.status != 202) {
            assert_eq!(answer.problem()["code"], "idempotency_unsettled");
            assert!(answer.headers.contains_key(header::RETRY_AFTER));
        }
        assert_eq!(shop.rows::<sync::Entity>().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_different_people_are_different() {
    on_both(migrate, async |test| {
        let (mine, theirs) = (TestApp::new(test, "mine").await, TestApp::new(test, "theirs").await);
        for shop in [&mine, &theirs] {
            let body = json!({ "connection_id": shop.connect().await });
            let answer = send(shop, &shop.session().await, "/api/v1/syncs", "shared", &body).await;
            assert_eq!((answer.status.as_u16(), was_replayed(&answer)), (202, false), "{}", answer.body);
        }
        // Nobody who is not signed in leaves a trace.
        let nobody = send(&mine, "ptl_session=none", "/api/v1/syncs", "anonymous", &json!({})).await;
        assert_eq!(nobody.status, 401);
        assert_eq!(mine.rows::<idempotency_key::Entity>().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_mended_in_its_condition_is_another_one() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        let session = shop.session().await;
        let rename = async |revision: &str| {
            let request = Request::patch(format!("/api/v1/connections/{id}"))
                .header(header::COOKIE, &session)
                .header(header::CONTENT_TYPE, "application/json")
                .header("sec-fetch-site", "same-origin")
                .header(header::IF_MATCH, format!("\"{revision}\""))
                .header("idempotency-key", "rename");
            let body = json!({ "label": "Quay shop" }).to_string();
            shop.ask(request.body(Body::from(body)).expect("a request")).await
        };
        assert_eq!(rename("stale").await.status, 412);
        let mended = rename(&revision(&shop.connection_row(id).await)).await;
        assert_eq!(
            (mended.status.as_u16(), was_replayed(&mended)),
            (422, false),
            "not the first one's answer"
        );
    })
    .await;
}
