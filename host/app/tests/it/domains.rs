//! Domains of companies: shown by a record, looked at each day, and what may be done under one.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, header};
use portolan_app::company::domains::ops;
use portolan_app::people::{NewTenant, add_owner};
use portolan_core::Duration;
use portolan_db::entity::tenant_domain;
use serde_json::{Value, json};

use crate::doors::Answer;
use crate::support::*;

const PUBLIC: &str = "https://portolan.example";
const DOMAIN: &str = "figures.harbour.example";
const ORIGIN: &str = "https://figures.harbour.example";
const PASSWORD: &str = "a harbour at dusk, 1487";

async fn shop_behind(test: &TestDatabase, name: &str) -> TestApp {
    let mut shop = TestApp::new(test, name).await;
    let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
    app.public_address = Some(PUBLIC.parse().expect("an address"));
    shop
}

async fn claim(shop: &TestApp, domain: &str) -> tenant_domain::Model {
    ops::add(&shop.app, shop.tenant, shop.who(), domain).await.expect("a domain")
}

/// As its DNS would be once somebody has made the record.
fn show(shop: &TestApp, row: &tenant_domain::Model) {
    shop.dns.say(&ops::record_name(&row.domain), &["v=spf1 -all", &ops::record_text(row)]);
}

async fn verify(shop: &TestApp, row: &tenant_domain::Model) -> Result<String, u16> {
    shop.advance(Duration::from_minutes(1));
    match ops::verify(&shop.app, shop.tenant, shop.who(), row.id).await {
        Ok(row) => Ok(row.state),
        Err(error) => Err(error.status.as_u16()),
    }
}

async fn verified(shop: &TestApp, domain: &str) -> tenant_domain::Model {
    let row = claim(shop, domain).await;
    show(shop, &row);
    assert_eq!(verify(shop, &row).await.as_deref(), Ok("verified"));
    row
}

async fn state_of(shop: &TestApp, row: &tenant_domain::Model) -> tenant_domain::Model {
    let rows = ops::list(&shop.app, shop.tenant).await.expect("domains");
    rows.into_iter().find(|known| known.id == row.id).expect("the domain")
}

struct Asked<'a> {
    method: Method,
    path: &'a str,
    host: &'a str,
    headers: &'a [(&'a str, &'a str)],
    cookie: &'a str,
    form: &'a str,
}

async fn ask(shop: &TestApp, asked: Asked<'_>) -> Answer {
    let mut request =
        Request::builder().method(asked.method).uri(asked.path).header(header::HOST, asked.host);
    for (name, value) in asked.headers {
        request = request.header(*name, *value);
    }
    if !asked.cookie.is_empty() {
        request = request.header(header::COOKIE, asked.cookie);
    }
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    shop.ask(request.body(Body::from(asked.form.to_owned())).expect("a request")).await
}

async fn get(shop: &TestApp, host: &str, path: &str, cookie: &str) -> Answer {
    ask(shop, Asked { method: Method::GET, path, host, headers: &[], cookie, form: "" }).await
}

async fn post(shop: &TestApp, host: &str, origin: &str, path: &str, cookie: &str, form: &str) -> Answer {
    let headers = [("origin", origin)];
    ask(shop, Asked { method: Method::POST, path, host, headers: &headers, cookie, form }).await
}

fn session_in(answer: &Answer) -> String {
    let cookie = answer.cookie.clone().unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
    cookie.split(';').next().expect("a pair").to_owned()
}

async fn sign_in_at(shop: &TestApp, host: &str, origin: &str) -> Answer {
    let form = format!("name={}&password={}", "shop", PASSWORD.replace(' ', "+").replace(',', "%2C"));
    post(shop, host, origin, "/sign-in", "", &form).await
}

