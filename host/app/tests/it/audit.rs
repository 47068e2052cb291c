//! Whatever changes something is told once, in its transaction, with who did it and by which request; and whoever may see
//! that finds it, and finds out where it was changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use portolan_access::audit::Anchor;
use portolan_access::{Client, NewPerson, SystemRole, add_person};
use portolan_app::audit::jobs::schedule_anchors;
use portolan_app::connections::change::revision;
use portolan_app::people::{NewTenant, add_owner};
use portolan_app::router::{openapi_json, route_infos};
use portolan_core::{ConnectionId, Duration, TenantId};
use portolan_db::DbError;
use portolan_db::entity::{api_key, audit_event, held_delete, replay, shadow_replay, sync, upload};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, Statement};
use serde_json::{Value, json};

use crate::audit_people::{account_by_api, account_by_pages, leave_by_page, people_by_api, people_by_pages};
use crate::doors::Answer;
use crate::support::*;
use crate::upgrades::a_shop_with_a_newer_version;

/// Operations with an unsafe method that change nothing.
const ASKS_ONLY: [&str; 5] = [
    "post /api/v1/queries",
    "post /api/v1/auth/passkeys/registration",
    "post /api/v1/auth/passkeys/again",
    "post /api/v1/auth/passkeys/sign-in",
    "post /api/v1/auth/passkeys/second-step",
];

/// Operations without a session, or after which there is none, or that need a passkey:
/// `a_key_buys_short_tokens_which_are_renewed_once_each`, `whoever_is_erased_is_known_to_nobody_and_the_audit_keeps_an_id` and
/// `every_change_of_a_passkey_is_told_once` tell of them.
const TOLD_BY_OTHERS: [&str; 7] = [
    "post /api/v1/auth/passkeys",
    "patch /api/v1/auth/passkeys/{id}",
    "delete /api/v1/auth/passkeys/{id}",
    "post /api/v1/auth/token",
    "post /api/v1/auth/token/refresh",
    "delete /api/v1/auth/token",
    "delete /api/v1/account",
];

/// Forms that are not acted out with the others: coming in is told below, in `audit_people`, `set_up`, `mail` and `passkeys`, and a
/// mapping of columns is saved by the verbs of the settings and of the uploads.
const TOLD_ELSEWHERE: [&str; 16] = [
    "/account/passkeys",
    "/account/passkeys/{id}/rename",
    "/account/passkeys/{id}/remove",
    "/sign-in/passkey",
    "/sign-in/second-step/passkey",
    "/sign-in/second-step/mail",
    "/sign-in/again/passkey",
    "/sign-in/forgot",
    "/sign-in/reset/{token}",
    "/setup",
    "/account/erase",
    "/sign-in",
    "/sign-in/link/{token}",
    "/sign-in/second-step",
    "/invitations/{token}",
    "/connections/{id}/mapping/{stream}",
];

