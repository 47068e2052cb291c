//! What somebody prefers acts from the first byte of a page on, in every company, and on nobody else.

use axum::http::Method;
use portolan_access::Client;
use portolan_app::people::{NewTenant, add_owner};
use portolan_db::entity::preference;
use serde_json::{Value, json};

use crate::agencies::ask;
use crate::support::*;

const PREFERENCES: &str = "/api/v1/account/preferences";

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_and_a_start_page_are_kept_for_one_person_everywhere() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let other = TestApp::new(test, "other").await;
        let (session, stranger) = (shop.session().await, other.session().await);
        let before = shop.get(&session, PREFERENCES).await;
        let before: Value = serde_json::from_str(&before.body).expect("json");
        assert_eq!(before, json!({ "theme": "system", "start_page": "pulse" }));
        assert!(!shop.get(&session, "/pulse").await.body.contains("data-theme="));

        let wanted = json!({ "theme": "dark", "start_page": "orders" });
        let saved = ask(&shop, Method::PUT, PREFERENCES, &session, Some(&wanted)).await;
        assert_eq!(saved.status, 200, "{}", saved.body);
        // Said by the server in the page's first tag: no script is needed, and nothing flashes.
        let page = shop.get(&session, "/pulse").await.body;
        assert!(
            page.starts_with("<!doctype html>\n<html lang=\"en\" data-theme=\"dark\" data-theme-since=\""),
            "{page}"
        );
        assert!(!shop.get(&stranger, "/pulse").await.body.contains("data-theme="));
        assert_eq!(shop.get(&session, "/").await.location.as_deref(), Some("/orders"));
        assert_eq!(shop.get("", "/").await.location.as_deref(), Some("/pulse"));

        // In another company of the same person, too; and where they sign in.
        let new = NewTenant { slug: "quay".into(), currency: "EUR".into(), time_zone: "UTC".into() };
        let quay = add_owner(&shop.app, "shop", None, new).await.expect("another company");
        let link = shop.app.sessions.create_link(quay, shop.user).await.expect("a link");
        let path = format!("/sign-in/link/{link}");
        let welcome = ask(&shop, Method::POST, &path, "", None).await;
        assert_eq!(welcome.location.as_deref(), Some("/orders"));
        let link = shop.app.sessions.create_link(quay, shop.user).await.expect("a link");
        let there = shop.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("a session");
        let there = format!("ptl_session={}", there.token);
        assert!(shop.get(&there, "/pulse").await.body.contains("data-theme=\"dark\""));

        for wrong in [
            json!({ "theme": "blue" }),
            json!({ "start_page": "//evil.example" }),
            json!({ "language": "en" }),
        ] {
            assert!(
                ask(&shop, Method::PUT, PREFERENCES, &session, Some(&wrong)).await.status.is_client_error()
            );
        }
        let key = json!({ "name": "till", "scopes": ["orders:read"] });
        let key = ask(&shop, Method::POST, "/api/v1/api-keys", &session, Some(&key)).await;
        assert_eq!(key.status, 201);
        let system = json!({ "start_page": "syncs" });
        assert_eq!(ask(&shop, Method::PUT, PREFERENCES, &session, Some(&system)).await.status, 200);
        assert!(!shop.get(&session, "/pulse").await.body.contains("data-theme=\""));
        let tx = shop.app.db.system_read().await.expect("read");
        assert_eq!(tx.find::<preference::Entity>().all(&tx).await.expect("rows").len(), 1);
    })
    .await;
}
