//! Signing in by an identity provider, as a browser goes there and back; and everything that must not come of it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, header};
use portolan_access::oidc::fake::{CLIENT_ID, CLIENT_SECRET, FakeProvider, Fault};
use portolan_access::oidc::{NewProvider, Provider, ProviderTools, change_provider, create_provider};
use portolan_access::{Client, NewPerson, SystemRole, add_person};
use portolan_app::people::{NewTenant, add_owner, ops};
use portolan_core::{Duration, TenantId, UserId};
use portolan_db::entity::{audit_event, identity, identity_flow, identity_provider, session, sign_in_policy};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::doors::Answer;
use crate::support::*;

const PUBLIC: &str = "https://portolan.example";
const ISSUER: &str = "https://id.example";
const PASSWORD: &str = "a harbour at dusk, 1487";

/// The client secret of the fake providers, as a form sends it.
pub const CLIENT_SECRET_IN_FORM: &str = "a+secret+of+tests%3A+with+%26+and+%25";

/// The address in a page that begins so.
pub fn href_to(page: &str, beginning: &str) -> String {
    let at =
        page.find(&format!("href=\"{beginning}")).unwrap_or_else(|| panic!("no way to {beginning}: {page}"));
    let rest = &page[at + "href=\"".len()..];
    rest.split('"').next().expect("its end").replace("&#38;", "&").replace("&amp;", "&")
}

