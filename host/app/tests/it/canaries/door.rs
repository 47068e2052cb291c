//! What is planted at the door: keys and tokens, second factors, links, and what strangers try. An answer that shows a secret
//! to its owner, once, is not among those that are searched.

use axum::body::Body;
use axum::http::{Method, Request, header};
use portolan_access::SystemRole;
use portolan_app::people::ops;
use portolan_core::Duration;
use serde_json::{Value, json};

use super::Canaries;
use crate::doors::Answer;
use crate::support::*;

const CONNECTIONS: usize = 12;

async fn send(
    shop: &TestApp,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    (kind, body): (&str, String),
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .header("sec-fetch-site", "same-origin");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    shop.ask(request.body(Body::from(body)).expect("a request")).await
}

fn form(body: String) -> (&'static str, String) {
    ("application/x-www-form-urlencoded", body)
}

fn json_body(body: Value) -> (&'static str, String) {
    ("application/json", body.to_string())
}

fn text_in(answer: &Answer, name: &str) -> String {
    let body: Value =
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body));
    body[name].as_str().unwrap_or_else(|| panic!("{name} in {}", answer.body)).to_owned()
}

/// The pair that an answer sets, such as `ptl_session=…`.
fn cookie_in(answer: &Answer, name: &str) -> String {
    let set = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = set.filter_map(|cookie| cookie.split(';').next());
    let pair = pairs
        .find(|pair| pair.split_once('=').is_some_and(|(known, value)| known == name && !value.is_empty()));
    pair.unwrap_or_else(|| panic!("{name}: {} {}", answer.status, answer.body)).to_owned()
}

/// Each with a token of its own, half of them refused for something else.
pub async fn many_connections(
    shop: &TestApp,
    session: &str,
    canaries: &mut Canaries,
    answers: &mut Vec<String>,
) {
    for number in 0..CONNECTIONS {
        let token = canaries.plant("a token of many");
        let zone = if number % 2 == 0 { "UTC" } else { "Atlantis/Harbour" };
        let body = json!({ "plugin_id": "fake", "label": format!("Shop {number}"), "time_zone": zone,
            "config": { "shop": format!("shop-{number}"), "token": token }, "consent": true });
        let made = shop.post_json(session, "/api/v1/connections", &body.to_string()).await;
        assert_eq!(made.status.is_success(), number % 2 == 0, "{}", made.body);
        answers.push(made.body);
    }
}

