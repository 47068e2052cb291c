//! What a company asks of whoever signs in to it, and that nobody locks themselves out.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Method, Request, header};
use portolan_access::{
    Client, NewPerson, SystemRole, add_person, create_team, set_team_members, set_team_roles,
};
use portolan_app::people::{NewTenant, add_owner, ops};
use portolan_app::security::ops::let_in_from_anywhere;
use portolan_app::web::client::Peer;
use portolan_core::{Duration, SystemRandom, UserId, id};
use serde_json::{Value, json};

use crate::doors::Answer;
use crate::support::*;

const PASSWORD: &str = "a harbour at dusk, 1487";
const POLICY: &str = "/api/v1/security-policy";
const OFFICE: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.4";

/// What is sent, from an address.
async fn ask(
    shop: &TestApp,
    from: &str,
    method: Method,
    path: &str,
    session: &str,
    body: Option<&Value>,
) -> Answer {
    let peer: SocketAddr = format!("{from}:40000").parse().expect("an address");
    let mut request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
    request = match session.strip_prefix("Bearer ") {
        Some(_) => request.header(header::AUTHORIZATION, session),
        None => request.header(header::COOKIE, session),
    };
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let mut request = request.body(body).expect("a request");
    request.extensions_mut().insert(Peer(peer));
    shop.ask(request).await
}

async fn get(shop: &TestApp, from: &str, session: &str, path: &str) -> Answer {
    ask(shop, from, Method::GET, path, session, None).await
}

fn policy(roles: &[&str], session_minutes: i32, idle_minutes: i32, networks: &[&str]) -> Value {
    json!({
        "second_factor_roles": roles, "session_minutes": session_minutes,
        "idle_minutes": idle_minutes, "networks": networks,
    })
}

async fn put(shop: &TestApp, session: &str, wanted: &Value) -> Answer {
    ask(shop, OFFICE, Method::PUT, POLICY, session, Some(wanted)).await
}

async fn add(shop: &TestApp, name: &str, role: SystemRole) -> UserId {
    let person = NewPerson { sign_in_name: name.to_owned(), tenant: shop.tenant, role };
    let app = std::sync::Arc::clone(&shop.app);
    let added = shop.app.db.system_write(move |tx| {
        Box::pin(async move { add_person(tx, person, &*app.clock, &*app.random).await })
    });
    added.await.expect("a person")
}

