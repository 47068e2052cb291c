//! Passkeys through pages and API: added, asked for, listed, renamed, removed, told.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use portolan_access::passkeys::testing::Authenticator;
use portolan_app::people::{NewTenant, add_owner, find_member};
use portolan_core::{Duration, SystemRandom, id};
use portolan_db::DbError;
use portolan_db::entity::{passkey, user};
use sea_orm::IntoActiveModel;
use serde_json::{Value, json};

use crate::audit::{Sent, Story, json_of};
use crate::doors::Answer;
use crate::postbox::Postbox;
use crate::support::*;

const HERE: &str = "http://localhost:8080";
const PASSWORD: &str = "a harbour at dusk, 1487";
const ADA: &str = "ada@example.com";

impl TestApp {
    /// A passkey of somebody who belongs to no company: listed and changed by nobody here.
    pub async fn somebodys_passkey(&self) -> Uuid {
        let new_id = || id::new_uuid(&self.clock, &SystemRandom);
        let (person, own) = (new_id(), new_id());
        let person = user::Model {
            id: person,
            sign_in_name: format!("somebody-{person}"),
            password_hash: None,
            created_at: 0,
        };
        let row = passkey::Model {
            id: own,
            user_id: person.id,
            credential_hash: own.to_string(),
            sealed: vec![0],
            name: "Somebody's".to_owned(),
            created_at: 0,
            last_used_at: None,
        };
        let stored = self.app.db.system_write(move |tx| {
            Box::pin(async move {
                tx.insert(person.into_active_model()).await?;
                tx.insert(row.into_active_model()).await?;
                Ok::<_, DbError>(())
            })
        });
        stored.await.expect("stored");
        own
    }

    async fn post_filled(&self, cookie: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(body.finish())).expect("a request")).await
    }

    /// A question as a script fetches it, with what `navigator.credentials` would be handed.
    async fn question(&self, cookie: &str, of: &str) -> (String, Value) {
        let answer = self.post_json(cookie, &format!("/api/v1/auth/passkeys/{of}"), "").await;
        assert_eq!(answer.status, 200, "{of}: {}", answer.body);
        let question = json_of(&answer);
        let ceremony = question["ceremony"].as_str().expect("a ceremony").to_owned();
        (ceremony, json!({ "publicKey": question["public_key"] }))
    }
}

/// A shop at an address where passkeys can be used, with a mail server; its owner has a mail address and a password.
async fn shop_at_an_address(test: &TestDatabase) -> (TestApp, Postbox) {
    let mut shop = TestApp::new(test, "shop").await;
    let postbox = Postbox::open().await;
    let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
    app.public_address = Some(HERE.parse().expect("an address"));
    app.mail = Some(postbox.mailer());
    app.sessions = app.sessions.clone().with_mail();
    let tenant =
        NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
    add_owner(&shop.app, ADA, Some(PASSWORD), tenant).await.expect("an owner");
    (shop, postbox)
}

fn cookie_of(answer: &Answer, name: &str) -> String {
    let all = answer.headers.get_all(header::SET_COOKIE).iter();
    let mut pairs = all.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let found = pairs.find(|pair| pair.starts_with(&format!("{name}=")) && !pair.ends_with('='));
    found.unwrap_or_else(|| panic!("no {name}: {}", answer.body)).to_owned()
}

async fn first_step(shop: &TestApp) -> Answer {
    shop.post_filled("", "/sign-in", &[("name", ADA), ("password", PASSWORD)]).await
}

