//! Somebody plants a session's token, or keeps one, and waits for its person to come in.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_app::people::{NewTenant, add_owner};
use portolan_core::Duration;

use crate::doors::Answer;
use crate::support::*;

const PASSWORD: &str = "a harbour at dusk, 1487";
const PLANTED: &str = "ptl_session=planted-by-somebody-else; ptl_second_step=planted-as-well";

async fn post(shop: &TestApp, path: &str, cookie: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    shop.ask(request.body(Body::from(form.to_owned())).expect("a request")).await
}

/// The pair of the session's cookie that an answer gives.
#[track_caller]
fn given(answer: &Answer) -> String {
    let cookies = answer.headers.get_all(header::SET_COOKIE).iter();
    let mut pairs = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let pair = pairs.find(|pair| pair.starts_with("ptl_session=") && pair.len() > 20);
    pair.unwrap_or_else(|| panic!("no session: {} {}", answer.status, answer.body)).to_owned()
}

async fn is_in(shop: &TestApp, cookie: &str) -> bool {
    shop.get(cookie, "/api/v1/account").await.status == 200
}

fn form_of(password: &str) -> String {
    password.replace(' ', "+").replace(',', "%2C")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_before_signing_in_is_nobodys_afterwards() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let tenant =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, "shop", Some(PASSWORD), tenant).await.expect("a password");
        let password = format!("name=shop&password={}", form_of(PASSWORD));
        let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
        for (path, form) in
            [("/sign-in".to_owned(), password.as_str()), (format!("/sign-in/link/{link}"), "")]
        {
            let mut tokens = Vec::new();
            let session = given(&post(&shop, &path, PLANTED, form).await);
            assert!(is_in(&shop, &session).await, "{path}");
            assert!(!is_in(&shop, PLANTED).await, "{path}: what was planted is nobody's");
            assert!(!session.contains("planted"));
            tokens.push(session);
            assert_eq!(tokens.len(), 1);
        }
        // Nor does one person's session become another's who signs in over it.
        let first = given(&post(&shop, "/sign-in", "", &password).await);
        let second = given(&post(&shop, "/sign-in", &first, &password).await);
        assert_ne!(first, second);
        assert!(is_in(&shop, &second).await && !is_in(&shop, &first).await, "the one before is over");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_more_than_before_has_another_token_and_the_old_one_is_over() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let own = |slug: &str| NewTenant {
            slug: slug.to_owned(),
            currency: "EUR".to_owned(),
            time_zone: "UTC".to_owned(),
        };
        add_owner(&shop.app, "shop", Some(PASSWORD), own("shop")).await.expect("a password");
        let quay = add_owner(&shop.app, "shop", None, own("quay")).await.expect("another company");
        let code = async || {
            shop.advance(Duration::from_secs(60));
            let code = shop.app.second_factors().code_at(shop.user, shop.app.clock.now()).await;
            format!("code={code}")
        };
        let mut held = vec![given(
            &post(&shop, "/sign-in", "", &format!("name=shop&password={}", form_of(PASSWORD))).await,
        )];
        let last = |held: &Vec<String>| held.last().expect("a session").clone();

        // Shown again who one is.
        let again = format!("code={}", form_of(PASSWORD));
        held.push(given(&post(&shop, "/sign-in/again", &last(&held), &again).await));
        // A second factor switched on, and shown again by it.
        post(&shop, "/account/second-factor", &last(&held), "").await;
        let confirmed = post(&shop, "/account/second-factor/confirm", &last(&held), &code().await).await;
        held.push(given(&confirmed));
        held.push(given(&post(&shop, "/sign-in/again", &last(&held), &code().await).await));
        // Gone to another company.
        held.push(given(&post(&shop, "/tenants/switch", &last(&held), &format!("tenant={quay}")).await));

        let present = held.pop().expect("the newest");
        assert!(is_in(&shop, &present).await);
        for (number, old) in held.iter().enumerate() {
            assert_ne!(*old, present);
            assert!(!is_in(&shop, old).await, "the token before step {number} is over");
        }

        // Between the steps nobody is in, by whichever cookie.
        let first =
            post(&shop, "/sign-in", PLANTED, &format!("name=shop&password={}", form_of(PASSWORD))).await;
        let pending =
            first.headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        let pending: Vec<&str> = pending.filter_map(|cookie| cookie.split(';').next()).collect();
        let token =
            pending.iter().find_map(|pair| pair.strip_prefix("ptl_second_step=")).expect("a first step");
        assert!(!is_in(&shop, &format!("ptl_session={token}")).await);
        let form = code().await;
        let planted = post(&shop, "/sign-in/second-step", PLANTED, &form).await;
        assert_eq!(planted.status, 422, "a planted first step is nobody's");
        let done =
            post(&shop, "/sign-in/second-step", &format!("ptl_second_step={token}"), &code().await).await;
        assert!(is_in(&shop, &given(&done)).await);
        assert!(!is_in(&shop, &format!("ptl_session={token}")).await, "the first step's token opens nothing");
        let twice =
            post(&shop, "/sign-in/second-step", &format!("ptl_second_step={token}"), &code().await).await;
        assert_eq!(twice.status, 422);
    })
    .await;
}
