//! The second step at the door, and one's own account, as a browser goes through them.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use portolan_access::Client;
use portolan_app::people::{NewTenant, add_owner, reset_second_factor};
use portolan_app::router::openapi_json;
use portolan_core::Duration;
use serde_json::Value;

use crate::doors::Answer;
use crate::support::*;

const PASSWORD: &str = "a harbour at dusk, 1487";

/// A browser with its cookies.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    async fn send(&mut self, shop: &TestApp, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header("sec-fetch-site", "same-origin")
            .header(
                header::USER_AGENT,
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            );
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let mut body = String::new();
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            request = request.header(header::REFERER, "http://portolan.example/account?done=x");
            for (name, value) in form {
                let value = value.replace(' ', "+").replace(',', "%2C");
                body.push_str(&format!("{name}={value}&"));
            }
        }
        let answer = shop.ask(request.body(Body::from(body)).expect("a request")).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a pair");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    async fn get(&mut self, shop: &TestApp, path: &str) -> Answer {
        self.send(shop, Method::GET, path, &[]).await
    }

    async fn post(&mut self, shop: &TestApp, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(shop, Method::POST, path, form).await
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    async fn sign_in(&mut self, shop: &TestApp, next: &str) -> Answer {
        self.post(shop, "/sign-in", &[("name", "shop"), ("password", PASSWORD), ("next", next)]).await
    }
}

async fn shop_with_password(test: &TestDatabase) -> TestApp {
    let shop = TestApp::new(test, "shop").await;
    let tenant =
        NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
    add_owner(&shop.app, "shop", Some(PASSWORD), tenant).await.expect("a password");
    shop
}

async fn code(shop: &TestApp) -> String {
    // Each code once: the next one is of another step.
    shop.advance(Duration::from_secs(60));
    shop.app.second_factors().code_at(shop.user, shop.app.clock.now()).await
}