/// What is sent with a request.
pub enum Sent<'a> {
    Json(Value),
    Form(&'a str),
    File(&'a str),
}

/// Somebody at work, and what they were seen to do.
pub struct Story {
    pub shop: TestApp,
    pub session: String,
    acted: BTreeSet<String>,
}

impl Story {
    pub async fn new(shop: TestApp) -> Self {
        let session = shop.session().await;
        Self { shop, session, acted: BTreeSet::new() }
    }

    pub async fn events(&self) -> Vec<audit_event::Model> {
        let mut events = self.shop.rows::<audit_event::Entity>().await;
        events.sort_by_key(|event| event.seq);
        events
    }

    /// Does it; fails unless exactly these actions are told of it, by this person and this request.
    pub async fn act(
        &mut self,
        method: &str,
        route: &str,
        ids: &[Uuid],
        sent: Sent<'_>,
        told: &[&str],
    ) -> Answer {
        let mut path = route.to_owned();
        for id in ids {
            let (start, end) = (path.find('{').expect("a place"), path.find('}').expect("its end"));
            path.replace_range(start..=end, &id.to_string());
        }
        self.act_at(method, route, &path, sent, None, told).await
    }

    pub async fn act_at(
        &mut self,
        method: &str,
        route: &str,
        path: &str,
        sent: Sent<'_>,
        tag: Option<String>,
        told: &[&str],
    ) -> Answer {
        let (kind, body) = match sent {
            Sent::Json(Value::Null) => ("application/json", String::new()),
            Sent::Json(body) => ("application/json", body.to_string()),
            Sent::Form(body) => ("application/x-www-form-urlencoded", body.to_owned()),
            Sent::File(body) => ("multipart/form-data; boundary=b", body.to_owned()),
        };
        let mut request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(path)
            .header(header::COOKIE, &self.session)
            .header(header::CONTENT_TYPE, kind)
            .header("sec-fetch-site", "same-origin");
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        let before = self.events().await.len();
        let answer = self.shop.ask(request.body(Body::from(body)).expect("a request")).await;
        let done = answer.status.is_success() || answer.status.is_redirection();
        assert!(done, "{method} {path}: {} {}", answer.status, answer.body);
        let events = self.events().await.split_off(before);
        let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(actions, told, "{method} {path}: {} {}", answer.status, answer.body);
        let request_id = answer.headers["x-request-id"].to_str().expect("text");
        for event in &events {
            let who = (event.actor_kind.as_str(), event.actor_id);
            assert_eq!(who, ("person", Some(self.shop.user.0)), "{method} {path}");
            assert_eq!(event.request_id, request_id, "{method} {path}");
            assert!(event.session_id.is_some(), "{method} {path}");
            assert!(!format!("{event:?}").contains("open-sesame"), "{event:?}");
        }
        self.acted.insert(format!("{method} {route}"));
        self.acted.insert(format!("{method} {path}"));
        answer
    }

    async fn newest_sync(&self) -> Uuid {
        let syncs = self.shop.rows::<sync::Entity>().await;
        syncs.into_iter().max_by_key(|sync| sync.created_at).expect("a sync").id
    }

    async fn newest_replay(&self) -> Uuid {
        let replays = self.shop.rows::<replay::Entity>().await;
        replays.into_iter().max_by_key(|replay| replay.created_at).expect("a replay").id
    }

    async fn newest_shadow(&self) -> Uuid {
        let shadows = self.shop.rows::<shadow_replay::Entity>().await;
        shadows.into_iter().max_by_key(|shadow| shadow.created_at).expect("a comparison").id
    }

    /// A pass that left something to decide. Stores never go, so that nothing else happens by it.
    async fn hold_deletes(&self, connection: ConnectionId) {
        let row = held_delete::ActiveModel {
            tenant_id: Set(self.shop.tenant.0),
            connection_id: Set(connection.0),
            stream: Set("stores".to_owned()),
            sync_id: Set(Uuid::from_u128(1)),
            vanished: Set(20),
            total: Set(40),
            created_at: Set(1),
        };
        let work = self
            .shop
            .app
            .db
            .write(self.shop.tenant, move |tx| Box::pin(async move { tx.insert(row).await.map(|_| ()) }));
        work.await.expect("held");
    }
}

pub fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).expect("json")
}

pub fn id_in(answer: &Answer) -> Uuid {
    json_of(answer)["id"].as_str().expect("an id").parse().expect("a uuid")
}

