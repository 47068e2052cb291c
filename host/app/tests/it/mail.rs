//! What is mailed, and what comes of it: invitations, and new passwords for whoever forgot theirs.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use portolan_app::mail::outbox;
use portolan_app::people::{NewTenant, add_owner};
use portolan_core::Duration;
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::{audit_event, mail, password_reset};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::doors::Answer;
use crate::postbox::Postbox;
use crate::support::*;

const OLD: &str = "a harbour at dusk, 1487";
const NEW: &str = "a harbour at dawn, 1488";
const ADA: &str = "ada@example.com";

impl TestApp {
    async fn send_form(&self, cookie: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(body.finish())).expect("a request")).await
    }

    async fn forgot(&self, name: &str) -> Answer {
        self.send_form("", "/sign-in/forgot", &[("name", name)]).await
    }

    async fn waiting_mails(&self) -> Vec<mail::Model> {
        let tx = self.app.db.system_read().await.expect("read");
        tx.find::<mail::Entity>().all(&tx).await.expect("mails")
    }

    async fn reset_tokens(&self) -> usize {
        let tx = self.app.db.system_read().await.expect("read");
        tx.find::<password_reset::Entity>().all(&tx).await.expect("tokens").len()
    }

    async fn can_sign_in(&self, password: &str) -> bool {
        let answer = self.send_form("", "/sign-in", &[("name", ADA), ("password", password)]).await;
        answer.cookie.is_some()
    }
}

/// A shop with a mail server, whose owner has a mail address and a password.
async fn shop_with_mail(test: &TestDatabase) -> (TestApp, Postbox) {
    let mut shop = TestApp::new(test, "shop").await;
    let postbox = Postbox::open().await;
    Arc::get_mut(&mut shop.app).expect("nobody else holds it yet").mail = Some(postbox.mailer());
    let tenant =
        NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
    add_owner(&shop.app, ADA, Some(OLD), tenant).await.expect("an owner");
    (shop, postbox)
}

/// Asks for a link and has it delivered.
async fn link_of(shop: &TestApp, postbox: &Postbox) -> String {
    assert_eq!(shop.forgot(ADA).await.status, 200);
    shop.work().await;
    let mails = postbox.mails();
    mails.last().expect("a mail").link("https://portolan.example/sign-in/reset/")
}

