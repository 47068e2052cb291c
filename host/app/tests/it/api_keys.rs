//! Programs come in by a key, do what it says, and nothing that people do in their sessions.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_core::Duration;
use portolan_db::entity::{audit_event, sync};
use serde_json::{Value, json};

use crate::doors::Answer;
use crate::support::*;

async fn made(shop: &TestApp, session: &str, scopes: &[&str]) -> Value {
    let body = json!({ "name": "Nightly export", "scopes": scopes }).to_string();
    let answer = shop.post_json(session, "/api/v1/api-keys", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("json")
}

async fn send(shop: &TestApp, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request = request.header(header::CONTENT_TYPE, "application/json");
    shop.ask(request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn by_key(shop: &TestApp, key: &str, method: &str, path: &str, body: &str) -> Answer {
    send(shop, method, path, &[("authorization", &format!("Bearer {key}"))], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_does_what_its_key_says_and_the_audit_tells_which() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let session = shop.session().await;
        let made = made(&shop, &session, &["syncs:run", "syncs:read"]).await;
        let (key, id) = (made["key"].as_str().expect("a key"), made["id"].as_str().expect("an id"));
        let start = json!({ "connection_id": connection }).to_string();
        // No browser: nothing says which site it comes from.
        let started = by_key(&shop, key, "POST", "/api/v1/syncs", &start).await;
        assert_eq!(started.status, 202, "{}", started.body);
        assert_eq!(by_key(&shop, key, "GET", "/api/v1/syncs", "").await.status, 200);
        let refused = by_key(&shop, key, "GET", "/api/v1/orders", "").await;
        assert_eq!((refused.status.as_u16(), &refused.problem()["code"]), (403, &json!("forbidden")));
        let mut events = shop.rows::<audit_event::Entity>().await;
        events.sort_by_key(|event| event.seq);
        let told = events.last().expect("an event");
        assert_eq!((told.action.as_str(), told.actor_kind.as_str()), ("sync.start", "api_key"));
        assert_eq!(told.actor_id.expect("a key").to_string(), id);
        assert!(!format!("{events:?}").contains(key));

        // Idempotent like a person, and apart from every person.
        let headers = [("authorization", &*format!("Bearer {key}")), ("idempotency-key", "k-1")];
        let first = send(&shop, "POST", "/api/v1/syncs", &headers, &start).await;
        let again = send(&shop, "POST", "/api/v1/syncs", &headers, &start).await;
        assert_eq!((first.status, first.body), (again.status, again.body));
        assert!(again.headers.contains_key("idempotency-replayed"));
        assert_eq!(shop.rows::<sync::Entity>().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_no_page_no_other_tenant_and_nothing_of_people_and_keys() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let session = shop.session().await;
        let theirs = other.connect().await;
        let made = made(&shop, &session, &["connections:read", "connections:write", "audit:read"]).await;
        let key = made["key"].as_str().expect("a key");
        assert_eq!(by_key(&shop, key, "GET", "/api/v1/connections", "").await.status, 200);
        for (method, path) in [
            ("GET", format!("/api/v1/connections/{theirs}")),
            ("DELETE", format!("/api/v1/connections/{theirs}?confirm=Harbour%20shop")),
        ] {
            assert_eq!(by_key(&shop, key, method, &path, "").await.status, 404, "{method} {path}");
        }
        let bearer = format!("Bearer {key}");
        for (tenant, status) in [
            ("shop", 200),
            ("other", 404),
            ("", 404),
            (&*shop.tenant.to_string(), 200),
            (&*other.tenant.to_string(), 404),
        ] {
            let headers = [("authorization", &*bearer), ("portolan-tenant", tenant)];
            assert_eq!(
                send(&shop, "GET", "/api/v1/connections", &headers, "").await.status,
                status,
                "{tenant}"
            );
        }
        let both = [("authorization", &*bearer), ("cookie", &*session)];
        assert_eq!(send(&shop, "GET", "/api/v1/connections", &both, "").await.status, 400);
        for path in ["/connections", "/pulse", "/admin/audit", "/admin/api-keys"] {
            let page = by_key(&shop, key, "GET", path, "").await;
            assert!(!page.status.is_success(), "{path}: {}", page.status);
        }
        for (method, path) in [("GET", "/api/v1/api-keys"), ("POST", "/api/v1/api-keys")] {
            let refused = by_key(&shop, key, method, path, "{}").await;
            assert_eq!(refused.status, 403, "{method} {path}: {}", refused.body);
        }
        for wrong in ["", "nonsense", &key[..50], &key.to_uppercase(), &format!("{key}0")] {
            let refused = by_key(&shop, wrong, "GET", "/api/v1/connections", "").await;
            assert_eq!(refused.status, 401, "{wrong:?}");
            assert_eq!(refused.problem()["code"], "unauthenticated");
        }
        let basic = [("authorization", "Basic eDp5")];
        assert_eq!(send(&shop, "GET", "/api/v1/connections", &basic, "").await.status, 401);
        let refused = made["id"].as_str().expect("an id");
        let body = json!({ "name": "x", "scopes": ["people:manage"] }).to_string();
        let never = shop.post_json(&session, "/api/v1/api-keys", &body).await;
        assert_eq!(never.status, 422, "{refused}: {}", never.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_on_the_page_and_over_the_api() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let form = async |path: &str, body: &str| {
            let request = Request::post(path)
                .header(header::COOKIE, &session)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin");
            shop.ask(request.body(Body::from(body.to_owned())).expect("a request")).await
        };
        let empty = shop.get(&session, "/admin/api-keys").await;
        assert!(empty.status == 200 && empty.body.contains("No keys yet"), "{}", empty.body);
        let wrong = form("/admin/api-keys", "name=Export&days=1000&scope=orders%3Aread").await;
        assert_eq!(wrong.status, 422);
        assert!(
            wrong.body.contains(r#"value="Export""#) && wrong.body.contains("1 to 730 days"),
            "{}",
            wrong.body
        );
        let made = form("/admin/api-keys", "name=Export&days=30&scope=orders%3Aread&networks=").await;
        assert_eq!(made.status, 200, "{}", made.body);
        let key = made.body.split("<pre tabindex=\"0\">").nth(1).and_then(|rest| rest.split('<').next());
        let key = key.expect("a key").to_owned();
        assert_eq!(by_key(&shop, &key, "GET", "/api/v1/orders", "").await.status, 200);
        let listed = shop.get(&session, "/admin/api-keys").await;
        assert!(listed.body.contains("Export") && !listed.body.contains(&key[38..]), "{}", listed.body);
        let all = shop.get(&session, "/api/v1/api-keys").await;
        assert!(!all.body.contains(&key[38..]), "{}", all.body);
        let all: Value = serde_json::from_str(&all.body).expect("json");
        let id = all[0]["id"].as_str().expect("an id");

        let another = form(&format!("/admin/api-keys/{id}/rotate"), "").await;
        assert_eq!(another.status, 200, "{}", another.body);
        assert_eq!(by_key(&shop, &key, "GET", "/api/v1/orders", "").await.status, 200, "goes on for a day");
        let ended = form(&format!("/admin/api-keys/{id}/revoke"), "").await;
        assert_eq!(ended.status, 303);
        assert_eq!(by_key(&shop, &key, "GET", "/api/v1/orders", "").await.status, 401);

        // What is shown once is kept for nobody who sends the request again.
        let body = json!({ "name": "Nightly", "scopes": ["orders:read"] }).to_string();
        let headers = [("cookie", &*session), ("sec-fetch-site", "same-origin"), ("idempotency-key", "k-1")];
        let first = send(&shop, "POST", "/api/v1/api-keys", &headers, &body).await;
        assert_eq!(first.status, 201, "{}", first.body);
        assert!(shop.rows::<portolan_db::entity::idempotency_key::Entity>().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_buys_short_tokens_which_are_renewed_once_each() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.connect().await;
        let session = shop.session().await;
        let made = made(&shop, &session, &["connections:read", "orders:read"]).await;
        let key = made["key"].as_str().expect("a key");
        let pair = async |token: &str, path: &str, body: &str| {
            let answer = by_key(&shop, token, "POST", path, body).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
            let pair: Value = serde_json::from_str(&answer.body).expect("json");
            let token = |name: &str| pair[name].as_str().expect("a token").to_owned();
            (token("access_token"), token("refresh_token"), pair["expires_in_s"].clone())
        };
        let (buy, renew) = ("/api/v1/auth/token", "/api/v1/auth/token/refresh");
        let (access, refresh, expires_in_s) = pair(key, buy, r#"{"scopes":["orders:read"]}"#).await;
        assert!((590..=600).contains(&expires_in_s.as_i64().expect("seconds")), "{expires_in_s}");
        assert_eq!(by_key(&shop, &access, "GET", "/api/v1/orders", "").await.status, 200);
        assert_eq!(
            by_key(&shop, &access, "GET", "/api/v1/connections", "").await.status,
            403,
            "not asked for"
        );

        // Each of the three is good for one thing.
        for (token, path) in [(&access, buy), (&refresh, buy), (&access, renew), (&key.to_owned(), renew)] {
            assert_eq!(by_key(&shop, token, "POST", path, "").await.status, 401, "{path}");
        }
        assert_eq!(by_key(&shop, &refresh, "GET", "/api/v1/orders", "").await.status, 401);
        let more = by_key(&shop, key, "POST", buy, r#"{"scopes":["syncs:run"]}"#).await;
        assert_eq!((more.status.as_u16(), &more.problem()["errors"][0]["pointer"]), (422, &json!("scopes")));
        let unknown = by_key(&shop, key, "POST", buy, r#"{"scope":["orders:read"]}"#).await;
        assert_eq!(unknown.status, 400, "{}", unknown.body);

        shop.advance(Duration::from_minutes(10));
        assert_eq!(by_key(&shop, &access, "GET", "/api/v1/orders", "").await.status, 401, "its time is over");
        let (second, next, _) = pair(&refresh, renew, "").await;
        assert_eq!(by_key(&shop, &second, "GET", "/api/v1/orders", "").await.status, 200);
        assert_eq!(by_key(&shop, &refresh, "POST", renew, "").await.status, 409, "a repetition");
        let (third, newest, _) = pair(&next, renew, "").await;

        // A minute later somebody comes with one that was used: nobody can tell who of the two is the thief.
        shop.advance(Duration::from_minutes(1));
        assert_eq!(by_key(&shop, &next, "POST", renew, "").await.status, 401);
        for ended in [&second, &third] {
            assert_eq!(by_key(&shop, ended, "GET", "/api/v1/orders", "").await.status, 401);
        }
        assert_eq!(by_key(&shop, &newest, "POST", renew, "").await.status, 401);

        let (access, refresh, _) = pair(key, buy, "").await;
        assert_eq!(
            by_key(&shop, &access, "GET", "/api/v1/connections", "").await.status,
            200,
            "all of the key's"
        );
        assert_eq!(by_key(&shop, &refresh, "DELETE", buy, "").await.status, 204);
        assert_eq!(by_key(&shop, &access, "GET", "/api/v1/connections", "").await.status, 401);

        let mut events = shop.rows::<audit_event::Entity>().await;
        events.sort_by_key(|event| event.seq);
        let mut told: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
        let told = told.split_off(told.len() - 6);
        let renewed = "api_token.refresh";
        let (issued, ended) = ("api_token.issue", "api_token.end");
        assert_eq!(told, [issued, renewed, renewed, ended, issued, ended]);
        let kept = format!("{events:?}");
        assert!(!kept.contains(&access) && !kept.contains(&refresh));
    })
    .await;
}