/// Generated from the document: an operation that is not acted out here, and not named above, fails it.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_api_that_changes_something_is_told_once() {
    on_both(migrate, async |test| {
        let (shop, connection, _) = a_shop_with_a_newer_version(test).await;
        let mut story = Story::new(shop).await;
        let id = connection.0;
        let nothing = || Sent::Json(Value::Null);

        let new = json!({ "plugin_id": "fake", "label": "Second shop", "time_zone": "UTC", "consent": true,
            "config": { "shop": "second", "token": "open-sesame" } });
        let made =
            story.act("post", "/api/v1/connections", &[], Sent::Json(new), &["connection.create"]).await;
        let second = id_in(&made);
        let tag = format!("\"{}\"", revision(&story.shop.connection_row(ConnectionId(second)).await));
        let route = "/api/v1/connections/{id}";
        let path = format!("/api/v1/connections/{second}");
        let change = Sent::Json(json!({ "label": "Quay shop" }));
        story.act_at("patch", route, &path, change, Some(tag), &["connection.change"]).await;
        let changed = story.events().await.pop().expect("an event");
        assert!(changed.before.expect("before").contains("Second shop"));
        assert!(changed.after.expect("after").contains("Quay shop"));
        for verb in ["check", "pause", "resume"] {
            let route = format!("/api/v1/connections/{{id}}/{verb}");
            story.act("post", &route, &[second], nothing(), &[&format!("connection.{verb}")]).await;
        }
        let secret = Sent::Json(json!({ "field": "token", "value": "open-sesame-too" }));
        let told = ["connection.set_secret"];
        story.act("put", "/api/v1/connections/{id}/secret", &[second], secret, &told).await;
        let gone = format!("{path}?confirm=Quay%20shop");
        story.act_at("delete", route, &gone, nothing(), None, &["connection.delete"]).await;

        let start = Sent::Json(json!({ "connection_id": id }));
        story.act("post", "/api/v1/syncs", &[], start, &["sync.start"]).await;
        let sync = story.newest_sync().await;
        for verb in ["pause", "resume", "cancel"] {
            let route = format!("/api/v1/syncs/{{id}}/{verb}");
            story.act("post", &route, &[sync], nothing(), &[&format!("sync.{verb}")]).await;
        }
        story.hold_deletes(connection).await;
        let route = "/api/v1/connections/{id}/streams/{stream}/confirm-deletes";
        let path = format!("/api/v1/connections/{id}/streams/stores/confirm-deletes");
        story.act_at("post", route, &path, nothing(), None, &["stream.confirm_deletes"]).await;

        let route = "/api/v1/connections/{id}/replays";
        story.act("post", route, &[id], Sent::Json(json!({})), &["replay.start"]).await;
        let replay = story.newest_replay().await;
        let route = "/api/v1/connections/{id}/replays/{replay_id}/cancel";
        story.act("post", route, &[id, replay], nothing(), &["replay.cancel"]).await;

        let route = "/api/v1/connections/{id}/upgrades";
        let cancel = "/api/v1/connections/{id}/upgrades/{shadow_id}/cancel";
        let switch = "/api/v1/connections/{id}/upgrades/{shadow_id}/switch";
        story.act("post", route, &[id], Sent::Json(json!({})), &["shadow_replay.start"]).await;
        let shadow = story.newest_shadow().await;
        story.act("post", cancel, &[id, shadow], nothing(), &["shadow_replay.cancel"]).await;
        story.act("post", route, &[id], Sent::Json(json!({})), &["shadow_replay.start"]).await;
        story.shop.work().await;
        let shadow = story.newest_shadow().await;
        story.act("post", switch, &[id, shadow], Sent::Json(json!({})), &["connection.switch_build"]).await;
        story.shop.work().await;
        let route = "/api/v1/connections/{id}/rollback";
        story.act("post", route, &[id], nothing(), &["connection.roll_back"]).await;
        story.shop.work().await;

        let rates =
            json!({ "rates": [{ "day": "2026-01-02", "base": "EUR", "quote": "USD", "rate": "1.1" }] });
        story.act("post", "/api/v1/fx-rates", &[], Sent::Json(rates), &["rates.import"]).await;
        let policy = Sent::Json(json!({ "policy": "month_average" }));
        story.act("put", "/api/v1/fx-policy", &[], policy, &["rates.set_policy"]).await;

        let key = Sent::Json(json!({ "name": "Export", "scopes": ["orders:read"] }));
        let made = story.act("post", "/api/v1/api-keys", &[], key, &["api_key.create"]).await;
        let key = id_in(&made);
        let route = "/api/v1/api-keys/{id}/rotate";
        story.act("post", route, &[key], Sent::Json(json!({})), &["api_key.rotate"]).await;
        story.act("delete", "/api/v1/api-keys/{id}", &[key], nothing(), &["api_key.revoke"]).await;
        people_by_api(&mut story).await;
        account_by_api(&mut story).await;
        let held = story.shop.get(&story.session, "/api/v1/audit/verification").await;
        assert_eq!(json_of(&held)["holds"], true, "{}", held.body);
        story.act("post", "/api/v1/leave", &[], nothing(), &["member.remove"]).await;

        let document: Value = serde_json::from_str(&openapi_json().expect("a document")).expect("json");
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for method in operations.as_object().expect("operations").keys() {
                let operation = format!("{method} {path}");
                let is_unsafe = ["post", "put", "patch", "delete"].contains(&method.as_str());
                assert!(
                    !is_unsafe
                        || story.acted.contains(&operation)
                        || ASKS_ONLY.iter().chain(&TOLD_BY_OTHERS).any(|named| *named == operation),
                    "{operation} is acted out nowhere here: does the audit tell it?"
                );
            }
        }
    })
    .await;
}