/// A browser with its cookies.
#[derive(Default, Clone)]
struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    async fn send(&mut self, shop: &TestApp, method: Method, path: &str, form: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let posts = method == Method::POST;
        let mut request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if posts {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let answer = shop.ask(request.body(Body::from(form.to_owned())).expect("a request")).await;
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
        self.send(shop, Method::GET, path, "").await
    }

    async fn post(&mut self, shop: &TestApp, path: &str, form: &str) -> Answer {
        self.send(shop, Method::POST, path, form).await
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn session(&self) -> Option<&str> {
        self.cookie("__Host-ptl_session")
    }

    fn with_session(token: &str) -> Self {
        Self { cookies: vec![("__Host-ptl_session".to_owned(), token.to_owned())] }
    }

    /// To the provider, as somebody there: gives the address that they come back to.
    async fn go(&mut self, shop: &TestApp, start: &str, there: &FakeProvider, subject: &str) -> String {
        let gone = self.get(shop, start).await;
        assert_eq!(gone.status, 303, "{}", gone.body);
        let back = there.authorize(&gone.location.expect("a place"), subject);
        back.strip_prefix(PUBLIC).expect("ours").to_owned()
    }

    /// There and back.
    async fn sign_in(
        &mut self,
        shop: &TestApp,
        provider: &Provider,
        there: &FakeProvider,
        subject: &str,
    ) -> Answer {
        let back = self.go(shop, &start(provider), there, subject).await;
        self.get(shop, &back).await
    }
}

fn start(provider: &Provider) -> String {
    format!("/auth/oidc/{}/start", provider.handle())
}

impl TestApp {
    /// Has the company trust a provider under this name.
    pub async fn provider_at(&self, issuer: &str) -> Provider {
        let new = NewProvider {
            id: None,
            label: "Harbour accounts".to_owned(),
            issuer: issuer.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            enabled: true,
        };
        self.provider_of(self.tenant, new).await
    }

    async fn provider_of(&self, tenant: TenantId, new: NewProvider) -> Provider {
        let (by, app) = (self.who(), Arc::clone(&self.app));
        let made = self.app.db.write(tenant, move |tx| {
            Box::pin(async move {
                let tools = ProviderTools {
                    ring: &app.key_ring,
                    outside: &app.outside,
                    clock: &*app.clock,
                    random: &*app.random,
                };
                create_provider(tx, &by, new, tools).await
            })
        });
        made.await.expect("a provider")
    }

    /// Links what a provider calls somebody, as their profile does.
    async fn link(&self, user: UserId, provider: &Provider, there: &FakeProvider, subject: &str) -> Browser {
        let mut browser = self.browser_of(user, provider.tenant).await;
        let form = format!("provider={}", provider.handle());
        let gone = browser.post(self, "/account/identities/link", &form).await;
        assert_eq!(gone.status, 200, "{}", gone.body);
        let back = there.authorize(&href_to(&gone.body, &there.issuer), subject);
        let linked = browser.get(self, back.strip_prefix(PUBLIC).expect("ours")).await;
        assert_eq!(linked.location.as_deref(), Some("/account?done=identity-linked"), "{}", linked.body);
        browser
    }

    async fn browser_of(&self, user: UserId, tenant: TenantId) -> Browser {
        let link = self.app.sessions.create_link(tenant, user).await.expect("a link");
        let session = self.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in");
        Browser::with_session(&session.token)
    }

    async fn person(&self, name: &str, tenant: TenantId) -> UserId {
        let person = NewPerson { sign_in_name: name.to_owned(), tenant, role: SystemRole::Viewer };
        let app = Arc::clone(&self.app);
        let added = self.app.db.system_write(move |tx| {
            Box::pin(async move { add_person(tx, person, &*app.clock, &*app.random).await })
        });
        added.await.expect("a person")
    }

    async fn sessions_by_provider(&self) -> usize {
        let tx = self.app.db.system_read().await.expect("read");
        let found = tx.find::<session::Entity>().filter(session::Column::Factors.eq("oidc"));
        found.all(&tx).await.expect("sessions").len()
    }

    async fn another_company(&self, owner: &str, slug: &str) -> TenantId {
        let new =
            NewTenant { slug: slug.to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&self.app, owner, None, new).await.expect("another company")
    }
}

/// A shop behind https with a provider that knows its owner as `owner-there`.
async fn shop(test: &TestDatabase) -> (TestApp, Provider, FakeProvider) {
    let mut shop = TestApp::new(test, "shop").await;
    let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
    app.public_address = Some(PUBLIC.parse().expect("an address"));
    let there = shop.outside.provider(ISSUER);
    let provider = shop.provider_at(ISSUER).await;
    shop.link(shop.user, &provider, &there, "owner-there").await;
    (shop, provider, there)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_linked_comes_in_by_the_provider_and_keeps_their_way() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut browser = Browser::default();
        let page = browser.get(&shop, "/sign-in?next=/orders").await;
        let start = href_to(&page.body, "/auth/oidc/");
        assert!(page.body.contains("Continue with Harbour accounts"), "{}", page.body);
        let back = browser.go(&shop, &start, &there, "owner-there").await;
        let flow = browser.cookie("__Host-ptl_provider").expect("bound to the browser").to_owned();
        assert!(!back.contains(&flow), "what stays in the browser does not travel");
        let welcome = browser.get(&shop, &back).await;
        assert_eq!(
            (welcome.status.as_u16(), welcome.location.as_deref()),
            (303, Some("/orders")),
            "{}",
            welcome.body
        );
        assert_eq!(browser.cookie("__Host-ptl_provider"), None);
        assert_eq!(browser.get(&shop, "/orders").await.status, 200);
        let verifier = there.verifier().expect("a verifier was sent");
        assert!(verifier.len() >= 43, "{verifier}");
        let signed_in = shop.app.sessions.authenticate(browser.session().expect("a session")).await;
        let signed_in = signed_in.expect("look").expect("somebody");
        assert!(
            signed_in.by_provider_alone && signed_in.user == shop.user && signed_in.tenant == shop.tenant
        );

        // A session of before is not carried over, and its cookie opens nothing any more.
        let old = browser.session().expect("one").to_owned();
        browser.sign_in(&shop, &provider, &there, "owner-there").await;
        assert_ne!(browser.session(), Some(old.as_str()));
        assert!(shop.app.sessions.authenticate(&old).await.expect("look").is_none());

        // As Google signs.
        there.sign_with_rsa();
        let mut other = Browser::default();
        assert_eq!(other.sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
        assert!(other.session().is_some());
        // Its description is asked for once in a while, not each time.
        assert_eq!(there.asked("/.well-known/openid-configuration"), 1);
        shop.advance(Duration::from_minutes(6));
        other.sign_in(&shop, &provider, &there, "owner-there").await;
        assert_eq!(there.asked("/.well-known/openid-configuration"), 2);

        let profile = other.get(&shop, "/account").await;
        assert!(
            profile.body.contains("Accounts elsewhere") && profile.body.contains(ISSUER),
            "{}",
            profile.body
        );
        let told: Vec<String> =
            shop.rows::<audit_event::Entity>().await.into_iter().map(|event| format!("{event:?}")).collect();
        assert!(told.iter().any(|event| event.contains("identity.link")));
        assert!(
            told.iter().all(|event| !event.contains("owner-there") && !event.contains("example.com")),
            "{told:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_token_nobody_comes_in_by_it() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        for (fault, words) in [
            (Fault::NoIdToken, "no ID token"),
            (Fault::WrongSignature, "signature is not right"),
            (Fault::Unsigned, "not taken"),
            (Fault::SharedSecret, "not allowed"),
            (Fault::OtherIssuer, "another issuer"),
            (Fault::OtherAudience, "another application"),
            (Fault::FurtherAudience, "another application"),
            (Fault::OtherAuthorizedParty, "another application"),
            (Fault::Expired, "time is over"),
            (Fault::IssuedLongAgo, "time is over"),
            (Fault::OtherNonce, "another request"),
            (Fault::NoNonce, "another request"),
            (Fault::OtherAccessToken, "another access token"),
            (Fault::NoSubject, "names nobody"),
        ] {
            there.misbehave(fault);
            let mut browser = Browser::default();
            let refused = browser.sign_in(&shop, &provider, &there, "owner-there").await;
            assert_eq!(refused.status, 422, "{fault:?}: {}", refused.body);
            let text = refused.body.replace("&#39;", "'");
            // Without a signature, or with its name alone, the library may not read it at all.
            let said = text.contains(words) || (fault == Fault::Unsigned && text.contains("cannot be read"));
            assert!(said, "{fault:?}: {text}");
            assert!(
                !text.contains("owner-there") && !text.contains("eyJ"),
                "{fault:?}: nothing of the token"
            );
            assert_eq!(browser.session(), None, "{fault:?}");
        }
        assert_eq!(shop.sessions_by_provider().await, 0);
        there.misbehave(Fault::None);
        assert_eq!(Browser::default().sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_counts_once_in_time_and_in_the_browser_that_was_sent() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut browser = Browser::default();
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        // Another browser, with a flow of its own or without: somebody had theirs opened by a link.
        let mut victim = Browser::default();
        let stolen = victim.get(&shop, &back).await;
        assert!(stolen.status == 422 && victim.session().is_none(), "{}", stolen.body);
        victim.go(&shop, &start(&provider), &there, "victim-there").await;
        let stolen = victim.get(&shop, &back).await;
        assert!(stolen.status == 422 && victim.session().is_none(), "{}", stolen.body);
        // A state that nobody made, or none.
        let (path, _) = back.split_once('?').expect("a query");
        for query in ["?code=x&state=y", "?code=x", "", "?state=%00&code=%00"] {
            let mut guess = browser.clone();
            assert_eq!(guess.get(&shop, &format!("{path}{query}")).await.status, 422, "{query}");
            assert_eq!(guess.session(), None);
        }
        // All that was refused has not used up what is right.
        let (mut first, mut again) = (browser.clone(), browser.clone());
        assert_eq!(first.get(&shop, &back).await.status, 303);
        let replayed = again.get(&shop, &back).await;
        assert!(replayed.status == 422 && again.session().is_none(), "{}", replayed.body);
        assert!(replayed.body.contains("begin again"), "{}", replayed.body);

        let mut late = Browser::default();
        let back = late.go(&shop, &start(&provider), &there, "owner-there").await;
        shop.advance(Duration::from_minutes(11));
        assert_eq!(late.get(&shop, &back).await.status, 422);
        shop.app.sessions.forget_expired().await.expect("forget");
        let tx = shop.app.db.system_read().await.expect("read");
        assert_eq!(tx.find::<identity_flow::Entity>().all(&tx).await.expect("flows"), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_bring_one_code_back_one_comes_in() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut browser = Browser::default();
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        let shop = Arc::new(shop);
        let mut tasks = Vec::new();
        for _ in 0..50 {
            let (shop, mut browser, back) = (Arc::clone(&shop), browser.clone(), back.clone());
            tasks.push(tokio::spawn(async move { browser.get(&shop, &back).await.status.as_u16() }));
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("an answer"));
        }
        assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|status| [303, 422].contains(status)), "{answers:?}");
        assert_eq!(shop.sessions_by_provider().await, 1);
        assert_eq!(there.asked("/token"), 2, "once to link, and once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_providers_answer_says_nothing_about_another_one() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let other_there = shop.outside.provider("https://evil.example");
        let other = shop.provider_at("https://evil.example").await;
        // The same subject elsewhere is somebody else.
        let mut browser = Browser::default();
        let refused = browser.sign_in(&shop, &other, &other_there, "owner-there").await;
        assert!(
            refused.status == 422 && refused.body.contains("Nobody of this company is linked"),
            "{}",
            refused.body
        );
        assert!(browser.session().is_none());

        // What one gave, brought to the other's address, is refused and used up.
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        let moved = back.replace(&provider.handle().to_string(), &other.handle().to_string());
        assert_eq!(browser.clone().get(&shop, &moved).await.status, 422);
        assert_eq!(browser.get(&shop, &back).await.status, 422);

        // RFC 9207: who names itself has to be named, and nobody else.
        there.name_itself();
        shop.advance(Duration::from_minutes(6));
        let mut named = Browser::default();
        assert_eq!(named.sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
        for (from, to) in [("&iss=https%3A%2F%2Fid.example", ""), ("id.example", "evil.example")] {
            let mut mixed = Browser::default();
            let back = mixed.go(&shop, &start(&provider), &there, "owner-there").await;
            assert!(back.contains(from), "{back}");
            let refused = mixed.get(&shop, &back.replace(from, to)).await;
            assert!(refused.status == 422 && refused.body.contains("another provider"), "{}", refused.body);
            assert!(mixed.session().is_none());
        }
        assert_eq!(shop.sessions_by_provider().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_address_is_nobody_and_whoever_is_linked_with_nobody_is_told_what_to_do() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        // The fake providers say of everybody that this is their address, and that it is proven.
        shop.person("somebody-else@example.com", shop.tenant).await;
        let mut browser = Browser::default();
        let refused = browser.sign_in(&shop, &provider, &there, "a-stranger").await;
        assert_eq!(refused.status, 422);
        for words in ["ask for an invitation", "link it under Profile and security", "Try again"] {
            assert!(refused.body.contains(words), "{words}: {}", refused.body);
        }
        assert!(browser.session().is_none());
        // What is linked with one person cannot be linked with another.
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        let gone =
            of_ana.post(&shop, "/account/identities/link", &format!("provider={}", provider.handle())).await;
        let back = there.authorize(&href_to(&gone.body, ISSUER), "owner-there");
        let refused = of_ana.get(&shop, back.strip_prefix(PUBLIC).expect("ours")).await;
        assert!(refused.status == 422 && refused.body.contains("another person"), "{}", refused.body);
        assert_eq!(shop.app.identities().of(ana).await.expect("read"), []);
        // Cancelled there.
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        let (path, query) = back.split_once("?code=").expect("a code");
        let state = query.split_once("&state=").expect("a state").1;
        let cancelled = format!("{path}?error=access_denied&error_description=%3Cb%3Eowned&state={state}");
        let cancelled = browser.get(&shop, &cancelled).await;
        assert!(cancelled.status == 422 && cancelled.body.contains("cancelled"), "{}", cancelled.body);
        assert!(!cancelled.body.contains("owned"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_by_the_session_that_began_it_and_no_other() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        let form = format!("provider={}", provider.handle());
        let gone = of_ana.post(&shop, "/account/identities/link", &form).await;
        let flow = of_ana.cookie("__Host-ptl_provider").expect("a flow").to_owned();
        let back = there.authorize(&href_to(&gone.body, ISSUER), "mallory-there");
        let back = back.strip_prefix(PUBLIC).expect("ours");
        // The owner's browser, made to finish what Ana began: by her cookie even.
        let mut owner = shop.browser_of(shop.user, shop.tenant).await;
        owner.cookies.push(("__Host-ptl_provider".to_owned(), flow));
        let refused = owner.get(&shop, back).await;
        assert!(refused.status == 422 && refused.body.contains("not signed in any more"), "{}", refused.body);
        assert_eq!(shop.app.identities().of(shop.user).await.expect("read").len(), 1);
        // Another company's provider is none here; nor is one that is not there.
        let elsewhere = shop.another_company("quay", "quay").await;
        let new = NewProvider {
            label: "Quay".to_owned(),
            issuer: ISSUER.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            enabled: true,
            ..NewProvider::default()
        };
        let foreign = shop.provider_of(elsewhere, new).await;
        for handle in [foreign.handle().to_string(), "x".to_owned(), String::new()] {
            let form = format!("provider={handle}");
            assert_eq!(owner.post(&shop, "/account/identities/link", &form).await.status, 404, "{handle}");
        }
        // It asks for somebody who has just shown who they are.
        shop.advance(Duration::from_minutes(11));
        let asked = owner.post(&shop, "/account/identities/link", &form).await;
        assert!(asked.location.is_some_and(|place| place.starts_with("/sign-in/again")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_company_trusts_opens_no_other() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let other = shop.another_company("shop", "other").await;
        let new = NewProvider {
            label: "Quay".to_owned(),
            issuer: "https://id.quay.example".to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            enabled: true,
            ..NewProvider::default()
        };
        let quay = shop.provider_of(shop.another_company("stranger", "quay").await, new).await;
        let quay_there = shop.outside.provider("https://id.quay.example");
        // Known to their provider, and no member of that company.
        let refused = Browser::default().sign_in(&shop, &quay, &quay_there, "owner-there").await;
        assert!(refused.status == 422, "{}", refused.body);

        let mut browser = Browser::default();
        browser.sign_in(&shop, &provider, &there, "owner-there").await;
        assert_eq!(browser.get(&shop, "/pulse").await.status, 200);
        let switched = browser.post(&shop, "/tenants/switch", &format!("tenant={other}")).await;
        assert!(
            switched.status == 403 && switched.body.contains("does not count in another company"),
            "{}",
            switched.body
        );
        // Nor is the account opened by it, which both companies share.
        let password = "new_password=another+harbour+1&repeated=another+harbour+1";
        for (path, form) in [
            ("/account/password", password),
            ("/account/second-factor", ""),
            ("/account/erase", "confirm=shop"),
            ("/account/identities/link", &format!("provider={}", provider.handle())),
        ] {
            let refused = browser.post(&shop, path, form).await;
            assert_eq!(refused.status, 403, "{path}: {}", refused.body);
            assert!(refused.body.contains("all your companies"), "{path}: {}", refused.body);
        }
        assert!(!shop.app.sessions.has_password(shop.user).await.expect("look"));
        // An invitation of a third company is accepted by somebody who shows more.
        let third = shop.another_company("third", "third").await;
        let by = portolan_access::audit::Who::person(
            portolan_app::people::find_member(&shop.app, "third").await.expect("the owner").0,
        );
        let roles = ["viewer".to_owned()].into();
        let made =
            ops::make_invitation(&shop.app, third, by, "shop".to_owned(), roles).await.expect("invited");
        let path = made.link.strip_prefix(PUBLIC).expect("ours");
        let refused = browser.post(&shop, path, "").await;
        assert!(refused.status == 409 && refused.body.contains("does not count here"), "{}", refused.body);
        // Who shows their own goes where they like.
        let mut own = shop.browser_of(shop.user, shop.tenant).await;
        assert_eq!(own.post(&shop, "/tenants/switch", &format!("tenant={other}")).await.status, 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_after_the_provider_too() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut own = shop.browser_of(shop.user, shop.tenant).await;
        own.post(&shop, "/account/second-factor", "").await;
        shop.advance(Duration::from_secs(60));
        let code = shop.app.second_factors().code_at(shop.user, shop.app.clock.now()).await;
        let on = own.post(&shop, "/account/second-factor/confirm", &format!("code={code}")).await;
        assert_eq!(on.status, 200, "{}", on.body);

        let mut browser = Browser::default();
        let back =
            browser.go(&shop, &format!("{}?next=/orders", start(&provider)), &there, "owner-there").await;
        let first = browser.get(&shop, &back).await;
        assert_eq!(first.location.as_deref(), Some("/sign-in/second-step?next=/orders"), "{}", first.body);
        assert_eq!(browser.session(), None, "nobody is in yet");
        shop.advance(Duration::from_secs(60));
        let code = shop.app.second_factors().code_at(shop.user, shop.app.clock.now()).await;
        let second =
            browser.post(&shop, "/sign-in/second-step", &format!("code={code}&next=%2Forders")).await;
        assert_eq!(second.location.as_deref(), Some("/orders"), "{}", second.body);
        let signed_in = shop.app.sessions.authenticate(browser.session().expect("in")).await;
        let signed_in = signed_in.expect("look").expect("somebody");
        assert!(signed_in.second_factor && !signed_in.by_provider_alone);

        // And where the company asks for one that is not there.
        let ana = shop.person("ana", shop.tenant).await;
        shop.link(ana, &provider, &there, "ana-there").await;
        let tenant = shop.tenant;
        let asks = shop.app.db.write(tenant, move |tx| {
            Box::pin(async move {
                let row = sign_in_policy::ActiveModel {
                    tenant_id: sea_orm::ActiveValue::Set(tenant.0),
                    second_factor_roles: sea_orm::ActiveValue::Set("viewer".to_owned()),
                    session_minutes: sea_orm::ActiveValue::Set(720),
                    idle_minutes: sea_orm::ActiveValue::Set(120),
                    networks: sea_orm::ActiveValue::Set(String::new()),
                    changed_at: sea_orm::ActiveValue::Set(1),
                };
                tx.insert(row).await?;
                portolan_access::bump_access(tx.host_wide(), tenant).await
            })
        });
        asks.await.expect("a policy");
        let mut of_ana = Browser::default();
        assert_eq!(of_ana.sign_in(&shop, &provider, &there, "ana-there").await.status, 303);
        let led = of_ana.get(&shop, "/orders").await;
        assert_eq!(led.location.as_deref(), Some("/account?done=second-factor-required"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_joins_by_the_provider_and_needs_no_password() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let invite = async |name: &str| {
            let roles = ["analyst".to_owned()].into();
            let made = ops::make_invitation(&shop.app, shop.tenant, shop.who(), name.to_owned(), roles).await;
            let link = made.expect("an invitation").link;
            link.rsplit('/').next().expect("a token").to_owned()
        };
        let token = invite("dora@example.com").await;
        let mut dora = Browser::default();
        let page = dora.get(&shop, &format!("/invitations/{token}")).await;
        assert!(page.body.contains("Join with Harbour accounts"), "{}", page.body);
        let back = dora.go(&shop, &href_to(&page.body, "/auth/oidc/"), &there, "dora-there").await;
        let joined = dora.get(&shop, &back).await;
        assert_eq!(
            (joined.status.as_u16(), joined.location.as_deref()),
            (303, Some("/pulse")),
            "{}",
            joined.body
        );
        assert_eq!(dora.get(&shop, "/orders").await.status, 200);
        let signed_in =
            shop.app.sessions.authenticate(dora.session().expect("in")).await.expect("look").expect("one");
        assert_ne!(signed_in.user, shop.user);
        assert_eq!(shop.app.identities().of(signed_in.user).await.expect("read").len(), 1);
        assert!(!shop.app.sessions.has_password(signed_in.user).await.expect("look"));
        // The next time without an invitation; the link is used up.
        assert_eq!(Browser::default().sign_in(&shop, &provider, &there, "dora-there").await.status, 303);
        let mut late = Browser::default();
        let to = format!("{}?invitation={token}", start(&provider));
        let back = late.go(&shop, &to, &there, "late-there").await;
        let refused = late.get(&shop, &back).await;
        assert!(refused.status == 422 && late.session().is_none(), "{}", refused.body);

        // Somebody who is linked as another person does not become a second one.
        let token = invite("eva@example.com").await;
        let mut owner = Browser::default();
        let to = format!("{}?invitation={token}", start(&provider));
        let back = owner.go(&shop, &to, &there, "owner-there").await;
        let refused = owner.get(&shop, &back).await;
        assert!(refused.status == 422 && owner.session().is_none(), "{}", refused.body);
        // An invitation opens no account that exists.
        let elsewhere = shop.another_company("finn", "finn").await;
        assert_ne!(elsewhere, shop.tenant);
        let token = invite("finn").await;
        let mut thief = Browser::default();
        let to = format!("{}?invitation={token}", start(&provider));
        let back = thief.go(&shop, &to, &there, "thief-there").await;
        let refused = thief.get(&shop, &back).await;
        assert!(refused.status == 422 && refused.body.contains("Sign in as finn first"), "{}", refused.body);
        assert!(thief.session().is_none());
        // Nor one of another company.
        let tx = shop.app.db.system_read().await.expect("read");
        let linked = tx.find::<identity::Entity>().all(&tx).await.expect("read");
        let mut subjects: Vec<&str> = linked.iter().map(|row| row.subject.as_str()).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["dora-there", "owner-there"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_way_in_is_not_taken_away() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut own = shop.browser_of(shop.user, shop.tenant).await;
        let id = shop.app.identities().of(shop.user).await.expect("read")[0].id;
        let path = format!("/account/identities/{id}/unlink");
        let refused = own.post(&shop, &path, "").await;
        assert!(refused.status == 409 && refused.body.contains("last way in"), "{}", refused.body);
        let mut by_it = Browser::default();
        by_it.sign_in(&shop, &provider, &there, "owner-there").await;
        let password = PASSWORD.replace(' ', "+").replace(',', "%2C");
        let form = format!("new_password={password}&repeated={password}");
        own.post(&shop, "/account/password", &form).await;
        by_it.sign_in(&shop, &provider, &there, "owner-there").await;
        // Somebody else's is not there.
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        assert_eq!(of_ana.post(&shop, &path, "").await.status, 404);
        let gone = own.post(&shop, &path, "").await;
        assert_eq!(gone.location.as_deref(), Some("/account?done=identity-unlinked"), "{}", gone.body);
        assert!(by_it.get(&shop, "/pulse").await.status.is_redirection(), "what was opened by it has ended");
        let mut after = Browser::default();
        assert_eq!(after.sign_in(&shop, &provider, &there, "owner-there").await.status, 422);
        assert!(after.session().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_wrong_or_changes_its_keys_is_told_in_words() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        shop.advance(Duration::from_minutes(6));
        for (fault, words) in [
            (Fault::Down, "nobody answers"),
            (Fault::Page, "is no JSON"),
            (Fault::Redirects, "redirect, which is not followed"),
            (Fault::CallsItselfOtherwise, "calls itself by another address"),
            (Fault::SendsToScript, "is not https"),
        ] {
            there.misbehave(fault);
            let mut browser = Browser::default();
            let refused = browser.get(&shop, &start(&provider)).await;
            assert_eq!(refused.status, 502, "{fault:?}: {}", refused.body);
            assert!(
                refused.body.contains(words) && refused.body.contains("<h1>"),
                "{fault:?}: {}",
                refused.body
            );
            // The admins' look at it says the same.
            let mut admin = shop.browser_of(shop.user, shop.tenant).await;
            let page =
                admin.post(&shop, &format!("/admin/sign-in-providers/{}/check", provider.id), "").await;
            let said = page.body.to_lowercase();
            assert!(page.status == 200 && said.contains(&words.to_lowercase()), "{fault:?}: {}", page.body);
        }
        there.misbehave(Fault::None);
        let mut browser = Browser::default();
        assert_eq!(browser.sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
        // It goes down in between, and is asked again when it is back.
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        there.misbehave(Fault::Down);
        assert_eq!(browser.get(&shop, &back).await.status, 502);
        there.misbehave(Fault::None);
        // New keys: known as soon as it may be asked again.
        there.change_key();
        let refused = Browser::default().sign_in(&shop, &provider, &there, "owner-there").await;
        assert!(refused.status == 422 && refused.body.contains("does not name"), "{}", refused.body);
        shop.advance(Duration::from_secs(31));
        assert_eq!(Browser::default().sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_again_goes_to_the_provider_and_believes_when_it_was() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut browser = Browser::default();
        // They showed the provider long ago who they are: that is no reason to let them do everything.
        there.misbehave(Fault::AuthenticatedLongAgo);
        assert_eq!(browser.sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
        let asked = browser.post(&shop, "/admin/sign-in-providers", "label=x").await;
        assert!(asked.location.is_some_and(|place| place.starts_with("/sign-in/again")));
        let page = browser.get(&shop, "/sign-in/again?next=/admin/sign-in-providers").await;
        let again = href_to(&page.body, "/auth/oidc/");
        assert!(again.contains("again=1"), "{again}");
        let gone = browser.get(&shop, &again).await;
        let place = gone.location.expect("a place");
        assert!(place.contains("prompt=login") && place.contains("max_age=0"), "{place}");
        // It did not ask, and says so.
        let back = there.authorize(&place, "owner-there");
        let refused = browser.get(&shop, back.strip_prefix(PUBLIC).expect("ours")).await;
        assert!(refused.status == 422 && refused.body.contains("ask anew"), "{}", refused.body);
        there.misbehave(Fault::None);
        let back = browser.go(&shop, &again, &there, "owner-there").await;
        let shown = browser.get(&shop, &back).await;
        assert_eq!(shown.location.as_deref(), Some("/admin/sign-in-providers"), "{}", shown.body);
        assert_eq!(browser.post(&shop, "/admin/sign-in-providers", "label=x").await.status, 422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_shown_the_buttons_of_one_company_alone() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let handle = provider.handle().to_string();
        let mut browser = Browser::default();
        assert!(browser.get(&shop, "/sign-in").await.body.contains(&handle));
        shop.another_company("quay", "quay").await;
        let page = browser.get(&shop, "/sign-in").await;
        assert!(!page.body.contains("/auth/oidc/") && page.body.contains("/sign-in/at"), "{}", page.body);
        let to = browser.get(&shop, "/sign-in/at?company=%20Shop").await;
        assert_eq!(to.location.as_deref(), Some("/sign-in/at/shop"));
        assert!(browser.get(&shop, "/sign-in/at/shop").await.body.contains(&handle));
        // One that is not there looks like one that shows none.
        let (without, unknown) =
            (browser.get(&shop, "/sign-in/at/quay").await, browser.get(&shop, "/sign-in/at/nobody").await);
        assert_eq!((without.status, &without.body), (unknown.status, &unknown.body));
        for strange in [
            "/sign-in/at",
            "/sign-in/at?company=",
            "/sign-in/at?company=..%2Fx",
            "/sign-in/at?company=%3Cb%3E",
        ] {
            let page = browser.get(&shop, strange).await;
            assert!(page.status == 200 && page.body.contains("Short name"), "{strange}: {}", page.body);
        }
        for gone in ["x", &"0".repeat(64), &handle.to_uppercase()] {
            assert_eq!(browser.get(&shop, &format!("/auth/oidc/{gone}/start")).await.status, 404, "{gone}");
            assert_eq!(
                browser
                    .get(&shop, &format!("/auth/oidc/{gone}/callback?code=x&state=y"))
                    .await
                    .status
                    .as_u16()
                    / 100,
                4
            );
        }
        // Switched off it is not there, and whoever is in by it alone is out.
        browser.sign_in(&shop, &provider, &there, "owner-there").await;
        let mut away = Browser::default();
        let back = away.go(&shop, &start(&provider), &there, "owner-there").await;
        let (by, app) = (shop.who(), Arc::clone(&shop.app));
        let off = NewProvider {
            label: provider.label.clone(),
            client_id: provider.client_id.clone(),
            ..NewProvider::default()
        };
        let changed = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move {
                let tools = ProviderTools {
                    ring: &app.key_ring,
                    outside: &app.outside,
                    clock: &*app.clock,
                    random: &*app.random,
                };
                change_provider(tx, &by, provider.id, off, tools).await
            })
        });
        assert!(changed.await.expect("changed").has_secret, "a secret that is not entered anew stays");
        assert!(browser.get(&shop, "/pulse").await.status.is_redirection());
        assert_eq!(away.get(&shop, &back).await.status, 404);
        assert_eq!(browser.get(&shop, &format!("/auth/oidc/{handle}/start")).await.status, 404);
        assert!(!browser.get(&shop, "/sign-in/at/shop").await.body.contains(&handle));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_set_a_provider_up_with_the_address_to_register_and_never_see_its_secret_again() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        let mut blind = shop.browser_of(shop.user, shop.tenant).await;
        blind.cookies[0].0 = "ptl_session".to_owned();
        let page = blind.get(&shop, "/admin/sign-in-providers").await;
        assert!(page.body.contains("--public-address"), "{}", page.body);
        let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it now");
        app.public_address = Some(PUBLIC.parse().expect("an address"));
        shop.outside.provider(ISSUER);
        let mut admin = shop.browser_of(shop.user, shop.tenant).await;
        let page = admin.get(&shop, "/admin/sign-in-providers?preset=google").await;
        assert!(page.body.contains("value=\"https://accounts.google.com\"") && page.body.contains("value=\"Google\""));
        let id = page.body.split("name=\"id\" value=\"").nth(1).expect("an id").split('"').next().expect("its end");
        let callback = page.body.split("<pre tabindex=\"0\">").nth(1).expect("an address").split('<').next().expect("its end");
        assert!(callback.starts_with("https://portolan.example/auth/oidc/") && callback.ends_with("/callback"), "{callback}");
        for (form, words) in [
            ("label=&issuer=https%3A%2F%2Fid.example&client_id=x", "1 to 40 characters"),
            ("label=A&issuer=http%3A%2F%2Fid.example&client_id=x", "is not https"),
            ("label=A&issuer=id.example&client_id=x", "write the whole address"),
            ("label=A&issuer=https%3A%2F%2Fid.example%3Fa&client_id=x", "neither ? nor #"),
            ("label=A&issuer=https%3A%2F%2Fid.example&client_id=", "Enter the client id"),
        ] {
            let refused = admin.post(&shop, "/admin/sign-in-providers", form).await;
            let said = refused.body.to_lowercase().contains(&words.to_lowercase());
            assert!(refused.status == 422 && said, "{form}: {}", refused.body);
        }
        let form = format!("id={id}&label=Harbour&issuer=https%3A%2F%2Fid.example&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET_IN_FORM}&enabled=true");
        let added = admin.post(&shop, "/admin/sign-in-providers", &form).await;
        assert_eq!(added.location.as_deref(), Some(format!("/admin/sign-in-providers/{id}?done=provider-added").as_str()));
        assert_eq!(admin.post(&shop, "/admin/sign-in-providers", &form).await.status, 422, "pressed twice");
        let page = admin.get(&shop, &format!("/admin/sign-in-providers/{id}")).await;
        assert!(page.body.contains(callback), "the address is the one that was shown before: {}", page.body);
        assert!(!page.body.contains("secret of tests") && page.body.contains("One is stored"), "{}", page.body);
        let row = shop.rows::<identity_provider::Entity>().await.pop().expect("a row");
        let sealed = row.sealed.expect("sealed");
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        let told = format!("{:?}", shop.rows::<audit_event::Entity>().await);
        assert!(told.contains("identity_provider.create") && !told.contains("secret of tests"));
        // Who does not look after security sees and changes nothing of it.
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        assert_eq!(of_ana.get(&shop, &format!("/admin/sign-in-providers/{id}")).await.status, 403);
        assert_eq!(of_ana.post(&shop, "/admin/sign-in-providers", &form).await.status, 403);
    })
    .await;
}
