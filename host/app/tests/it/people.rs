//! People, teams and roles, over the API and on their pages.

use axum::body::Body;
use axum::http::{Method, Request, header};
use portolan_access::Client;
use portolan_core::UserId;
use portolan_db::entity::idempotency_key;
use serde_json::{Value, json};

use crate::doors::Answer;
use crate::support::*;

impl TestApp {
    async fn send(&self, method: Method, cookie: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.header("sec-fetch-site", "same-origin");
        // Each of these is sent once alone.
        let request =
            if path == "/api/v1/invitations" { request.header("idempotency-key", path) } else { request };
        self.ask(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn submit(&self, cookie: &str, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header(header::COOKIE, cookie);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    /// Lets somebody in by an invitation; their id and their session's cookie.
    async fn let_in(&self, owner: &str, name: &str, roles: &[&str]) -> (String, String) {
        let body = json!({ "name": name, "roles": roles });
        let made = self.send(Method::POST, owner, "/api/v1/invitations", body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let link = json_of(&made)["link"].as_str().expect("a link").to_owned();
        // The link is told once, and kept nowhere.
        for kept in self.rows::<idempotency_key::Entity>().await {
            assert!(!String::from_utf8_lossy(&kept.body.unwrap_or_default()).contains(&link));
        }
        let looked = self.get("", &link).await;
        assert!(looked.status == 200 && looked.body.contains("Join "), "{}", looked.body);
        let cookie = self.submit("", &link, "").await.cookie.expect("a session");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        assert_eq!(self.get(&cookie, "/pulse").await.status, 200);
        assert_eq!(self.submit("", &link, "").await.status, 410, "once");
        let people = json_of(&self.get(owner, "/api/v1/people").await);
        let found = people.as_array().expect("people").iter().find(|person| person["name"] == name);
        (found.expect("the person")["id"].as_str().expect("an id").to_owned(), cookie)
    }
}

#[track_caller]
fn json_of(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{}: {}", answer.status, answer.body);
    serde_json::from_str(&answer.body).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_do_is_given_taken_and_explained() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let owner = shop.session().await;
        let (dora, cookie) = shop.let_in(&owner, "dora", &["viewer"]).await;
        assert_eq!(shop.get(&cookie, "/api/v1/payouts").await.status, 403);
        assert_eq!(shop.get(&cookie, "/admin/people").await.status, 403);
        assert!(!shop.get(&cookie, "/pulse").await.body.contains("/admin/people"), "no entry leads there");
        assert!(shop.get(&owner, "/pulse").await.body.contains("/admin/people"));

        // By a team, with the tenant's own denial on top.
        let put = async |path: &str, body: Value| shop.send(Method::PUT, &owner, path, body).await;
        let role = json!({ "name": "night-shift", "rules": { "finance:read": "deny" } });
        json_of(&shop.send(Method::POST, &owner, "/api/v1/roles", role).await);
        let team =
            json_of(&shop.send(Method::POST, &owner, "/api/v1/teams", json!({ "name": "Counter" })).await);
        let team = format!("/api/v1/teams/{}", team["id"].as_str().expect("an id"));
        json_of(&put(&format!("{team}/members"), json!({ "members": [dora] })).await);
        json_of(&put(&format!("{team}/roles"), json!({ "roles": ["finance"] })).await);
        assert_eq!(shop.get(&cookie, "/api/v1/payouts").await.status, 200);
        json_of(
            &put(&format!("/api/v1/people/{dora}/roles"), json!({ "roles": ["viewer", "night-shift"] }))
                .await,
        );
        assert_eq!(shop.get(&cookie, "/api/v1/payouts").await.status, 403);
        let why = format!("/api/v1/people/{dora}/permissions/finance:read");
        let why = json_of(&shop.get(&owner, &why).await);
        assert_eq!(why["allowed"], false);
        let told = json!([
            { "role": "night-shift", "team": null, "effect": "deny" },
            { "role": "viewer", "team": null, "effect": null },
            { "role": "finance", "team": "Counter", "effect": "allow" }
        ]);
        assert_eq!(why["reasons"], told);
        let page = shop.get(&owner, &format!("/admin/roles?person={dora}&permission=finance:read")).await;
        assert!(page.body.contains("dora may not do finance:read"), "{}", page.body);
        assert!(page.body.contains("finance, by the team Counter, allows it"), "{}", page.body);

        // A role that is held stays; one that would allow more than its maker may is not made.
        let held = shop.send(Method::DELETE, &owner, "/api/v1/roles/night-shift", json!({})).await;
        assert_eq!(held.status, 409);
        assert!(held.problem()["detail"].as_str().is_some_and(|detail| detail.contains("dora")));
        let owner_team = put(&format!("{team}/roles"), json!({ "roles": ["owner"] })).await;
        assert_eq!(
            (owner_team.status.as_u16(), owner_team.problem()["code"].clone()),
            (422, json!("invalid_input"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_change_people_and_keep_what_was_typed() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let owner = shop.session().await;
        let (dora, cookie) = shop.let_in(&owner, "dora", &["viewer"]).await;
        let here = format!("/admin/people/{dora}");
        let saved =
            shop.submit(&owner, &format!("{here}/roles"), "role.analyst=true&role.support=true").await;
        assert_eq!(saved.location, Some(format!("{here}?done=roles-saved")), "{}", saved.body);
        assert!(shop.get(&owner, &here).await.body.contains("analyst, support"));
        let none = shop.submit(&owner, &format!("{here}/roles"), "").await;
        assert!(none.status == 422 && none.body.contains("Not saved"), "{}", none.body);

        let nameless = shop.submit(&owner, "/admin/people", "name=two+words&role.finance=true").await;
        assert!(
            nameless.status == 422 && nameless.body.contains(r#"value="two words""#),
            "{}",
            nameless.body
        );
        let invited = shop.submit(&owner, "/admin/people", "name=emil&role.viewer=true").await;
        assert!(invited.status == 200 && invited.body.contains("/invitations/"), "{}", invited.body);

        assert!(shop.get(&cookie, "/pulse").await.status.is_success(), "in so far");
        assert_eq!(shop.submit(&owner, &format!("{here}/sign-out"), "").await.status, 303);
        assert!(shop.get(&cookie, "/pulse").await.status.is_redirection(), "signed out at once");
        let user = UserId(dora.parse().expect("an id"));
        let link = shop.app.sessions.create_link(shop.tenant, user).await.expect("a link");
        let again = shop.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("a session");
        let cookie = format!("ptl_session={}", again.token);
        assert!(shop.get(&cookie, "/pulse").await.status.is_success(), "and may come in again");

        let banned = shop.submit(&owner, &format!("{here}/ban"), "reason=Lost+their+laptop").await;
        assert_eq!(banned.status, 303, "{}", banned.body);
        assert!(shop.get(&cookie, "/pulse").await.status.is_redirection(), "out at once");
        assert!(shop.get(&owner, &here).await.body.contains("Lost their laptop"));
        assert_eq!(shop.submit(&owner, &format!("{here}/unban"), "").await.status, 303);
        let unconfirmed = shop.submit(&owner, &format!("{here}/remove"), "confirm=dor").await;
        assert_eq!(unconfirmed.status, 422);
        assert_eq!(shop.submit(&owner, &format!("{here}/remove"), "confirm=dora").await.status, 303);
        assert_eq!(shop.get(&owner, &here).await.status, 404);

        let made = shop.submit(&owner, "/admin/roles/new", "name=desk&rule.orders:read=allow").await;
        assert_eq!(made.status, 303, "{}", made.body);
        assert!(shop.get(&owner, "/admin/roles").await.body.contains("/admin/roles/desk"));
        let again = shop.submit(&owner, "/admin/roles/new", "name=desk&description=twice").await;
        assert!(again.status == 409 && again.body.contains("twice"), "{}", again.body);
        // The last owner stays.
        let left = shop.send(Method::POST, &owner, "/api/v1/leave", json!({})).await;
        assert_eq!(left.status, 409, "{}", left.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_in_two_companies_goes_from_one_to_the_other_and_leaves() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "harbour").await, TestApp::new(test, "quayside").await);
        let (owner, theirs) = (shop.session().await, other.session().await);
        assert!(!shop.get(&owner, "/pulse").await.body.contains("/tenants/switch"), "one company alone");
        let body = json!({ "name": "quayside", "roles": ["viewer"] });
        let made = json_of(&shop.send(Method::POST, &owner, "/api/v1/invitations", body).await);
        let link = made["link"].as_str().expect("a link");
        // Their account exists: the link alone does not open it.
        let looked = shop.get("", link).await;
        assert!(
            looked.body.contains("Sign in as quayside") && !looked.body.contains("Join "),
            "{}",
            looked.body
        );
        assert_eq!(shop.submit("", link, "").await.cookie, None);
        assert_eq!(shop.submit(&owner, link, "").await.cookie, None);
        let cookie = shop.submit(&theirs, link, "").await.cookie.expect("a session");
        let cookie = cookie.split(';').next().expect("a pair");
        assert!(shop.get(&theirs, "/pulse").await.status.is_redirection(), "the session before has ended");
        let page = shop.get(cookie, "/pulse").await;
        assert!(page.body.contains("/tenants/switch") && page.body.contains("Quayside"), "{}", page.body);
        assert_eq!(shop.get(cookie, "/admin/people").await.status, 403);

        let to = format!("tenant={}", other.tenant);
        let back = shop.submit(cookie, "/tenants/switch", &to).await.cookie.expect("another session");
        let back = back.split(';').next().expect("a pair");
        assert!(shop.get(cookie, "/pulse").await.status.is_redirection(), "the token before has ended");
        assert_eq!(shop.get(back, "/admin/people").await.status, 200);

        let to = format!("tenant={}", shop.tenant);
        let there = shop.submit(back, "/tenants/switch", &to).await.cookie.expect("another session");
        let there = there.split(';').next().expect("a pair");
        assert_eq!(shop.send(Method::POST, there, "/api/v1/leave", json!({})).await.status, 204);
        assert!(shop.get(there, "/pulse").await.status.is_redirection());
        let people = json_of(&shop.get(&owner, "/api/v1/people").await);
        assert_eq!(people.as_array().map(Vec::len), Some(1));
    })
    .await;
}