/// Whether an address is one of a route.
fn stands_for(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let mut parts = route.iter().zip(&path);
    route.len() == path.len() && parts.all(|(part, place)| part.starts_with('{') || part == place)
}

/// Held against the list of the pages' routes: a form that is not acted out here, and not named above, fails it.
#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_the_pages_that_changes_something_is_told_once() {
    on_both(migrate, async |test| {
        let (shop, connection, _) = a_shop_with_a_newer_version(test).await;
        let mut story = Story::new(shop).await;
        let id = connection.0;
        let nothing = || Sent::Form("");

        let form =
            "label=Second+shop&time_zone=UTC&day_cutover_minutes=0&consent=yes&shop=second&token=open-sesame";
        let told = ["connection.create", "sync.start"];
        story.act_at("post", "", "/connections/new/fake", Sent::Form(form), None, &told).await;
        let second = story.shop.rows::<sync::Entity>().await;
        let second = second.into_iter().max_by_key(|sync| sync.created_at).expect("a sync").connection_id;
        let seen = revision(&story.shop.connection_row(ConnectionId(second)).await);
        let form = format!("revision={seen}&label=Quay+shop&time_zone=UTC&day_cutover_minutes=0&shop=second");
        let route = "/connections/{id}/settings";
        story.act("post", route, &[second], Sent::Form(&form), &["connection.change"]).await;

        let act = |verb: &str| format!("/connections/{{id}}/{verb}");
        let sync = story.newest_sync().await;
        for verb in ["pause", "resume", "cancel"] {
            let route = format!("/syncs/{{id}}/{verb}");
            story.act("post", &route, &[sync], nothing(), &[&format!("sync.{verb}")]).await;
        }
        for (verb, told) in [
            ("check", "connection.check"),
            ("pause", "connection.pause"),
            ("resume", "connection.resume"),
            ("sync", "sync.start"),
        ] {
            story.act("post", &act(verb), &[second], nothing(), &[told]).await;
        }
        let sync = story.newest_sync().await;
        story.act("post", "/syncs/{id}/cancel", &[sync], nothing(), &["sync.cancel"]).await;

        let part = |name: &str, rest: &str, content: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{content}\r\n")
        };
        let file = format!(
            "{}{}--b--\r\n",
            part("stream", "", "sheets"),
            part("file", "; filename=\"sheet.json\"", "[]")
        );
        let told = ["upload.take", "sync.start"];
        story.act("post", &act("uploads"), &[second], Sent::File(&file), &told).await;
        let given = story.shop.rows::<upload::Entity>().await.pop().expect("an upload").id;
        let refuse = story.shop.app.db.write(story.shop.tenant, move |tx| {
            Box::pin(async move {
                let uploads = tx.update_many::<upload::Entity>();
                let refused = uploads.col_expr(upload::Column::State, Expr::value("refused"));
                refused.filter(upload::Column::Id.eq(given)).exec(tx).await?;
                Ok::<_, DbError>(())
            })
        });
        refuse.await.expect("set aside");
        let told = ["upload.retry", "sync.start"];
        let route = "/connections/{id}/uploads/{upload_id}/retry";
        story.act("post", route, &[second, given], nothing(), &told).await;
        let route = "/connections/{id}/uploads/{upload_id}/remove";
        story.act("post", route, &[second, given], nothing(), &["upload.remove"]).await;

        story.act("post", &act("replays"), &[id], nothing(), &["replay.start"]).await;
        let replay = story.newest_replay().await;
        let route = "/connections/{id}/replays/{replay_id}/cancel";
        story.act("post", route, &[id, replay], nothing(), &["replay.cancel"]).await;
        story.hold_deletes(connection).await;
        let path = format!("/connections/{id}/streams/stores/deletes");
        story.act_at("post", "", &path, nothing(), None, &["stream.confirm_deletes"]).await;

        story.act("post", &act("upgrade"), &[id], nothing(), &["shadow_replay.start"]).await;
        let shadow = story.newest_shadow().await;
        let route = "/connections/{id}/upgrade/{shadow_id}/cancel";
        story.act("post", route, &[id, shadow], nothing(), &["shadow_replay.cancel"]).await;
        story.act("post", &act("upgrade"), &[id], nothing(), &["shadow_replay.start"]).await;
        story.shop.work().await;
        let shadow = story.newest_shadow().await;
        let route = "/connections/{id}/upgrade/{shadow_id}/switch";
        story.act("post", route, &[id, shadow], nothing(), &["connection.switch_build"]).await;
        story.shop.work().await;
        let confirm = Sent::Form("confirm=Harbour+shop");
        story.act("post", &act("rollback"), &[id], confirm, &["connection.roll_back"]).await;
        story.shop.work().await;

        let rates = "date,base,quote,rate\n2026-01-02,EUR,USD,1.1\n";
        let table = format!("{}--b--\r\n", part("file", "; filename=\"rates.csv\"", rates));
        story.act("post", "/rates/import", &[], Sent::File(&table), &["rates.import"]).await;
        let form = "name=Shop&reporting_currency=GBP&time_zone=Europe/London&week_start=7";
        for route in ["/admin/company", "/setup/company"] {
            story.act("post", route, &[], Sent::Form(form), &["company.change"]).await;
        }
        let form = Sent::Form("policy=fixed");
        story.act("post", "/rates/policy", &[], form, &["rates.set_policy"]).await;
        let form = Sent::Form("name=Export&days=30&scope=orders%3Aread");
        story.act("post", "/admin/api-keys", &[], form, &["api_key.create"]).await;
        let key = story.shop.rows::<api_key::Entity>().await.pop().expect("a key").id;
        story.act("post", "/admin/api-keys/{id}/rotate", &[key], nothing(), &["api_key.rotate"]).await;
        story.act("post", "/admin/api-keys/{id}/revoke", &[key], nothing(), &["api_key.revoke"]).await;

        people_by_pages(&mut story).await;
        account_by_pages(&mut story).await;
        story.act("post", "/sign-out", &[], nothing(), &["session.end"]).await;
        leave_by_page(&mut story).await;

        for route in route_infos().1.into_iter().filter(|route| route.method == "POST") {
            let acted = story.acted.iter().filter_map(|acted| acted.strip_prefix("post "));
            let is_acted = acted.into_iter().any(|path| stands_for(&route.path, path));
            let elsewhere = TOLD_ELSEWHERE.contains(&route.path.as_str());
            assert!(
                is_acted || elsewhere,
                "{} is acted out nowhere here: does the audit tell it?",
                route.path
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_in_is_told_with_its_request() {
    const PASSWORD: &str = "a harbour at dusk, 1487";
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let tenant =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, "mara", Some(PASSWORD), tenant).await.expect("an owner");
        let form = |password: &str| format!("name=mara&password={}", password.replace(' ', "+"));
        let come = async |password: &str| {
            let request = Request::post("/sign-in")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin");
            shop.ask(request.body(Body::from(form(password))).expect("a request")).await
        };
        assert_eq!(come("no harbour").await.status, 422);
        let welcome = come(PASSWORD).await;
        assert_eq!(welcome.status, 303);
        let mut events = shop.rows::<audit_event::Entity>().await;
        events.sort_by_key(|event| event.seq);
        let told: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
        // What one transaction does is told in the order in which it was done.
        assert_eq!(
            told,
            ["tenant.create", "member.add", "member.add", "person.set_password", "session.begin"]
        );
        let begun = events.last().expect("an event");
        assert_eq!(begun.request_id, welcome.headers["x-request-id"].to_str().expect("text"));
        assert!(events.iter().all(|event| !format!("{event:?}").contains("mara")), "ids, no names");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_it_finds_it_by_person_action_thing_and_day() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let other = TestApp::new(test, "other").await;
        other.connect().await;
        let session = shop.session().await;
        let connection = shop.connect().await;
        for _ in 0..3 {
            let body = json!({ "policy": "fixed" }).to_string();
            let request = Request::put("/api/v1/fx-policy")
                .header(header::COOKIE, &session)
                .header(header::CONTENT_TYPE, "application/json")
                .header("sec-fetch-site", "same-origin");
            assert_eq!(shop.ask(request.body(Body::from(body)).expect("a request")).await.status, 204);
        }
        let list = async |query: &str| {
            let answer = shop.get(&session, &format!("/api/v1/audit/events{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {}", answer.body);
            let body = json_of(&answer);
            let events = body["data"].as_array().expect("events").clone();
            (events, body["page"].clone())
        };
        let (all, _) = list("").await;
        assert_eq!(all[0]["action"], "rates.set_policy", "newest first");
        assert!(all.iter().all(|event| event["subject_id"] != other.tenant.to_string()));
        assert_eq!(list("?action=rates").await.0.len(), 3);
        assert_eq!(list("?action=rates.set_policy").await.0.len(), 3);
        assert_eq!(list("?action=rate").await.0.len(), 0);
        assert_eq!(list("?action=%25").await.0.len(), 0, "no pattern");
        assert_eq!(list(&format!("?subject_id={connection}")).await.0.len(), 1);
        assert_eq!(list(&format!("?actor_id={}", Uuid::nil())).await.0.len(), 0);
        assert_eq!(list("?until=2020-01-01T00:00:00Z").await.0.len(), 0);
        // Forth and back, page by page.
        let (first, page) = list("?action=rates&limit=2").await;
        let next = page["next_cursor"].as_str().expect("more");
        let (second, page) = list(&format!("?action=rates&limit=2&cursor={next}")).await;
        assert_eq!((first.len(), second.len()), (2, 1));
        let back = page["prev_cursor"].as_str().expect("before");
        assert_eq!(list(&format!("?action=rates&limit=2&cursor={back}")).await.0, first);

        let seq = first[0]["seq"].as_i64().expect("a number");
        let page = shop.get(&session, &format!("/admin/audit/{seq}")).await;
        assert!(page.status == 200 && page.body.contains("fixed"), "{}", page.body);
        let page = shop.get(&session, "/admin/audit?what=rates").await;
        assert_eq!(page.body.matches("rates.set_policy").count(), 3, "{}", page.body);
        assert!(page.body.contains(">shop<"), "by name: {}", page.body);
        let page = shop.get(&session, "/admin/audit?what=nonsense").await;
        assert!(page.body.contains("No events match"), "{}", page.body);
        for path in ["/admin/audit/999999", "/api/v1/audit/events/999999", "/admin/audit/x"] {
            assert_eq!(shop.get(&session, path).await.status, 404, "{path}");
        }

        let person =
            NewPerson { sign_in_name: "ana".to_owned(), tenant: shop.tenant, role: SystemRole::Analyst };
        let app = Arc::clone(&shop.app);
        let added = shop.app.db.system_write(move |tx| {
            Box::pin(async move { add_person(tx, person, &*app.clock, &*app.random).await })
        });
        let ana = added.await.expect("a person");
        let link = shop.app.sessions.create_link(shop.tenant, ana).await.expect("a link");
        let analyst = shop.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in");
        let analyst = format!("ptl_session={}", analyst.token);
        for path in ["/admin/audit", "/admin/audit/1", "/admin/audit/verification", "/api/v1/audit/events"] {
            assert_eq!(shop.get(&analyst, path).await.status, 403, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_signed_every_hour_into_the_operators_file_which_finds_a_chain_made_anew() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        let file = shop.file("anchors.jsonl", b"");
        Arc::get_mut(&mut shop.app).expect("nobody else holds it yet").audit_anchors = Some(file.clone());
        schedule_anchors(&shop.app).await.expect("scheduled");
        schedule_anchors(&shop.app).await.expect("once");
        let lines = || std::fs::read_to_string(&file).expect("the file").lines().map(Anchor::parse).collect::<Vec<_>>();
        shop.work().await;
        assert!(lines().is_empty(), "not yet");
        shop.advance(Duration::from_hours(2));
        shop.work().await;
        let signed = lines();
        assert_eq!(signed.len(), 1, "{signed:?}");
        shop.advance(Duration::from_hours(1));
        shop.work().await;
        assert_eq!(lines().len(), 1, "nothing was done since");
        let session = shop.session().await;
        shop.connect().await;
        shop.advance(Duration::from_hours(1));
        shop.work().await;
        assert_eq!(lines().len(), 2);

        let verify = async || json_of(&shop.get(&session, "/api/v1/audit/verification").await);
        let found = verify().await;
        assert_eq!((&found["holds"], &found["anchors"]), (&json!(true), &json!(4)), "{found}");
        let page = shop.get(&session, "/admin/audit/verification").await;
        assert!(page.body.contains("It holds"), "{}", page.body);

        // With the database in their hands, somebody cuts the end off and takes the signatures away that knew it.
        let connection = shop.app.db.migration_connection();
        let keep = lines()[0].as_ref().expect("an anchor").seq - 1;
        let tenant = |sql: &str| sql.replace("OURS", &hex_of(test, shop.tenant));
        for sql in [
            format!("DELETE FROM audit_event WHERE tenant_id = OURS AND seq > {keep}"),
            "DELETE FROM audit_anchor WHERE tenant_id = OURS".to_owned(),
            format!(
                "UPDATE audit_head SET seq = {keep}, hash = (SELECT hash FROM audit_event WHERE tenant_id = OURS \
                 AND seq = {keep}) WHERE tenant_id = OURS"
            ),
        ] {
            let statement = Statement::from_string(connection.get_database_backend(), tenant(&sql));
            connection.execute_raw(statement).await.expect("done");
        }
        let found = verify().await;
        assert_eq!((&found["holds"], &found["broken"]["seq"]), (&json!(false), &json!(keep + 1)), "{found}");
        let page = shop.get(&session, "/admin/audit/verification").await;
        assert!(page.body.contains("It does not hold"), "{}", page.body);
    })
    .await;
}

/// A tenant's id as it is written in SQL.
fn hex_of(test: &TestDatabase, tenant: TenantId) -> String {
    match test.dialect() {
        portolan_db::Dialect::Sqlite => format!("x'{}'", tenant.0.simple()),
        portolan_db::Dialect::Postgres => format!("'{tenant}'"),
    }
}
