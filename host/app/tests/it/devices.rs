//! A browser in which no code is asked for: what it opens, and what ends it.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_access::audit::Who;
use portolan_access::{Changer, Client, DeviceToken, NewSignInPolicy, Shown, change_sign_in_policy};
use portolan_app::people::{NewTenant, add_owner, reset_second_factor};
use portolan_core::Duration;
use portolan_db::entity::{remembered_device, session};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::doors::Answer;
use crate::support::*;

const PASSWORD: &str = "a harbour at dusk, 1487";

impl TestApp {
    /// A browser of the owner's that is remembered; its public name.
    pub async fn remembered_device(&self) -> Uuid {
        let link = self.app.sessions.create_link(self.tenant, self.user).await.expect("a link");
        let session = self.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("a session");
        let shown = Shown { session, recovery_codes_left: None };
        self.app.sessions.remember_device(&shown, Client::default()).await.expect("remembered");
        self.app.sessions.own_account(self.user).await.expect("devices").devices[0].id
    }

    async fn send_with(&self, cookies: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = Request::post(path)
            .header(header::COOKIE, cookies)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(body.finish())).expect("a request")).await
    }

    /// The first step in a browser with these cookies: where it leads.
    async fn first_step(&self, cookies: &str) -> Answer {
        self.send_with(cookies, "/sign-in", &[("name", "shop"), ("password", PASSWORD)]).await
    }

    /// The company lets browsers be remembered for so many days.
    async fn remember_for(&self, device_days: i32) {
        let changer = Changer { user: self.user, second_factor: true, from: None };
        let (new, now) =
            (NewSignInPolicy { device_days, ..NewSignInPolicy::default() }, self.app.clock.now());
        let changed = self.app.db.write(self.tenant, move |tx| {
            Box::pin(async move { change_sign_in_policy(tx, &Who::operator(), changer, new, now).await })
        });
        changed.await.expect("a policy");
    }

    async fn devices(&self) -> usize {
        let tx = self.app.db.system_read().await.expect("read");
        tx.find::<remembered_device::Entity>().all(&tx).await.expect("devices").len()
    }

    async fn fresh_code(&self) -> String {
        self.advance(Duration::from_secs(60));
        self.app.second_factors().code_at(self.user, self.app.clock.now()).await
    }
}

fn cookie_of(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all(header::SET_COOKIE).iter();
    let pairs = all.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    pairs.map(str::to_owned).find(|pair| pair.starts_with(&format!("{name}=")) && !pair.ends_with('='))
}

/// A shop whose owner has a password and a second factor.
async fn shop_with_factor(test: &TestDatabase) -> TestApp {
    let shop = TestApp::new(test, "shop").await;
    let tenant =
        NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
    add_owner(&shop.app, "shop", Some(PASSWORD), tenant).await.expect("a password");
    switch_on(&shop).await;
    shop
}

async fn switch_on(shop: &TestApp) {
    let token = shop.session().await.trim_start_matches("ptl_session=").to_owned();
    let signed_in = shop.app.sessions.authenticate(&token).await.expect("look").expect("stands");
    let factors = shop.app.second_factors();
    factors.begin(&signed_in, Client::default()).await.expect("a seed");
    let code = shop.fresh_code().await;
    factors.confirm(&signed_in, &code, Client::default()).await.expect("on");
}