/// Goes through setting up; gives the recovery codes that are shown.
async fn set_up(shop: &TestApp, browser: &mut Browser) -> Vec<String> {
    let begun = browser.post(shop, "/account/second-factor", &[]).await;
    assert_eq!(begun.location.as_deref(), Some("/account/second-factor"));
    let page = browser.get(shop, "/account/second-factor").await;
    assert!(page.body.contains("<svg class=\"qr\"") && page.body.contains("class=\"key\""), "{}", page.body);
    let wrong = browser.post(shop, "/account/second-factor/confirm", &[("code", "12345")]).await;
    assert_eq!(wrong.status, 422);
    let before = browser.cookie("ptl_session").map(str::to_owned);
    let done =
        browser.post(shop, "/account/second-factor/confirm", &[("code", code(shop).await.as_str())]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_ne!(browser.cookie("ptl_session").map(str::to_owned), before, "a new token");
    let shown = done.body.split("id=\"recovery-codes\" tabindex=\"0\">").nth(1).expect("the codes");
    let codes: Vec<String> = shown.split("</pre>").next().expect("all").lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_second_factor_comes_in_by_two_steps() {
    on_both(migrate, async |test| {
        let shop = shop_with_password(test).await;
        let mut browser = Browser::default();
        browser.sign_in(&shop, "/pulse").await;
        let codes = set_up(&shop, &mut browser).await;

        let mut other = Browser::default();
        let first = other.sign_in(&shop, "/orders").await;
        assert_eq!(first.location.as_deref(), Some("/sign-in/second-step?next=/orders"));
        assert_eq!(other.cookie("ptl_session"), None, "nobody is in yet");
        let pending = other.cookie("ptl_second_step").expect("a first step").to_owned();
        assert!(other.get(&shop, "/pulse").await.status.is_redirection());
        let page = other.get(&shop, "/sign-in/second-step?next=/orders").await;
        assert!(
            page.body.contains("autocomplete=\"one-time-code\"")
                && page.body.contains("inputmode=\"numeric\"")
        );
        assert!(page.body.contains("name=\"next\" value=\"/orders\""));

        let wrong = other.post(&shop, "/sign-in/second-step", &[("code", "12x"), ("next", "/orders")]).await;
        assert_eq!(wrong.status, 422);
        let right = code(&shop).await;
        let form = [("code", right.as_str()), ("next", "/orders")];
        let second = other.post(&shop, "/sign-in/second-step", &form).await;
        assert_eq!((second.status.as_u16(), second.location.as_deref()), (303, Some("/orders")));
        assert_eq!(other.cookie("ptl_second_step"), None);
        assert_ne!(other.cookie("ptl_session"), Some(pending.as_str()));
        assert_eq!(other.get(&shop, "/orders").await.status, 200);

        // What was used is used: another first step, the same code.
        let mut thief = Browser::default();
        thief.sign_in(&shop, "/pulse").await;
        let replayed = thief.post(&shop, "/sign-in/second-step", &form).await;
        assert_eq!(
            (replayed.status, replayed.body.contains("was used already")),
            (StatusCode::UNPROCESSABLE_ENTITY, true)
        );

        // A recovery code says how many are left, whatever page was asked for.
        let recovered = thief
            .post(&shop, "/sign-in/second-step", &[("code", codes[0].as_str()), ("next", "/orders")])
            .await;
        let place = recovered.location.expect("in");
        assert_eq!(place, "/account?done=recovery-code-used");
        assert!(thief.get(&shop, &place).await.body.contains("9 recovery codes are left"));

        // Who takes longer than ten minutes begins again.
        let mut slow = Browser::default();
        slow.sign_in(&shop, "/pulse").await;
        shop.advance(Duration::from_minutes(10));
        let late = slow.post(&shop, "/sign-in/second-step", &[("code", code(&shop).await.as_str())]).await;
        assert!(late.status == 422 && late.body.contains("longer than ten minutes"), "{}", late.body);
        assert!(slow.get(&shop, "/sign-in/second-step").await.status.is_redirection());

        assert!(reset_second_factor(&shop.app, "shop").await.expect("reset"));
        assert!(other.get(&shop, "/pulse").await.status.is_redirection(), "sessions end with it");
        let mut after = Browser::default();
        assert_eq!(after.sign_in(&shop, "/pulse").await.location.as_deref(), Some("/pulse"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_between_the_steps_opens_no_page_and_no_route() {
    on_both(migrate, async |test| {
        let shop = shop_with_password(test).await;
        let mut browser = Browser::default();
        browser.sign_in(&shop, "/pulse").await;
        set_up(&shop, &mut browser).await;
        let mut other = Browser::default();
        other.sign_in(&shop, "/pulse").await;
        let token = other.cookie("ptl_second_step").expect("a first step").to_owned();
        let posing = format!("ptl_session={token}; ptl_second_step={token}");
        for page in ["/pulse", "/account", "/account/second-factor", "/sign-in/again", "/orders", "/events"] {
            let answer = shop.get(&posing, page).await;
            assert!(answer.status.is_redirection() || answer.status == 401, "{page}: {}", answer.status);
        }
        let document: Value = serde_json::from_str(&openapi_json().expect("a document")).expect("json");
        let mut asked = 0;
        for (path, operations) in document["paths"].as_object().expect("paths") {
            if path.contains('{') || operations.get("get").is_none() {
                continue;
            }
            if path.starts_with("/api/v1/health/") || path == "/api/v1/version" {
                continue;
            }
            assert_eq!(shop.get(&posing, path).await.status, 401, "{path}");
            asked += 1;
        }
        assert!(asked > 8, "{asked} routes");
        // Nor does a session's token do for a first step.
        let session = browser.cookie("ptl_session").expect("a session").to_owned();
        let posing = format!("ptl_second_step={session}");
        assert!(shop.get(&posing, "/sign-in/second-step").await.status.is_redirection());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_oneself_alone_asks_again_after_ten_minutes() {
    on_both(migrate, async |test| {
        let shop = shop_with_password(test).await;
        let mut browser = Browser::default();
        browser.sign_in(&shop, "/pulse").await;
        shop.advance(Duration::from_minutes(11));
        // Looking is free; what follows asks.
        assert_eq!(browser.get(&shop, "/account").await.status, 200);
        let asked = browser.post(&shop, "/account/second-factor", &[]).await;
        assert_eq!(
            asked.location.as_deref(),
            Some("/sign-in/again?next=/account%3Fdone%3Dx"),
            "back to the form"
        );
        let cookie = format!("ptl_session={}", browser.cookie("ptl_session").expect("a session"));
        let change = Request::put("/api/v1/account/password")
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(r#"{"old_password": "x", "new_password": "y"}"#));
        let refused = shop.ask(change.expect("a request")).await;
        assert_eq!(
            (refused.status, refused.problem()["code"].as_str()),
            (StatusCode::FORBIDDEN, Some("step_up_required"))
        );

        let page = browser.get(&shop, "/sign-in/again?next=/account").await;
        assert!(page.body.contains("autocomplete=\"current-password\""), "{}", page.body);
        let wrong =
            browser.post(&shop, "/sign-in/again", &[("code", "no harbour"), ("next", "/account")]).await;
        assert_eq!(wrong.status, 422);
        let before = cookie;
        let right =
            browser.post(&shop, "/sign-in/again", &[("code", PASSWORD), ("next", "//evil.example")]).await;
        assert_eq!(right.location.as_deref(), Some("/account"), "nowhere else");
        assert!(shop.get(&before, "/pulse").await.status.is_redirection(), "the token is another");
        let codes = set_up(&shop, &mut browser).await;

        shop.advance(Duration::from_minutes(11));
        let asked = browser.post(&shop, "/account/recovery-codes", &[]).await;
        assert!(asked.location.is_some_and(|place| place.starts_with("/sign-in/again")));
        let page = browser.get(&shop, "/sign-in/again").await;
        assert!(page.body.contains("one-time-code"), "with a second factor, its code");
        assert_eq!(browser.post(&shop, "/sign-in/again", &[("code", PASSWORD)]).await.status, 422);
        let shown = browser.post(&shop, "/sign-in/again", &[("code", code(&shop).await.as_str())]).await;
        assert_eq!(shown.location.as_deref(), Some("/account"));
        let renewed = browser.post(&shop, "/account/recovery-codes", &[]).await;
        assert!(renewed.status == 200 && !renewed.body.contains(&codes[1]));
        let wrong = browser.post(&shop, "/account/second-factor/off", &[("code", codes[1].as_str())]).await;
        assert_eq!(wrong.status, 422, "an old one is void");
        let off =
            browser.post(&shop, "/account/second-factor/off", &[("code", code(&shop).await.as_str())]).await;
        assert_eq!(off.location.as_deref(), Some("/account?done=second-factor-off"));
        assert!(browser.get(&shop, "/account").await.body.contains("Set up a second factor"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_change_their_password_and_end_their_sessions_in_page_and_api() {
    on_both(migrate, async |test| {
        let shop = shop_with_password(test).await;
        let (mut mine, mut other, mut third) = (Browser::default(), Browser::default(), Browser::default());
        for browser in [&mut mine, &mut other, &mut third] {
            browser.sign_in(&shop, "/pulse").await;
        }
        let page = mine.get(&shop, "/account").await.body;
        assert_eq!(page.matches("Firefox on Linux").count(), 5, "three rows, and two to end: {page}");
        assert_eq!(page.matches("this one").count(), 1);

        let cookie = format!("ptl_session={}", mine.cookie("ptl_session").expect("a session"));
        let listed: Value =
            serde_json::from_str(&shop.get(&cookie, "/api/v1/account/sessions").await.body).expect("json");
        let sessions = listed["data"].as_array().expect("a list");
        assert_eq!(sessions.len(), 3);
        let theirs = sessions.iter().find(|session| session["this"] == false).expect("another");
        let end = async |path: String| {
            let request =
                Request::delete(path).header(header::COOKIE, &cookie).header("sec-fetch-site", "same-origin");
            shop.ask(request.body(Body::empty()).expect("a request")).await
        };
        let path = format!("/api/v1/account/sessions/{}", theirs["id"].as_str().expect("an id"));
        assert_eq!(end(path.clone()).await.status, 204);
        assert_eq!(end(path).await.status, 404);
        let rest = end("/api/v1/account/sessions".to_owned()).await;
        assert!(rest.body.contains("\"ended\":1"), "{}", rest.body);
        assert!(other.get(&shop, "/pulse").await.status.is_redirection());
        assert!(third.get(&shop, "/pulse").await.status.is_redirection());
        assert_eq!(mine.get(&shop, "/pulse").await.status, 200);

        let new = "a harbour at dawn, 1488";
        let change = async |browser: &mut Browser, old: &str, new: &str, repeated: &str| {
            let form = [("old_password", old), ("new_password", new), ("repeated", repeated)];
            browser.post(&shop, "/account/password", &form).await
        };
        for (old, new, repeated, word) in [
            ("wrong", new, new, "not your password"),
            (PASSWORD, new, "another", "not the same"),
            (PASSWORD, "short", "short", "at least 12 characters"),
        ] {
            let refused = change(&mut mine, old, new, repeated).await;
            assert!(refused.status == 422 && refused.body.contains(word), "{word}: {}", refused.body);
        }
        let changed = change(&mut mine, PASSWORD, new, new).await;
        assert_eq!(changed.location.as_deref(), Some("/account?done=password-changed"));
        assert_eq!(mine.get(&shop, "/account").await.status, 200, "whoever changed it stays");
        assert_eq!(other.sign_in(&shop, "/pulse").await.status, 422, "the old one is over");
        shop.app.sessions.sign_in_with_password("shop", new, Client::default()).await.expect("the new one");
    })
    .await;
}