/// A passkey of the owner's, and the session in which it was added.
async fn add_passkey(shop: &TestApp) -> (Authenticator, String) {
    let session = cookie_of(&first_step(shop).await, "ptl_session");
    let form = shop.get(&session, "/account/passkeys/new").await;
    assert!(form.status == 200 && form.body.contains("data-passkey=\"create\""), "{}", form.body);
    let (ceremony, options) = shop.question(&session, "registration").await;
    let mut device = Authenticator::new(HERE);
    let answer = device.create(&options);
    let fields = [("name", "Telephone"), ("ceremony", ceremony.as_str()), ("answer", answer.as_str())];
    let added = shop.post_filled(&session, "/account/passkeys", &fields).await;
    assert!(added.status == 200 && added.body.contains("recovery-codes"), "{}", added.body);
    let renewed = cookie_of(&added, "ptl_session");
    assert!(shop.get(&session, "/pulse").await.status.is_redirection(), "under another token");
    let again = shop.post_filled(&renewed, "/account/passkeys", &fields).await;
    assert!(again.status == 422 && again.body.contains("begin again"), "{}", again.body);
    (device, renewed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_added_on_its_page_and_comes_in_by_the_sign_in_pages() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_at_an_address(test).await;
        let (mut device, session) = add_passkey(&shop).await;
        shop.work().await;
        let mails = postbox.mails();
        assert!(mails.len() == 1 && mails[0].to == [ADA] && mails[0].text.contains("A passkey was added"));
        let page = shop.get(&session, "/account").await;
        assert!(page.body.contains("Telephone") && page.body.contains("10 recovery codes are left"));

        // Alone.
        shop.advance(Duration::from_minutes(1));
        let door = shop.get("", "/sign-in?next=/orders").await;
        assert!(door.body.contains("/api/v1/auth/passkeys/sign-in"), "{}", door.body);
        let (ceremony, options) = shop.question("", "sign-in").await;
        assert_eq!(options["publicKey"]["allowCredentials"], json!([]), "nobody is named");
        let answer = device.get(&options);
        let fields = [("ceremony", ceremony.as_str()), ("answer", answer.as_str()), ("next", "/orders")];
        let welcome = shop.post_filled("", "/sign-in/passkey", &fields).await;
        assert_eq!(welcome.location.as_deref(), Some("/orders"), "{}", welcome.body);
        let alone = cookie_of(&welcome, "ptl_session");
        assert_eq!(shop.get(&alone, "/pulse").await.status, 200);
        let again = shop.post_filled("", "/sign-in/passkey", &fields).await;
        assert!(again.status == 422 && again.body.contains("was not taken") && again.cookie.is_none());

        // In the place of a code: none is asked for, since there is no authenticator.
        shop.advance(Duration::from_minutes(1));
        let first = first_step(&shop).await;
        assert_eq!(first.location.as_deref(), Some("/sign-in/second-step"));
        let between = cookie_of(&first, "ptl_second_step");
        let page = shop.get(&between, "/sign-in/second-step").await;
        assert!(page.body.contains("Use a passkey") && !page.body.contains("data-code "), "{}", page.body);
        assert!(page.body.contains("recovery code"), "{}", page.body);
        let (ceremony, options) = shop.question(&between, "second-step").await;
        let answer = device.get(&options);
        let fields = [("ceremony", ceremony.as_str()), ("answer", answer.as_str())];
        let second = shop.post_filled(&between, "/sign-in/second-step/passkey", &fields).await;
        assert_eq!(second.location.as_deref(), Some("/pulse"), "{}", second.body);
        let session = cookie_of(&second, "ptl_session");

        // To show again who one is.
        shop.advance(Duration::from_minutes(20));
        let asked = shop.get(&session, "/account/passkeys/new").await;
        assert_eq!(asked.location.as_deref(), Some("/sign-in/again?next=/account/passkeys/new"));
        let page = shop.get(&session, "/sign-in/again?next=/account/passkeys/new").await;
        assert!(page.body.contains("/sign-in/again/passkey"), "{}", page.body);
        let refused = shop.post_json(&session, "/api/v1/auth/passkeys/registration", "").await;
        assert_eq!(refused.problem()["code"], "step_up_required");
        let (ceremony, options) = shop.question(&session, "again").await;
        let answer = device.get(&options);
        let next = "/account/passkeys/new";
        let fields = [("ceremony", ceremony.as_str()), ("answer", answer.as_str()), ("next", next)];
        let shown = shop.post_filled(&session, "/sign-in/again/passkey", &fields).await;
        assert_eq!(shown.location.as_deref(), Some(next), "{}", shown.body);
        let session = cookie_of(&shown, "ptl_session");
        assert_eq!(shop.get(&session, next).await.status, 200);
        let again = shop.post_filled(&session, "/sign-in/again/passkey", &fields).await;
        assert!(again.status == 422 && again.body.contains("was not taken"), "{}", again.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_passkeys_are_off_and_pages_say_what_to_set() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        assert!(!shop.get("", "/sign-in").await.body.contains("passkey"));
        for path in ["/account", "/account/passkeys/new"] {
            let page = shop.get(&session, path).await;
            assert!(page.status == 200 && page.body.contains("--public-address"), "{path}: {}", page.body);
        }
        for path in ["registration", "sign-in", "again"] {
            let refused = shop.post_json(&session, &format!("/api/v1/auth/passkeys/{path}"), "").await;
            let problem = refused.problem();
            assert_eq!(refused.status, 409, "{path}");
            assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("--public-address")));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_passkey_is_told_once() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_at_an_address(test).await;
        let mut story = Story::new(shop).await;
        story.shop.user = find_member(&story.shop.app, ADA).await.expect("ada").0;
        story.session = cookie_of(&first_step(&story.shop).await, "ptl_session");
        let mut made = Vec::new();
        for number in 0..3 {
            let (ceremony, options) = story.shop.question(&story.session, "registration").await;
            let answer: Value =
                serde_json::from_str(&Authenticator::new(HERE).create(&options)).expect("an answer");
            let new = json!({ "ceremony": ceremony, "name": format!("Key {number}"), "answer": answer });
            let added =
                story.act("post", "/api/v1/auth/passkeys", &[], Sent::Json(new), &["passkey.add"]).await;
            assert_eq!(added.status, 201);
            assert_eq!(json_of(&added)["recovery_codes"].is_array(), number == 0, "{}", added.body);
            made.push(crate::audit::id_in(&added));
            story.session = cookie_of(&added, "ptl_session");
        }
        let rename = Sent::Json(json!({ "name": "open-sesame" }));
        let route = "/api/v1/auth/passkeys/{id}";
        story.act("patch", route, &made[..1], rename, &["passkey.rename"]).await;
        let list = story.shop.get(&story.session, "/api/v1/auth/passkeys").await;
        let names: Vec<String> = json_of(&list)["data"]
            .as_array()
            .expect("passkeys")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(names, ["open-sesame", "Key 1", "Key 2"]);
        let account = json_of(&story.shop.get(&story.session, "/api/v1/account").await);
        assert_eq!((&account["passkeys"], &account["recovery_codes_left"]), (&json!(3), &json!(10)));
        story.act("delete", route, &made[..1], Sent::Json(Value::Null), &["passkey.remove"]).await;
        let rename = "/account/passkeys/{id}/rename";
        story.act("post", rename, &made[1..2], Sent::Form("name=Quay"), &["passkey.rename"]).await;
        let empty =
            story.shop.post_filled(&story.session, &rename.replace("{id}", &made[1].to_string()), &[]).await;
        assert!(empty.status == 422 && empty.body.contains("1 to 60 characters"), "{}", empty.body);
        for passkey in &made[1..] {
            let remove = "/account/passkeys/{id}/remove";
            story.act("post", remove, &[*passkey], Sent::Form(""), &["passkey.remove"]).await;
        }
        story.shop.work().await;
        let mails = postbox.mails();
        let told = |title: &str| mails.iter().filter(|mail| mail.text.contains(title)).count();
        assert_eq!((told("A passkey was added"), told("A passkey was removed")), (3, 3));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_is_told_by_mail_and_an_easy_one_is_refused() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_at_an_address(test).await;
        let session = cookie_of(&first_step(&shop).await, "ptl_session");
        let new = "copper umbrella nineteen fjord";
        for (password, told) in
            [("password1234", "easy to guess"), ("ada@example.com", "easy to guess"), ("short", "too short")]
        {
            let form = [("old_password", PASSWORD), ("new_password", password), ("repeated", password)];
            let refused = shop.post_filled(&session, "/account/password", &form).await;
            assert!(refused.status == 422 && refused.body.contains(told), "{password}: {}", refused.body);
        }
        let form = [("old_password", PASSWORD), ("new_password", new), ("repeated", new)];
        assert_eq!(shop.post_filled(&session, "/account/password", &form).await.status, 303);
        shop.work().await;
        let mails = postbox.mails();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].to == [ADA] && mails[0].text.contains("Your password was changed"), "{mails:?}");
        assert!(!mails[0].text.contains(new) && !mails[0].text.contains(PASSWORD));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_mailed_to_whoever_has_no_other_second_factor() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_at_an_address(test).await;
        // Whoever switches it on has a second factor of their own.
        let (_, owner) = add_passkey(&shop).await;
        let tenant =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, "eve@example.com", Some(PASSWORD), tenant).await.expect("an owner");
        let form = [
            ("role", "owner"),
            ("session_minutes", "60"),
            ("idle_minutes", "30"),
            ("networks", ""),
            ("mail_codes", "true"),
            ("device_days", "0"),
        ];
        assert_eq!(shop.post_filled(&owner, "/admin/security", &form).await.status, 303);
        let page = shop.get(&owner, "/admin/security").await;
        assert!(page.body.contains("name=\"mail_codes\" value=\"true\" checked"), "{}", page.body);
        let policy = json_of(&shop.get(&owner, "/api/v1/security-policy").await);
        assert_eq!((&policy["mail_codes"], &policy["device_days"]), (&json!(true), &json!(0)));

        let sign_in = [("name", "eve@example.com"), ("password", PASSWORD)];
        let first = shop.post_filled("", "/sign-in", &sign_in).await;
        assert_eq!(first.location.as_deref(), Some("/sign-in/second-step"), "{}", first.body);
        let between = cookie_of(&first, "ptl_second_step");
        let page = shop.get(&between, "/sign-in/second-step").await;
        assert!(
            page.body.contains("Send me a code") && !page.body.contains("name=\"code\""),
            "{}",
            page.body
        );
        assert!(!page.body.contains("name=\"remember\""), "no browser is remembered here");
        let sent = shop.post_filled(&between, "/sign-in/second-step/mail", &[]).await;
        let again = shop.post_filled(&between, "/sign-in/second-step/mail", &[]).await;
        assert!(sent.status == 200 && sent.body.contains("name=\"code\""), "{}", sent.body);
        assert_eq!(sent.body, again.body, "whether one was sent is not told");
        shop.work().await;
        let mails = postbox.mails();
        let codes: Vec<_> = mails.iter().filter(|mail| mail.text.contains("Your code to sign in")).collect();
        assert!(codes.len() == 1 && codes[0].to == ["eve@example.com"], "{mails:?}");
        let at = codes[0].text.find(" is ").expect("the code") + 4;
        let code: String = codes[0].text[at..].chars().filter(char::is_ascii_digit).take(6).collect();
        let form = [("code", code.as_str()), ("remember", "true")];
        let second = shop.post_filled(&between, "/sign-in/second-step", &form).await;
        assert_eq!(second.location.as_deref(), Some("/pulse"), "{}", second.body);
        let cookies: Vec<_> = second.headers.get_all(header::SET_COOKIE).iter().collect();
        assert!(!cookies.iter().any(|one| one.to_str().is_ok_and(|one| one.starts_with("ptl_device="))));
        assert_eq!(shop.get(&cookie_of(&second, "ptl_session"), "/pulse").await.status, 200);
    })
    .await;
}