/// Both steps in a new browser that asks to be remembered: the browser's cookie.
async fn remember(shop: &TestApp) -> String {
    let first = shop.first_step("").await;
    assert_eq!(first.location.as_deref(), Some("/sign-in/second-step"), "{}", first.body);
    let between = cookie_of(&first, "ptl_second_step").expect("between the steps");
    let code = shop.fresh_code().await;
    let form = [("code", code.as_str()), ("remember", "true")];
    let second = shop.send_with(&between, "/sign-in/second-step", &form).await;
    assert_eq!(second.location.as_deref(), Some("/pulse"), "{}", second.body);
    let all: Vec<_> =
        second.headers.get_all(header::SET_COOKIE).iter().filter_map(|one| one.to_str().ok()).collect();
    let lasting = all.iter().find(|one| one.starts_with("ptl_device=")).expect("the browser's cookie");
    assert!(lasting.contains("HttpOnly") && lasting.contains("Max-Age=2592000"), "{lasting}");
    cookie_of(&second, "ptl_device").expect("the browser's cookie")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_browser_skips_the_second_step_and_nothing_else() {
    on_both(migrate, async |test| {
        let shop = shop_with_factor(test).await;
        let device = remember(&shop).await;
        let token = device.trim_start_matches("ptl_device=");
        let tx = shop.app.db.system_read().await.expect("read");
        let kept = tx.find::<remembered_device::Entity>().all(&tx).await.expect("devices");
        assert!(kept.len() == 1 && !format!("{kept:?}").contains(token), "its hash alone");
        drop(tx);

        shop.advance(Duration::from_hours(13));
        let in_again = shop.first_step(&device).await;
        assert_eq!(in_again.location.as_deref(), Some("/pulse"), "{}", in_again.body);
        let session = cookie_of(&in_again, "ptl_session").expect("a session");
        // It opens nothing by itself, in no cookie's place.
        for alone in [device.clone(), format!("ptl_session={token}"), format!("ptl_second_step={token}")] {
            assert!(shop.get(&alone, "/pulse").await.status.is_redirection(), "{alone}");
        }
        let wrong =
            shop.send_with(&device, "/sign-in", &[("name", "shop"), ("password", "no harbour")]).await;
        assert!(wrong.status == 422 && wrong.cookie.is_none());
        // What needs somebody who has just shown who they are asks for the code.
        let set_up = shop.send_with(&session, "/account/recovery-codes", &[]).await;
        assert!(set_up.location.is_some_and(|place| place.starts_with("/sign-in/again")));
        assert_eq!(shop.get(&session, "/account").await.status, 200);
        // Every other text is asked for a code.
        for place in 0..token.len() {
            let mut other = token.to_owned().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let client = Client {
                device: DeviceToken(Some(String::from_utf8(other).expect("text"))),
                ..Client::default()
            };
            let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
            assert!(shop.app.sessions.sign_in_with_link(&link, client).await.is_err(), "{place}");
        }
        // For somebody else it opens nothing.
        let tx = shop.app.db.system_read().await.expect("read");
        let own = tx.find::<session::Entity>().filter(session::Column::Factors.eq("password+device"));
        assert_eq!(own.all(&tx).await.expect("sessions").len(), 1);
        drop(tx);
        // Thirty days after the code was shown it is over, however often it was used.
        shop.advance(Duration::from_hours(30 * 24));
        assert_eq!(shop.first_step(&device).await.location.as_deref(), Some("/sign-in/second-step"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_browser_is_nobody_elses() {
    on_both(migrate, async |test| {
        let (shop, other) = (shop_with_factor(test).await, TestApp::new(test, "quay").await);
        switch_on(&other).await;
        let device = remember(&shop).await;
        let token = device.trim_start_matches("ptl_device=").to_owned();
        let client = Client { device: DeviceToken(Some(token)), ..Client::default() };
        let link = other.app.sessions.create_link(other.tenant, other.user).await.expect("a link");
        assert!(
            other.app.sessions.sign_in_with_link(&link, client).await.is_err(),
            "their code is asked for"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_another_factor_and_its_person_end_a_remembered_browser() {
    on_both(migrate, async |test| {
        let shop = shop_with_factor(test).await;
        let asked = async |device: &str| {
            shop.first_step(device).await.location.as_deref() == Some("/sign-in/second-step")
        };
        let device = remember(&shop).await;
        assert!(!asked(&device).await);
        let session = cookie_of(&shop.first_step(&device).await, "ptl_session").expect("a session");
        let page = shop.get(&session, "/account").await;
        let place = page.body.find("/account/devices/").expect("it is listed");
        let forget = page.body[place..].split('"').next().expect("an address").to_owned();
        assert_eq!(shop.send_with(&session, &forget, &[]).await.status, 303);
        assert!(asked(&device).await, "its person has forgotten it");
        assert_eq!(shop.send_with(&session, &forget, &[]).await.status, 404);

        let device = remember(&shop).await;
        let tenant =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, "shop", Some(PASSWORD), tenant).await.expect("a new password");
        assert!(asked(&device).await, "the password is another one");

        let device = remember(&shop).await;
        assert_eq!(shop.devices().await, 1);
        reset_second_factor(&shop.app, "shop").await.expect("reset");
        assert_eq!(shop.devices().await, 0);
        switch_on(&shop).await;
        assert!(asked(&device).await, "the factor is another one");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_forbids_remembered_browsers_or_shortens_them() {
    on_both(migrate, async |test| {
        let shop = shop_with_factor(test).await;
        let asked = async |device: &str| {
            shop.first_step(device).await.location.as_deref() == Some("/sign-in/second-step")
        };
        let device = remember(&shop).await;
        let by_device = cookie_of(&shop.first_step(&device).await, "ptl_session").expect("a session");
        assert_eq!(shop.get(&by_device, "/pulse").await.status, 200);
        // Two days: it is as old as the code that was shown, whenever the company decided.
        shop.remember_for(2).await;
        shop.advance(Duration::from_hours(47));
        assert!(!asked(&device).await);
        shop.advance(Duration::from_hours(1));
        assert!(asked(&device).await, "two days are over");
        shop.remember_for(30).await;
        assert!(!asked(&device).await, "it was for thirty");
        let by_device = cookie_of(&shop.first_step(&device).await, "ptl_session").expect("a session");
        shop.remember_for(0).await;
        assert!(asked(&device).await, "none is remembered");
        assert!(shop.get(&by_device, "/pulse").await.status.is_redirection(), "nor goes on who came by one");
        // Nor is another one, whatever the form says.
        let before = shop.devices().await;
        let between = cookie_of(&shop.first_step("").await, "ptl_second_step").expect("between the steps");
        let page = shop.get(&between, "/sign-in/second-step").await;
        assert!(!page.body.contains("name=\"remember\""), "{}", page.body);
        let code = shop.fresh_code().await;
        let form = [("code", code.as_str()), ("remember", "true")];
        let second = shop.send_with(&between, "/sign-in/second-step", &form).await;
        assert_eq!(second.location.as_deref(), Some("/pulse"), "{}", second.body);
        assert!(cookie_of(&second, "ptl_device").is_none() && shop.devices().await == before);
        let session = cookie_of(&second, "ptl_session").expect("a session");
        for (days, status) in [("31", 422), ("-1", 422), ("x", 422), ("7", 303)] {
            let form = [("session_minutes", "60"), ("idle_minutes", "30"), ("device_days", days)];
            let saved = shop.send_with(&session, "/admin/security", &form).await;
            assert_eq!(saved.status, status, "{days}: {}", saved.body);
        }
        let page = shop.get(&between_of(&shop).await, "/sign-in/second-step").await;
        assert!(page.body.contains("for 7 days"), "{}", page.body);
    })
    .await;
}

/// The cookie of a first step.
async fn between_of(shop: &TestApp) -> String {
    cookie_of(&shop.first_step("").await, "ptl_second_step").expect("between the steps")
}
