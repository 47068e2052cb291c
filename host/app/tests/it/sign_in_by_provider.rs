//! Signing in by an identity provider, as a browser goes there and back; and everything that must not come of it.

mod attacks;
mod setting_up;

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
                    mail_codes: sea_orm::ActiveValue::Set(0),
                    device_days: sea_orm::ActiveValue::Set(30),
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
        assert_eq!(shop.app.sessions.own_account(signed_in.user).await.expect("read").identities.len(), 1);
        assert!(!shop.app.sessions.own_account(signed_in.user).await.expect("look").has_password);
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