async fn with_password(shop: &TestApp) {
    let own = NewTenant { slug: "shop".into(), currency: "EUR".into(), time_zone: "UTC".into() };
    add_owner(&shop.app, "shop", Some(PASSWORD), own).await.expect("a password");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_theirs_who_make_its_record() {
    on_both(migrate, async |test| {
        let shop = shop_behind(test, "shop").await;
        let row = claim(&shop, "Figures.HARBOUR.example.").await;
        assert_eq!((row.domain.as_str(), row.state.as_str()), (DOMAIN, "pending"));
        shop.dns.be_silent(&ops::record_name(DOMAIN));
        assert_eq!(verify(&shop, &row).await.as_deref(), Ok("pending"), "silence says nothing");
        shop.dns.say(&ops::record_name(DOMAIN), &[&row.token, "portolan-verification=", "x"]);
        assert_eq!(verify(&shop, &row).await.as_deref(), Ok("failed"));
        // Too soon after the last look.
        let soon = ops::verify(&shop.app, shop.tenant, shop.who(), row.id).await.expect_err("too soon");
        assert_eq!(soon.status, 429);
        show(&shop, &row);
        assert_eq!(verify(&shop, &row).await.as_deref(), Ok("verified"));
        let error = ops::add(&shop.app, shop.tenant, shop.who(), DOMAIN).await.expect_err("twice");
        assert_eq!(error.status, 422);
        for (number, wrong) in
            ["co.uk", "portolan.example", "example", "a.portolan.example"].iter().enumerate()
        {
            let error = ops::add(&shop.app, shop.tenant, shop.who(), wrong).await.expect_err("refused");
            assert_eq!(error.status, 422, "{wrong}");
            claim(&shop, &format!("d{number}.example")).await;
        }
        for number in 4..9 {
            claim(&shop, &format!("d{number}.example")).await;
        }
        let error = ops::add(&shop.app, shop.tenant, shop.who(), "more.example").await.expect_err("full");
        assert!(error.full_detail().contains("at most 10"), "{}", error.full_detail());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claiming_keeps_a_domain_from_nobody_and_one_company_has_it_at_a_time() {
    on_both(migrate, async |test| {
        let (shop, thief) = (shop_behind(test, "shop").await, shop_behind(test, "thief").await);
        let claimed = claim(&thief, DOMAIN).await;
        let row = verified(&shop, DOMAIN).await;
        // Another's record is not theirs.
        show(&thief, &row);
        assert_eq!(verify(&thief, &claimed).await.as_deref(), Ok("failed"));
        // Nor do they get it with a record of their own while it stands.
        show(&thief, &claimed);
        assert_eq!(verify(&thief, &claimed).await, Err(409));
        let said = state_of(&thief, &claimed).await;
        assert!(
            said.state != "verified" && said.error.is_some_and(|error| error.contains("Another company"))
        );

        // Three days without the record it lapses: by the daily look, and not sooner however often somebody looks.
        shop.dns.say(&ops::record_name(DOMAIN), &[]);
        for _ in 0..5 {
            assert_eq!(verify(&shop, &row).await.as_deref(), Ok("verified"));
        }
        for day in 1..=4 {
            shop.advance(Duration::from_hours(24));
            shop.work().await;
            let state = state_of(&shop, &row).await.state;
            let failing = state_of(&shop, &row).await.failing_since;
            assert!(failing.is_some(), "day {day}");
            assert_eq!(state, if day < 3 { "verified" } else { "lapsed" }, "day {day}");
        }
        // Their clock goes as fast.
        thief.advance(Duration::from_hours(5 * 24));
        assert_eq!(verify(&thief, &claimed).await.as_deref(), Ok("verified"), "now it is free");
        show(&shop, &row);
        assert_eq!(verify(&shop, &row).await, Err(409), "and theirs no more");
        ops::remove(&thief.app, thief.tenant, thief.who(), claimed.id).await.expect("removed");
        assert_eq!(verify(&shop, &row).await.as_deref(), Ok("verified"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_under_a_verified_domain_is_the_companys() {
    on_both(migrate, async |test| {
        let shop = shop_behind(test, "shop").await;
        with_password(&shop).await;
        let session = sign_in_at(&shop, "portolan.example", PUBLIC).await;
        let session = session_in(&session);
        let looks = json!({ "name": "Harbour Figures" }).to_string();
        let request = Request::put(format!("/api/v1/tenants/{}/branding", shop.tenant))
            .header(header::COOKIE, &session)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        assert_eq!(shop.ask(request.body(Body::from(looks)).expect("a request")).await.status, 200);

        let row = claim(&shop, DOMAIN).await;
        let branded =
            async |host: &str| get(&shop, host, "/sign-in", "").await.body.contains("Harbour Figures");
        assert!(!branded(DOMAIN).await, "nobody has shown it yet");
        show(&shop, &row);
        verify(&shop, &row).await.expect("verified");
        for host in [DOMAIN, "FIGURES.harbour.example", "figures.harbour.example:443"] {
            assert!(branded(host).await, "{host}");
        }
        for host in [
            "portolan.example",
            "harbour.example",
            "x.figures.harbour.example",
            "127.0.0.1:8080",
            "evil.example",
        ] {
            assert!(!branded(host).await, "{host}");
        }
        // Only Host says it.
        for name in ["x-forwarded-host", "forwarded", "x-host", "x-original-host"] {
            let headers = [(name, DOMAIN)];
            let asked = Asked {
                method: Method::GET,
                path: "/sign-in",
                host: "portolan.example",
                headers: &headers,
                cookie: "",
                form: "",
            };
            assert!(!ask(&shop, asked).await.body.contains("Harbour Figures"), "{name}");
        }
        ops::remove(&shop.app, shop.tenant, shop.who(), row.id).await.expect("removed");
        assert!(!branded(DOMAIN).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_domain_that_domain_is_the_only_origin_and_elsewhere_it_is_none() {
    on_both(migrate, async |test| {
        let shop = shop_behind(test, "shop").await;
        with_password(&shop).await;
        verified(&shop, DOMAIN).await;
        verified(&shop, "data.harbour.example").await;
        claim(&shop, "pending.harbour.example").await;
        for (host, origin, passes) in [
            (DOMAIN, ORIGIN, true),
            ("portolan.example", PUBLIC, true),
            ("127.0.0.1:8080", PUBLIC, true),
            (DOMAIN, PUBLIC, false),
            (DOMAIN, "http://figures.harbour.example", false),
            (DOMAIN, "https://figures.harbour.example:444", false),
            (DOMAIN, "https://data.harbour.example", false),
            (DOMAIN, "https://evil.example", false),
            (DOMAIN, "null", false),
            ("portolan.example", ORIGIN, false),
            ("127.0.0.1:8080", ORIGIN, false),
            ("pending.harbour.example", "https://pending.harbour.example", false),
            ("evil.example", "https://evil.example", false),
            ("figures.harbour.example.evil.example", "https://figures.harbour.example.evil.example", false),
        ] {
            let answer = sign_in_at(&shop, host, origin).await;
            assert_eq!(answer.status != 403, passes, "{host} {origin}: {}", answer.body);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_domain_is_good_for_its_company_there_and_for_nothing_else() {
    on_both(migrate, async |test| {
        let shop = shop_behind(test, "shop").await;
        with_password(&shop).await;
        let new = NewTenant { slug: "quay".into(), currency: "EUR".into(), time_zone: "UTC".into() };
        let quay = add_owner(&shop.app, "shop", None, new).await.expect("another company");
        // The domain is the younger company's: who comes in there is in that one, not in their oldest.
        let row = ops::add(&shop.app, quay, shop.who(), DOMAIN).await.expect("a domain");
        show(&shop, &row);
        shop.advance(Duration::from_minutes(1));
        ops::verify(&shop.app, quay, shop.who(), row.id).await.expect("verified");
        let session = session_in(&sign_in_at(&shop, DOMAIN, ORIGIN).await);
        let account = get(&shop, DOMAIN, "/api/v1/account", &session).await;
        let account: Value = serde_json::from_str(&account.body).expect("json");
        assert_eq!(account["tenant_id"], quay.to_string());

        // Whoever holds the domain could read its cookie: it leads to no other company, and changes no account.
        let form = format!("tenant={}", shop.tenant);
        let away = post(&shop, DOMAIN, ORIGIN, "/tenants/switch", &session, &form).await;
        assert_eq!(away.status, 404, "{}", away.body);
        let names = get(&shop, DOMAIN, "/api/v1/tenants", &session).await.body;
        assert!(names.contains("quay") && !names.contains(&shop.tenant.to_string()), "{names}");
        let form = "new_password=another+harbour+1488&repeated=another+harbour+1488";
        for path in ["/account/password", "/account/second-factor", "/account/sessions/end-others"] {
            let refused = post(&shop, DOMAIN, ORIGIN, path, &session, form).await;
            assert_eq!(refused.status, 403, "{path}: {}", refused.body);
        }
        for (host, path) in [("portolan.example", "/pulse"), ("127.0.0.1:8080", "/pulse")] {
            let stolen = get(&shop, host, path, &session).await;
            assert_eq!(stolen.status, 303, "{host}: {}", stolen.body);
        }
        // Nor is a session of the server's own address good there.
        let own = session_in(&sign_in_at(&shop, "portolan.example", PUBLIC).await);
        assert_eq!(get(&shop, "portolan.example", "/pulse", &own).await.status, 200);
        assert_eq!(get(&shop, DOMAIN, "/pulse", &own).await.status, 303);
        assert_eq!(get(&shop, DOMAIN, "/pulse", &session).await.status, 200);
        // When the domain goes, what came in by it is out.
        ops::remove(&shop.app, quay, shop.who(), row.id).await.expect("removed");
        assert_eq!(get(&shop, DOMAIN, "/pulse", &session).await.status, 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_belong_to_the_company_does_not_come_in_by_its_domain() {
    on_both(migrate, async |test| {
        let (shop, other) = (shop_behind(test, "shop").await, shop_behind(test, "other").await);
        with_password(&shop).await;
        verified(&other, DOMAIN).await;
        let refused = sign_in_at(&shop, DOMAIN, ORIGIN).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert_eq!(refused.cookie, None);
        // Nor by a link that names another company.
        let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
        let answer = post(&shop, DOMAIN, ORIGIN, &format!("/sign-in/link/{link}"), "", "").await;
        let session = session_in(&answer);
        for host in [DOMAIN, "portolan.example"] {
            assert_eq!(get(&shop, host, "/pulse", &session).await.status, 303, "{host}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_public_address_is_said_a_host_is_nobodys() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        verified(&shop, DOMAIN).await;
        let session = shop.session().await;
        assert_eq!(get(&shop, DOMAIN, "/pulse", &session).await.status, 200);
        let page = shop.get(&session, "/admin/domains").await.body;
        assert!(page.contains("Domains do nothing yet"), "{page}");
    })
    .await;
}