fn path_of(link: &str) -> &str {
    link.trim_start_matches("https://portolan.example")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_a_mailed_link_once() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_with_mail(test).await;
        let signed_in = shop.send_form("", "/sign-in", &[("name", ADA), ("password", OLD)]).await;
        let cookie = signed_in.cookie.expect("a session");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();

        let asked = shop.forgot(" Ada@Example.com ").await;
        assert!(asked.status == 200 && asked.body.contains("If somebody signs in"), "{}", asked.body);
        let waiting = shop.waiting_mails().await;
        assert_eq!(waiting.len(), 1);
        assert!(!String::from_utf8_lossy(&waiting[0].sealed).contains("ada"), "sealed");
        assert_eq!(shop.reset_tokens().await, 0, "nobody has looked yet who it is");
        shop.work().await;
        assert!(shop.waiting_mails().await.is_empty(), "nothing of it stays");
        let mails = postbox.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, [ADA]);
        let link = mails[0].link("https://portolan.example/sign-in/reset/");
        let path = path_of(&link);

        // Looking does not use it up, nor does a password that cannot be taken.
        let form = shop.get("", path).await;
        assert!(form.status == 200 && form.body.contains("name=\"repeated\""), "{}", form.body);
        for (password, repeated, told) in [("short", "short", "at least 12"), (NEW, OLD, "not the same")] {
            let refused = shop.send_form("", path, &[("password", password), ("repeated", repeated)]).await;
            assert!(refused.status == 422 && refused.body.contains(told), "{}", refused.body);
        }
        assert!(shop.can_sign_in(OLD).await);
        let done = shop.send_form("", path, &[("password", NEW), ("repeated", NEW)]).await;
        assert!(done.status == 200 && done.body.contains("was changed"), "{}", done.body);
        assert!(shop.get(&cookie, "/pulse").await.status.is_redirection(), "all sessions have ended");
        assert!(shop.can_sign_in(NEW).await && !shop.can_sign_in(OLD).await);

        let again = shop.send_form("", path, &[("password", OLD), ("repeated", OLD)]).await;
        assert_eq!((again.status.as_u16(), shop.get("", path).await.status.as_u16()), (410, 410), "once");
        shop.work().await;
        let told = postbox.mails();
        assert!(told.len() == 2 && told[1].text.contains("Your password was changed"), "{told:?}");
        assert!(!told[1].text.contains("/sign-in/reset/"), "no link in it");
        let actions: Vec<String> =
            shop.rows::<audit_event::Entity>().await.into_iter().map(|event| event.action).collect();
        for action in ["password_reset.ask", "person.reset_password"] {
            assert_eq!(actions.iter().filter(|one| *one == action).count(), 1, "{action}: {actions:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_by_asking_who_is_there_and_nobody_is_flooded() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_with_mail(test).await;
        let known = shop.forgot(ADA).await;
        // Unknown, no address, and a name that would be two headers.
        for name in ["nobody@example.com", "shop", "ada@example.com\r\nBcc: eve@example.com", "", "\0"] {
            let answer = shop.forgot(name).await;
            assert_eq!((answer.status, &answer.body), (known.status, &known.body), "{name:?}");
        }
        shop.work().await;
        assert_eq!(postbox.mails().len(), 1, "{:?}", postbox.mails());
        assert!(shop.waiting_mails().await.is_empty());
        shop.assert_idle().await;

        // Within the minute nothing is sent, then a second one, and the third within the hour locks for an hour.
        for (pause, sent) in [(10, 1), (60, 2), (300, 2), (1_800, 2), (1_700, 2), (200, 3)] {
            shop.advance(Duration::from_secs(pause));
            assert_eq!(shop.forgot(ADA).await.body, known.body);
            shop.work().await;
            assert_eq!(postbox.mails().len(), sent, "after {pause} s");
        }
        assert_eq!(shop.reset_tokens().await, 1, "a newer link voids the older ones");
        let tenant =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, ADA, Some(NEW), tenant).await.expect("a new password");
        assert_eq!(shop.reset_tokens().await, 0, "and so does a password that is set otherwise");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_use_a_mailed_link_at_once_one_sets_the_password() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_with_mail(test).await;
        let link = link_of(&shop, &postbox).await;
        let token = link.rsplit('/').next().expect("a token").to_owned();
        let hash = shop.app.sessions.passwords().hash(NEW).await.expect("a hash");
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (app, token, hash) = (Arc::clone(&shop.app), token.clone(), hash.clone());
                tokio::spawn(async move {
                    let in_task = Arc::clone(&app);
                    let used = app.db.system_write(move |tx| {
                        Box::pin(async move {
                            in_task.sessions.use_reset_token(tx, &token, hash, &Default::default()).await
                        })
                    });
                    used.await.expect("an answer").is_some()
                })
            })
            .collect();
        let mut used = 0;
        for attempt in tries {
            used += usize::from(attempt.await.expect("task"));
        }
        assert_eq!(used, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailed_link_ends_with_its_half_hour_and_leaves_the_second_factor_on() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_with_mail(test).await;
        let link = link_of(&shop, &postbox).await;
        shop.advance(Duration::from_minutes(30));
        assert_eq!(shop.get("", path_of(&link)).await.status, 410);
        let late = shop.send_form("", path_of(&link), &[("password", NEW), ("repeated", NEW)]).await;
        assert_eq!(late.status, 410);
        assert!(shop.can_sign_in(OLD).await);

        // With a second factor on, the new password leads to the second step.
        let (user, _) = portolan_app::people::find_member(&shop.app, ADA).await.expect("them");
        let session = shop.app.sessions.create_link(shop.tenant, user).await.expect("a link");
        let client = portolan_access::Client::default();
        let session = shop.app.sessions.sign_in_with_link(&session, client.clone()).await.expect("a session");
        let signed_in = shop.app.sessions.authenticate(&session.token).await.expect("look").expect("stands");
        shop.app.second_factors().begin(&signed_in, client.clone()).await.expect("a seed");
        let code = shop.app.second_factors().code_at(user, shop.app.clock.now()).await;
        shop.app.second_factors().confirm(&signed_in, &code, client).await.expect("on");
        let link = link_of(&shop, &postbox).await;
        let done = shop.send_form("", path_of(&link), &[("password", NEW), ("repeated", NEW)]).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let sign_in = shop.send_form("", "/sign-in", &[("name", ADA), ("password", NEW)]).await;
        assert_eq!(sign_in.location.as_deref(), Some("/sign-in/second-step"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_not_taken_is_tried_six_times_and_then_kept_for_the_operator() {
    on_both(migrate, async |test| {
        let (shop, postbox) = shop_with_mail(test).await;
        postbox.answer(&["451 ada@example.com is busy"; 6]);
        let body = serde_json::json!({ "name": "dora@example.com", "roles": ["viewer"] }).to_string();
        let session = shop.session().await;
        let made = shop.post_json(&session, "/api/v1/invitations", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert!(made.body.contains("\"mailed\":true"), "{}", made.body);
        for _ in 0..6 {
            shop.work().await;
            shop.advance(Duration::from_hours(1));
        }
        shop.work().await;
        assert!(postbox.mails().is_empty());
        let listed = outbox::list(&shop.app).await.expect("listed");
        assert!(listed.len() == 1 && listed[0].failed_at.is_some(), "{listed:?}");
        let told = listed[0].last_error.as_deref().expect("why");
        assert!(told.contains("451") && !told.contains("ada@"), "{told}");
        let tx = shop.app.db.system_read().await.expect("read");
        let dead = tx.find_across_tenants::<job::Entity>().filter(job::Column::State.eq(JobState::Dead));
        let dead = dead.all(&tx).await.expect("jobs");
        assert_eq!(
            dead.iter().map(|job| (job.kind.as_str(), job.attempt)).collect::<Vec<_>>(),
            [("mail.send", 6)]
        );
        assert!(!format!("{dead:?}").contains("dora"), "jobs name nobody");
        drop(tx);

        assert_eq!(outbox::send_again(&shop.app).await.expect("again"), 1);
        shop.work().await;
        let mails = postbox.mails();
        assert!(mails.len() == 1 && mails[0].to == ["dora@example.com"], "{mails:?}");
        let link = mails[0].link("https://portolan.example/invitations/");
        assert!(shop.get("", path_of(&link)).await.body.contains("Join "), "the link of the mail leads in");
        assert!(outbox::list(&shop.app).await.expect("listed").is_empty());

        // Refused for good: not tried again.
        postbox.answer(&["550 no such mailbox"]);
        let body = body.replace("dora", "emil");
        let session = shop.session().await;
        assert_eq!(shop.post_json(&session, "/api/v1/invitations", &body).await.status, 201);
        shop.work().await;
        let listed = outbox::list(&shop.app).await.expect("listed");
        assert!(listed.len() == 1 && listed[0].failed_at.is_some(), "{listed:?}");
        shop.assert_idle().await;
        // A week later it is forgotten, with what it says.
        shop.advance(Duration::from_hours(8 * 24));
        outbox::forget_old(&shop.app).await.expect("forgotten");
        assert!(outbox::list(&shop.app).await.expect("listed").is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_everything_says_so_and_nothing_waits() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        for answer in [shop.get("", "/sign-in/forgot").await, shop.forgot(ADA).await] {
            assert!(answer.body.contains("sends no mail") && answer.body.contains("portolan user link"));
        }
        let session = shop.session().await;
        let invited = shop
            .send_form(&session, "/admin/people", &[("name", "dora@example.com"), ("role.viewer", "true")])
            .await;
        assert!(invited.body.contains("This Portolan sends no mail to this name"), "{}", invited.body);
        assert!(shop.waiting_mails().await.is_empty());
        shop.assert_idle().await;
    })
    .await;
}