/// Keys, the tokens that they buy, and all of them used where they open nothing.
pub async fn keys(shop: &TestApp, session: &str, canaries: &mut Canaries, answers: &mut Vec<String>) {
    let new = json!({ "name": "Export", "scopes": ["orders:read"] });
    let made = shop.post_json(session, "/api/v1/api-keys", &new.to_string()).await;
    let (first, id) = (text_in(&made, "key"), text_in(&made, "id"));
    let rotate = format!("/api/v1/api-keys/{id}/rotate");
    let key = text_in(&shop.post_json(session, &rotate, r#"{"overlap_hours":1}"#).await, "key");
    let bearer = async |token: &str, method: Method, path: &str| {
        let value = format!("Bearer {token}");
        send(shop, method, path, &[("authorization", &value)], ("application/json", String::new())).await
    };
    let bought = bearer(&key, Method::POST, "/api/v1/auth/token").await;
    let (access, refresh) = (text_in(&bought, "access_token"), text_in(&bought, "refresh_token"));
    let renewed = bearer(&refresh, Method::POST, "/api/v1/auth/token/refresh").await;
    let (next, last) = (text_in(&renewed, "access_token"), text_in(&renewed, "refresh_token"));
    for (what, token) in [
        ("a key", first),
        ("its next secret", key),
        ("an access token", access),
        ("a refresh token", refresh),
        ("the next access token", next),
        ("the next refresh token", last),
    ] {
        for path in ["/api/v1/orders", "/api/v1/connections", "/api/v1/people", "/orders"] {
            answers.push(bearer(&token, Method::GET, path).await.body);
        }
        // As a cookie, in an address, and where a key is wanted that it is not.
        let cookie = format!("ptl_session={token}");
        answers.push(shop.get(&cookie, "/api/v1/orders").await.body);
        answers.push(bearer(&token, Method::POST, "/api/v1/auth/token/refresh").await.body);
        canaries.0.push((what, token));
    }
}

/// A seed, recovery codes, the token between the steps, and the sessions that come of them.
pub async fn second_factor(
    shop: &TestApp,
    canaries: &mut Canaries,
    answers: &mut Vec<String>,
    password: &str,
) {
    let sign_in = async |name: &str| {
        let body = form(format!("name=mara&password={password}"));
        let answer = send(shop, Method::POST, "/sign-in", &[], body).await;
        (cookie_in(&answer, name), answer.body)
    };
    let token_in = |cookie: &str| cookie.split_once('=').expect("a pair").1.to_owned();
    let (session, _) = sign_in("ptl_session").await;
    canaries.0.push(("a session by password", token_in(&session)));
    let begun =
        send(shop, Method::POST, "/account/second-factor", &[("cookie", &session)], form(String::new()))
            .await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    let page = shop.get(&session, "/account/second-factor").await;
    let key = page
        .body
        .split("class=\"key\"")
        .nth(1)
        .and_then(|rest| rest.split(['>', '<']).nth(1))
        .expect("a seed");
    canaries.0.push(("a seed as it is shown", key.to_owned()));
    canaries.0.push(("a seed", key.replace(' ', "")));
    let wrong = canaries.plant("a mistyped code");
    let confirm = "/account/second-factor/confirm";
    let refused =
        send(shop, Method::POST, confirm, &[("cookie", &session)], form(format!("code={wrong}"))).await;
    // The page goes on showing the seed to whoever sets it up.
    answers.push(refused.body.replace(key, ""));
    shop.advance(Duration::from_secs(60));
    let mara =
        shop.app.sessions.authenticate(&token_in(&session)).await.expect("a look").expect("a session").user;
    let code = shop.app.second_factors().code_at(mara, shop.app.clock.now()).await;
    let done = send(shop, Method::POST, confirm, &[("cookie", &session)], form(format!("code={code}"))).await;
    let shown = done.body.split("id=\"recovery-codes\" tabindex=\"0\">").nth(1).expect("the codes");
    let codes: Vec<String> = shown.split("</pre>").next().expect("all").lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");

    let (pending, body) = sign_in("ptl_second_step").await;
    answers.push(body);
    canaries.0.push(("the token between the steps", token_in(&pending)));
    let step = "/sign-in/second-step";
    let wrong = canaries.plant("a mistyped recovery code");
    answers.push(
        send(shop, Method::POST, step, &[("cookie", &pending)], form(format!("code={wrong}"))).await.body,
    );
    let used = form(format!("code={}", codes[0]));
    let came_in = send(shop, Method::POST, step, &[("cookie", &pending)], used).await;
    let session = cookie_in(&came_in, "ptl_session");
    canaries.0.push(("a session by a recovery code", token_in(&session)));
    canaries.0.extend(codes.into_iter().map(|code| ("a recovery code", code)));
}

/// Links, right ones and such as never were, and secrets in places where none belongs.
pub async fn strangers(shop: &TestApp, session: &str, canaries: &mut Canaries, answers: &mut Vec<String>) {
    let roles = [SystemRole::Viewer.as_str().to_owned()].into();
    let invited = ops::make_invitation(&shop.app, shop.tenant, shop.who(), "ana".to_owned(), roles).await;
    let invitation = invited.expect("an invitation").link;
    let invitation = invitation.rsplit('/').next().expect("a token").to_owned();
    let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
    for (what, path, token) in [
        ("an invitation", "/invitations", invitation),
        ("a link that is looked at", "/sign-in/link", link),
        ("no invitation", "/invitations", canaries.plant("no invitation")),
        ("no link", "/sign-in/link", canaries.plant("no link")),
    ] {
        let path = format!("{path}/{token}");
        // Its page holds its own address, and leads nowhere else.
        let page = shop.get("none=none", &path).await;
        assert!(!page.status.is_server_error(), "{what}");
        answers.push(page.body.replace(&token, ""));
        answers.push(
            send(
                shop,
                Method::POST,
                "/sign-in",
                &[("cookie", session)],
                form(format!("name={token}&password=x")),
            )
            .await
            .body
            .replace(&token, ""),
        );
        canaries.0.push((what, token));
    }
    let lost = canaries.plant("a secret in a wrong field");
    for path in
        ["/api/v1/syncs", "/api/v1/queries", "/api/v1/teams", "/api/v1/invitations", "/api/v1/fx-rates"]
    {
        for body in [json!({ "password": lost }), json!({ "connection_id": { "token": lost } })] {
            answers.push(send(shop, Method::POST, path, &[("cookie", session)], json_body(body)).await.body);
        }
    }
    for (name, value) in [
        ("cookie", format!("ptl_session={}", canaries.plant("no session"))),
        ("authorization", format!("Bearer {}", canaries.plant("no key"))),
        ("authorization", format!("Basic {}", canaries.plant("somebody's basic credentials"))),
    ] {
        answers.push(
            send(shop, Method::GET, "/api/v1/orders", &[(name, &value)], form(String::new())).await.body,
        );
    }
}