async fn session_of(shop: &TestApp, user: UserId) -> String {
    let link = shop.app.sessions.create_link(shop.tenant, user).await.expect("a link");
    let session = shop.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("a session");
    format!("ptl_session={}", session.token)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_keys_come_from_allowed_networks_only() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let make =
            |networks: &[&str]| json!({ "name": "till", "scopes": ["orders:read"], "networks": networks });
        let key = async |networks: &[&str]| {
            let made =
                ask(&shop, OFFICE, Method::POST, "/api/v1/api-keys", &session, Some(&make(networks))).await;
            let made: Value = serde_json::from_str(&made.body).expect("json");
            format!("Bearer {}", made["key"].as_str().expect("a key"))
        };
        let (free, bound) = (key(&[]).await, key(&["192.0.2.0/28", ELSEWHERE]).await);
        assert_eq!(get(&shop, ELSEWHERE, &bound, "/api/v1/orders").await.status, 200);

        let saved = put(&shop, &session, &policy(&[], 720, 120, &["192.0.2.0/24", "2001:db8::/32"])).await;
        assert_eq!(saved.status, 200, "{}", saved.body);
        // At once, for what stands already.
        for (from, session_status, free_status, bound_status) in [
            (OFFICE, 200, 200, 200),
            ("192.0.2.77", 200, 200, 401),
            ("::ffff:192.0.2.7", 200, 200, 200),
            ("2001:db8:5::1", 200, 200, 401),
            (ELSEWHERE, 403, 401, 401),
        ] {
            let from = if from.contains(':') { format!("[{from}]") } else { from.to_owned() };
            let path = "/api/v1/orders";
            assert_eq!(get(&shop, &from, &session, path).await.status, session_status, "{from}");
            assert_eq!(get(&shop, &from, &free, path).await.status, free_status, "{from}, a key");
            assert_eq!(get(&shop, &from, &bound, path).await.status, bound_status, "{from}, a bound key");
        }
        let refused = get(&shop, ELSEWHERE, &session, "/api/v1/orders").await;
        assert_eq!(refused.problem()["code"], "network_not_allowed");
        let page = get(&shop, ELSEWHERE, &session, "/pulse").await;
        assert!(page.status == 403 && page.body.contains(ELSEWHERE), "{}", page.body);
        // Of no address nothing is known.
        assert_eq!(shop.get(&session, "/api/v1/orders").await.status, 403);

        // Another company of the same person asks for nothing, and can be gone to.
        let other =
            NewTenant { slug: "quay".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        let other = add_owner(&shop.app, "shop", None, other).await.expect("another company");
        let link = shop.app.sessions.create_link(other, shop.user).await.expect("a link");
        let there = shop.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("in");
        let there = format!("ptl_session={}", there.token);
        assert_eq!(get(&shop, ELSEWHERE, &there, "/api/v1/orders").await.status, 200);
        let switch = Request::post("/tenants/switch")
            .header(header::COOKIE, &session)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let switched = shop.ask(switch.body(Body::from(format!("tenant={other}"))).expect("a request")).await;
        assert_eq!(switched.location.as_deref(), Some("/pulse"), "{}", switched.body);

        // Whoever signs in from elsewhere comes into the company that lets them.
        let both =
            NewTenant { slug: "quay".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, "shop", Some(PASSWORD), both).await.expect("a password");
        for (address, tenant) in [(OFFICE, shop.tenant), (ELSEWHERE, other)] {
            let client = Client { address: address.to_owned(), ..Client::default() };
            let session = shop.app.sessions.sign_in_with_password("shop", PASSWORD, client).await;
            assert_eq!(session.expect("in").tenant, tenant, "{address}");
        }

        assert!(let_in_from_anywhere(&shop.app, shop.tenant).await.expect("lifted"));
        assert!(!let_in_from_anywhere(&shop.app, shop.tenant).await.expect("nothing to lift"));
        assert_eq!(get(&shop, ELSEWHERE, &free, "/api/v1/orders").await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_locks_themselves_out_and_nothing_senseless_is_taken() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let before = get(&shop, OFFICE, &session, POLICY).await.body;
        for (wanted, field, word) in [
            (policy(&[], 720, 120, &["198.51.100.0/24"]), "networks", OFFICE),
            (policy(&[], 720, 120, &["office"]), "networks", "no network"),
            (policy(&[], 720, 120, &["192.0.2.0/33"]), "networks", "no network"),
            (policy(&["owner"], 720, 120, &[]), "second_factor_roles", "set up your own first"),
            (policy(&["captain"], 720, 120, &[]), "second_factor_roles", "no role"),
            (policy(&[], 14, 5, &[]), "session_minutes", "15 to 720"),
            (policy(&[], 721, 120, &[]), "session_minutes", "15 to 720"),
            (policy(&[], 720, 4, &[]), "idle_minutes", "5 to 120"),
            (policy(&[], 720, 121, &[]), "idle_minutes", "5 to 120"),
            (policy(&[], 30, 31, &[]), "idle_minutes", "5 to 120"),
        ] {
            let refused = put(&shop, &session, &wanted).await;
            assert_eq!(refused.status, 422, "{wanted}: {}", refused.body);
            assert_eq!(refused.problem()["errors"][0]["pointer"], field, "{}", refused.body);
            assert!(refused.body.contains(word), "{word}: {}", refused.body);
        }
        assert_eq!(get(&shop, OFFICE, &session, POLICY).await.body, before, "nothing of it stays");
        let mut more = policy(&[], 720, 120, &[]);
        more["tenant_id"] = json!(Uuid::nil());
        assert_eq!(put(&shop, &session, &more).await.status, 400, "what is not known is not taken");
        let (many, one) = (["192.0.2.7"; 51], ["192.0.2.7"; 50]);
        assert_eq!(put(&shop, &session, &policy(&[], 720, 120, &many)).await.status, 422);
        assert_eq!(put(&shop, &session, &policy(&[], 720, 120, &one)).await.status, 200);

        // The page says it beside the field, and loses nothing.
        let form = "role=viewer&session_minutes=60&idle_minutes=10&networks=198.51.100.0%2F24";
        let mut request = Request::post("/admin/security")
            .header(header::COOKIE, &session)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form))
            .expect("a request");
        request.extensions_mut().insert(Peer(format!("{OFFICE}:1").parse().expect("an address")));
        let page = shop.ask(request).await;
        assert!(page.status == 422 && page.body.contains("networks-error"), "{}", page.body);
        assert!(page.body.contains("198.51.100.0/24") && page.body.contains("value=\"viewer\" checked"));

        // Ten minutes later they show again who they are; and a viewer may not at all.
        shop.advance(Duration::from_minutes(11));
        let refused = put(&shop, &session, &policy(&[], 720, 120, &[])).await;
        assert_eq!(refused.problem()["code"], "step_up_required");
        let viewer = add(&shop, "vera", SystemRole::Viewer).await;
        let viewer = session_of(&shop, viewer).await;
        assert_eq!(get(&shop, OFFICE, &viewer, POLICY).await.status, 403);
        assert_eq!(get(&shop, OFFICE, &viewer, "/admin/security").await.status, 403);
        assert_eq!(put(&shop, &viewer, &policy(&[], 720, 120, &[])).await.status, 403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_a_second_factor_sets_it_up_before_anything_else() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let owner = shop.session().await;
        let (ana, vera) =
            (add(&shop, "ana", SystemRole::Analyst).await, add(&shop, "vera", SystemRole::Viewer).await);
        let (by, now, team) = (shop.who(), START, id::new_uuid(&shop.clock, &SystemRandom));
        ops::change(&shop.app, shop.tenant, move |tx| {
            Box::pin(async move {
                create_team(tx, &by, team, "Counter", now).await?;
                set_team_members(tx, &by, team, &[vera].into(), now).await?;
                set_team_roles(tx, &by, team, &["finance".to_owned()].into(), now).await
            })
        })
        .await
        .expect("a team");
        let (of_ana, of_vera) = (session_of(&shop, ana).await, session_of(&shop, vera).await);
        assert_eq!(get(&shop, OFFICE, &of_vera, "/api/v1/orders").await.status, 200);
        assert_eq!(put(&shop, &owner, &policy(&["finance"], 720, 120, &[])).await.status, 200);

        // By the team's role, in a session that stands already; others notice nothing.
        assert_eq!(get(&shop, OFFICE, &of_ana, "/api/v1/orders").await.status, 200);
        assert_eq!(get(&shop, OFFICE, &owner, "/api/v1/orders").await.status, 200);
        let led = Some("/account?done=second-factor-required");
        for page in ["/pulse", "/orders", "/admin/api-keys", "/account/sessions/none/end"] {
            let method = if page.ends_with("/end") { Method::POST } else { Method::GET };
            let answer = ask(&shop, OFFICE, method, page, &of_vera, None).await;
            assert_eq!(answer.location.as_deref(), led, "{page}: {}", answer.status);
        }
        for path in ["/api/v1/orders", "/api/v1/account", "/api/v1/api-keys", "/events"] {
            let answer = get(&shop, OFFICE, &of_vera, path).await;
            assert_eq!(answer.problem()["code"], "second_factor_required", "{path}");
        }
        let key = json!({ "name": "way around", "scopes": ["orders:read"] });
        let made = ask(&shop, OFFICE, Method::POST, "/api/v1/api-keys", &of_vera, Some(&key)).await;
        assert_eq!(made.status, 403, "no key leads around it");
        let page = get(&shop, OFFICE, &of_vera, "/account?done=second-factor-required").await;
        assert!(page.status == 200 && page.body.contains("Set up a second factor"), "{}", page.body);

        let begin = Request::post("/account/second-factor")
            .header(header::COOKIE, &of_vera)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let begun = shop.ask(begin.body(Body::empty()).expect("a request")).await;
        assert_eq!(begun.location.as_deref(), Some("/account/second-factor"));
        assert_eq!(get(&shop, OFFICE, &of_vera, "/account/second-factor").await.status, 200);
        let code = shop.app.second_factors().code_at(vera, shop.app.clock.now()).await;
        let confirm = Request::post("/account/second-factor/confirm")
            .header(header::COOKIE, &of_vera)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let done = shop.ask(confirm.body(Body::from(format!("code={code}"))).expect("a request")).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let cookie = done.cookie.expect("a new token");
        let settled = cookie.split(';').next().expect("a pair");
        assert_eq!(get(&shop, OFFICE, settled, "/pulse").await.status, 200);
        assert_eq!(get(&shop, OFFICE, settled, "/api/v1/orders").await.status, 200);
        assert_eq!(get(&shop, OFFICE, &of_vera, "/api/v1/orders").await.status, 401, "the old token is over");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_last_as_long_as_the_company_says() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let status =
            async |session: &str| get(&shop, OFFICE, session, "/api/v1/orders").await.status.as_u16();
        let (idle, busy) = (shop.session().await, shop.session().await);
        assert_eq!(put(&shop, &busy, &policy(&[], 60, 10, &[])).await.status, 200);
        shop.advance(Duration::from_minutes(9));
        assert_eq!((status(&idle).await, status(&busy).await), (200, 200));
        for _ in 0..2 {
            shop.advance(Duration::from_minutes(8));
            assert_eq!(status(&busy).await, 200);
        }
        assert_eq!(status(&idle).await, 401, "unused for sixteen minutes");
        for _ in 0..4 {
            shop.advance(Duration::from_minutes(8));
            assert_eq!(status(&busy).await, 200);
        }
        shop.advance(Duration::from_minutes(8));
        assert_eq!(status(&busy).await, 401, "however busy, after an hour");
        // For those who have signed in before, too.
        let old = shop.session().await;
        shop.advance(Duration::from_minutes(9));
        assert_eq!(status(&old).await, 200);
        assert_eq!(put(&shop, &old, &policy(&[], 720, 120, &[])).await.status, 200);
        shop.advance(Duration::from_minutes(100));
        assert_eq!(status(&old).await, 200);
    })
    .await;
}
