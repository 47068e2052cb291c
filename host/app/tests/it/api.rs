//! The JSON API says what is wrong, and knows nothing of other tenants.

use portolan_db::entity::connection;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_things_do_not_exist() {
    on_both(migrate, async |test| {
        let (mine, theirs) = (TestApp::new(test, "mine").await, TestApp::new(test, "theirs").await);
        theirs.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let connection = theirs.connect().await;
        let sync = theirs.sync(connection).await;
        let session = mine.session().await;
        for path in [
            format!("/api/v1/syncs/{}", sync.id),
            format!("/api/v1/syncs/{}/dead-letters", sync.id),
            format!("/api/v1/connections/{connection}"),
            format!("/api/v1/connections/{connection}/streams"),
        ] {
            let answer = mine.get(&session, &path).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.problem()["code"]),
                (404, &json!("not_found")),
                "{path}"
            );
        }
        for action in ["cancel", "pause", "resume"] {
            let path = format!("/api/v1/syncs/{}/{action}", sync.id);
            assert_eq!(mine.post_json(&session, &path, "").await.status, 404, "{path}");
        }
        let start = json!({ "connection_id": connection }).to_string();
        assert_eq!(mine.post_json(&session, "/api/v1/syncs", &start).await.status, 404);
        assert_eq!(mine.get(&session, &format!("/syncs/{}", sync.id)).await.status, 404);
        for list in ["/api/v1/syncs", "/api/v1/connections"] {
            let answer = mine.get(&session, list).await;
            let page: Value = serde_json::from_str(&answer.body).expect("json");
            assert_eq!(page["data"], json!([]), "{list}");
        }
        mine.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_not_accepted_are_named() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let wrong = json!({
            "plugin_id": "fake", "label": " ", "time_zone": "Mars/Olympus", "config": { "shop": "harbour" }
        });
        let answer = shop.post_json(&session, "/api/v1/connections", &wrong.to_string()).await;
        let problem = answer.problem();
        assert_eq!(answer.status, 422);
        let pointers: Vec<&str> = problem["errors"]
            .as_array()
            .expect("fields")
            .iter()
            .filter_map(|field| field["pointer"].as_str())
            .collect();
        for field in ["label", "time_zone", "consent", "token"] {
            assert!(pointers.iter().any(|pointer| pointer.contains(field)), "{field} in {pointers:?}");
        }
    })
    .await;
}

/// A misspelt secret would else be stored in clear.
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_the_plugin_does_not_declare_is_refused_by_name() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let mut body = json!({
            "plugin_id": "fake", "label": "Harbour", "time_zone": "UTC", "consent": true,
            "config": { "shop": "harbour", "token": "open-sesame", "tokn": "open-sesame-too" }
        });
        let answer = shop.post_json(&session, "/api/v1/connections", &body.to_string()).await;
        let problem = answer.problem();
        assert_eq!(answer.status, 422);
        assert!(problem["errors"][0]["pointer"].as_str().is_some_and(|at| at.contains("tokn")), "{problem}");
        let said = problem["errors"][0].to_string();
        assert!(said.contains("tokn is not a field of this plugin, which has shop, token here"), "{said}");
        assert!(!answer.body.contains("open-sesame"), "no value comes back");
        assert!(shop.rows::<connection::Entity>().await.is_empty());

        body["config"] = json!({ "shop": "harbour", "token": "open-sesame" });
        let made = shop.post_json(&session, "/api/v1/connections", &body.to_string()).await;
        assert_eq!(made.status, 201, "{}", made.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_answered_with_a_problem() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        for path in ["/api/v1/syncs", "/api/v1/connections", "/api/v1/queries"] {
            for body in ["", "{", "[]", "{\"unknown\": 1}"] {
                let answer = shop.post_json(&session, path, body).await;
                assert!(answer.status.is_client_error(), "{path} {body:?}: {}", answer.status);
                answer.problem();
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_nobody_was_given_is_refused() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        for path in [
            "/api/v1/syncs?cursor=forged",
            "/api/v1/connections?cursor=forged",
            "/api/v1/syncs?limit=many",
            "/api/v1/syncs/nonsense",
            "/api/v1/orders/nonsense",
        ] {
            let answer = shop.get(&session, path).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
            answer.problem();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_be_read_is_answered_with_a_page() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        for path in ["/syncs/nonsense", "/connections/nonsense", "/orders/nonsense"] {
            let answer = shop.get(&session, path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(answer.body.starts_with("<!doctype html>"), "{path}: {}", answer.body);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_started_and_followed_over_the_api() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let connection = shop.connect().await;
        let session = shop.session().await;
        let body = json!({ "connection_id": connection }).to_string();
        let started = shop.post_json(&session, "/api/v1/syncs", &body).await;
        assert_eq!(started.status, 202, "{}", started.body);
        let sync: Value = serde_json::from_str(&started.body).expect("json");
        assert_eq!(shop.post_json(&session, "/api/v1/syncs", &body).await.status, 409);
        shop.work().await;
        let path = format!("/api/v1/syncs/{}", sync["id"].as_str().expect("an id"));
        let shown: Value = serde_json::from_str(&shop.get(&session, &path).await.body).expect("json");
        assert_eq!((&shown["state"], &shown["seen"]), (&json!("succeeded"), &json!(1)));
        shop.assert_idle().await;
    })
    .await;
}
