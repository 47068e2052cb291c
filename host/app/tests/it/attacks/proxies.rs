//! Somebody says that they ask from elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use portolan_app::web::client::Peer;
use portolan_app::web::proxies::TrustedProxies;
use serde_json::Value;

use crate::doors::Answer;
use crate::support::*;

async fn from(
    shop: &TestApp,
    peer: &str,
    forwarded: &[&str],
    request: axum::http::request::Builder,
) -> Answer {
    let peer: SocketAddr = format!("{peer}:40000").parse().expect("an address");
    let request = forwarded.iter().fold(request, |request, line| request.header("x-forwarded-for", *line));
    let request = request.header("forwarded", "for=192.0.2.66").header("x-real-ip", "192.0.2.66");
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(Peer(peer));
    shop.ask(request).await
}

/// The address that a session which begins so is listed with.
async fn address_of_a_session(shop: &TestApp, peer: &str, forwarded: &[&str]) -> String {
    let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
    let request = Request::post(format!("/sign-in/link/{link}")).header("sec-fetch-site", "same-origin");
    let welcome = from(shop, peer, forwarded, request).await;
    let cookie = welcome.cookie.expect("a cookie");
    let listed = shop.get(cookie.split(';').next().expect("a pair"), "/api/v1/account/sessions").await.body;
    let listed: Value = serde_json::from_str(&listed).expect("json");
    let this = listed["data"].as_array().expect("a list").iter().find(|one| one["this"] == true);
    this.expect("this session")["address"].as_str().expect("an address").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_believed_from_trusted_proxies_alone() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        assert_eq!(address_of_a_session(&shop, "10.0.0.7", &["203.0.113.9"]).await, "10.0.0.7");

        let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
        app.trusted_proxies = TrustedProxies(vec!["10.0.0.0/24".parse().expect("a network")]);
        for (peer, forwarded, address) in [
            ("10.0.0.7", &["203.0.113.9"][..], "203.0.113.9"),
            ("10.0.0.7", &["192.0.2.66, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.7", &["192.0.2.66", "203.0.113.9, 10.0.0.8"], "203.0.113.9"),
            ("10.0.0.7", &[], "10.0.0.7"),
            ("10.0.1.7", &["203.0.113.9"], "10.0.1.7"),
            ("198.51.100.4", &["203.0.113.9"], "198.51.100.4"),
        ] {
            assert_eq!(address_of_a_session(&shop, peer, forwarded).await, address, "{peer} {forwarded:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_bound_to_networks_is_not_used_from_elsewhere_by_a_header() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
        app.trusted_proxies = TrustedProxies(vec!["10.0.0.7".parse().expect("an address")]);
        let session = shop.session().await;
        let made = shop
            .post_json(
                &session,
                "/api/v1/api-keys",
                r#"{"name": "till", "scopes": ["orders:read"], "networks": ["192.0.2.0/24"]}"#,
            )
            .await;
        assert_eq!(made.status, 201, "{}", made.body);
        let made: Value = serde_json::from_str(&made.body).expect("json");
        let key = format!("Bearer {}", made["key"].as_str().expect("a key"));
        let ask = async |peer: &str, forwarded: &[&str]| {
            let request = Request::get("/api/v1/orders").header(header::AUTHORIZATION, &key);
            from(&shop, peer, forwarded, request).await.status.as_u16()
        };
        assert_eq!(ask("192.0.2.5", &[]).await, 200);
        assert_eq!(ask("10.0.0.7", &["192.0.2.5"]).await, 200);
        assert_eq!(ask("203.0.113.9", &["192.0.2.5"]).await, 401);
        assert_eq!(ask("10.0.0.7", &["192.0.2.5, 203.0.113.9"]).await, 401);
        assert_eq!(ask("10.0.0.8", &["192.0.2.5"]).await, 401);
    })
    .await;
}
