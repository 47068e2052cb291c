//! What policies keep from somebody is nowhere: every route asked by every role, and what single ones say.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use portolan_access::{NewPerson, SystemRole, add_person};
use portolan_app::ingest::batch::BatchAim;
use portolan_app::router::route_infos;
use portolan_app::web::route::{Access, RouteInfo};
use portolan_commerce::document::Document;
use portolan_core::{ConnectionId, UserId};
use portolan_db::entity::{document, sync};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::batches::post;
use crate::doors::Answer;
use crate::finance::{entry, payout};
use crate::isolation::{Asking, World, operations, sign_in_as};
use crate::replays::read_again;
use crate::support::*;
use crate::upgrades::{compare, install};
use crate::uploads::give;

/// A payment of so much is made nowhere else.
const CANARY_UNITS: i64 = 77_731;

async fn send(shop: &TestApp, session: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, session)
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "same-origin");
    shop.ask(request.body(Body::from(body.to_string())).expect("a request")).await
}

async fn made(shop: &TestApp, session: &str, body: &Value) -> String {
    let answer = send(shop, session, "POST", "/api/v1/policies", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    serde_json::from_str::<Value>(&answer.body).expect("json")["id"].as_str().expect("an id").to_owned()
}

/// Somebody with this role, and their session.
async fn person(shop: &TestApp, name: &str, role: SystemRole) -> (UserId, String) {
    let app = Arc::clone(&shop.app);
    let new = NewPerson { sign_in_name: name.to_owned(), tenant: shop.tenant, role };
    let added = shop.app.db.system_write(move |tx| {
        Box::pin(async move { add_person(tx, new, &*app.clock, &*app.random).await })
    });
    let user = added.await.expect("a person");
    let link = shop.app.sessions.create_link(shop.tenant, user).await.expect("a link");
    let session = shop.app.sessions.sign_in_with_link(&link, portolan_access::Client::default()).await;
    (user, format!("ptl_session={}", session.expect("a session").token))
}

async fn read(shop: &TestApp, session: &str, path: &str) -> Value {
    let answer = shop.get(session, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).expect("json")
}

/// The keys of what a list shows.
async fn keys(shop: &TestApp, session: &str, path: &str) -> Vec<String> {
    let listed = read(shop, session, path).await;
    let rows = listed["data"].as_array().expect("rows").iter();
    rows.map(|row| row["key"].as_str().expect("a key").to_owned()).collect()
}

/// A second connection of the first tenant, of which nobody but owners is told.
async fn with_a_hidden_connection(test: &TestDatabase) -> Asking {
    let own = World::new(test, "harbour").await;
    let shop = &own.shop;
    let hidden = shop.connect_as("canary counter").await;
    shop.runtime.clone().records("orders", None, vec![json!({ "entity": "canary-oddity" })]);
    let sync = shop.sync(hidden).await;
    let documents = vec![
        order("canary-order", CANARY_UNITS, 60),
        payout("canary-payout", CANARY_UNITS * 1_000, 10),
        entry("canary-entry", "canary-payout", "sale", (CANARY_UNITS * 1_000, 30)),
    ];
    post(shop, hidden, documents, BatchAim::default()).await;
    let replay = read_again(shop, hidden).await;
    install(shop, "3.0.0", json!({})).await;
    let shadow = compare(shop, hidden).await;
    let upload = give(shop, hidden, "canary-sheet.json", b"[]").await.expect("a file");
    let documents = shop.rows::<document::Entity>().await;
    let id_of = |key: &str| {
        let found = documents.iter().find(|document| document.key == key);
        found.unwrap_or_else(|| panic!("{key} in {documents:?}")).id.to_string()
    };
    // Another tenant lends its form: what it owns itself is asked for elsewhere.
    let mut foreign = World::new(test, "elsewhere").await;
    foreign.connection = hidden.to_string();
    foreign.sync = sync.id.to_string();
    foreign.order = id_of("canary-order");
    foreign.payout = id_of("canary-payout");
    foreign.upload = upload.id.to_string();
    foreign.replay = replay.id.to_string();
    foreign.shadow = shadow.id.to_string();
    foreign.person.clone_from(&own.person);
    foreign.team.clone_from(&own.team);
    foreign.invitation.clone_from(&own.invitation);
    foreign.role.clone_from(&own.role);
    foreign.policy.clone_from(&own.policy);
    foreign.session.clone_from(&own.session);
    let ids = [&foreign.connection, &foreign.sync, &foreign.order, &foreign.payout, &foreign.upload];
    foreign.words = ids.into_iter().chain([&foreign.replay, &foreign.shadow]).cloned().collect();
    // Names, and the amount as the API and as pages write it.
    let words = ["canary", "77731000", "777310.00", "777\u{202f}310", "777,310"];
    foreign.words.extend(words.map(str::to_owned));
    Asking::of(own, foreign)
}

fn guarded_routes() -> Vec<RouteInfo> {
    let (_, pages) = route_infos();
    let routes = operations().into_iter().chain(pages);
    routes.filter(|route| !matches!(route.access, Access::Public(_))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_one_connection_is_told_of_no_other_by_any_route() {
    on_both(migrate, async |test| {
        let asking = with_a_hidden_connection(test).await;
        let shop = &asking.own.shop;
        let owner = shop.session().await;
        let roles: Vec<&str> =
            SystemRole::ALL.iter().map(|role| role.as_str()).filter(|role| *role != "owner").collect();
        let rule = json!({ "dimension": "connection", "values": [asking.own.connection] });
        let policy =
            json!({ "name": "One counter", "rows": { "rules": [rule] }, "applies_to": { "roles": roles } });
        made(shop, &owner, &policy).await;
        for role in SystemRole::ALL.iter().filter(|role| **role != SystemRole::Owner) {
            let cookie = sign_in_as(&asking.own, *role).await;
            for route in guarded_routes() {
                // The audit tells the ids of all that was done, to whoever may read it.
                if !route.path.contains("/audit") {
                    asking.ask_as(&route, *role, &cookie).await;
                }
            }
        }
        // The same things are told to owners: what was looked for above could be found.
        let told =
            ["/orders", "/connections", "/syncs", "/finance", "/pulse", "/api/v1/orders", "/api/v1/payouts"];
        for path in told {
            let answer = shop.get(&owner, path).await;
            let hidden = asking.foreign.words.iter().any(|word| answer.body.contains(word));
            assert!(hidden, "{path} tells owners of everything: {}", answer.body);
        }
        for path in ["orders", "payouts", "connections", "syncs"] {
            let viewer = sign_in_as_named(&asking, "counted").await;
            let (all, seen) = (count(shop, &owner, path).await, count(shop, &viewer, path).await);
            assert!(seen < all && seen > 0, "{path}: {seen} of {all}");
        }
    })
    .await;
}

async fn sign_in_as_named(asking: &Asking, name: &str) -> String {
    // Names are one person's each.
    let unique = format!("{name}-{}", asking.own.shop.app.clock.now().0 + fresh());
    person(&asking.own.shop, &unique, SystemRole::Manager).await.1
}

fn fresh() -> i64 {
    static NAMES: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
    NAMES.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

async fn count(shop: &TestApp, session: &str, list: &str) -> usize {
    read(shop, session, &format!("/api/v1/{list}?limit=100")).await["data"].as_array().expect("rows").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_costs_and_buyers_are_told_to_whoever_may_see_them() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let mut costly = order("1001", 2, 60);
        if let Document::Order(order) = &mut costly {
            order.lines[0].cost_minor = Some(424_242);
        }
        post(&shop, connection, vec![costly, payout("po_1", 970, 10)], BatchAim::default()).await;
        let order_id = shop.rows::<document::Entity>().await;
        let order_id = order_id.iter().find(|row| row.entity == "order").expect("an order").id;
        let ask = async |session: &str, metric: &str| {
            let range = json!({ "from": "2026-01-01", "until": "2026-02-01" });
            let body = json!({ "metrics": [metric], "range": range });
            send(&shop, session, "POST", "/api/v1/queries", &body).await
        };
        for role in SystemRole::ALL {
            let (_, session) = person(&shop, &format!("a-{role}"), *role).await;
            let has = |permissions: &[&str]| {
                role.permissions().iter().any(|permission| permissions.contains(&permission.as_str()))
            };
            if has(&["analytics:query"]) {
                let metrics = read(&shop, &session, "/api/v1/metrics").await.to_string();
                for (metric, permissions) in [
                    ("payouts", &["finance:read", "finance:totals"][..]),
                    ("effective_fee_rate", &["finance:read", "finance:totals"]),
                    ("cogs", &["costs:read"]),
                    ("gross_margin", &["costs:read"]),
                    ("net_sales", &["analytics:query"]),
                ] {
                    let (answer, may) = (ask(&session, metric).await, has(permissions));
                    assert_eq!(
                        answer.status,
                        if may { 200 } else { 403 },
                        "{metric} as {role}: {}",
                        answer.body
                    );
                    if !may {
                        let problem = answer.problem();
                        assert_eq!(problem["code"], "forbidden");
                        assert!(problem["detail"].as_str().expect("a detail").contains("owner or admin"));
                    }
                    assert_eq!(metrics.contains(&format!("\"{metric}\"")), may, "{metric} as {role}");
                }
            }
            if has(&["orders:read"]) {
                let path = format!("/api/v1/orders/{order_id}");
                let page = format!("/orders/{order_id}");
                for path in [path.as_str(), page.as_str(), "/api/v1/orders"] {
                    let body = shop.get(&session, path).await.body;
                    assert!(
                        has(&["personal:read"]) || !body.contains("customer-1"),
                        "{path} as {role}: {body}"
                    );
                    assert!(has(&["costs:read"]) || !body.contains("424242"), "{path} as {role}: {body}");
                }
                if has(&["personal:read", "costs:read"]) {
                    let body = shop.get(&session, &path).await.body;
                    assert_eq!(has(&["personal:read"]), body.contains("customer-1"), "as {role}: {body}");
                    assert_eq!(has(&["costs:read"]), body.contains("424242"), "as {role}: {body}");
                }
            }
        }
        let owner = shop.session().await;
        let cash = json!({ "name": "No cash", "columns": { "columns": ["cash", "sales"], "effect": "hide" },
            "applies_to": { "roles": ["manager"] } });
        made(&shop, &owner, &cash).await;
        let (_, manager) = person(&shop, "another-manager", SystemRole::Manager).await;
        for path in ["/api/v1/payouts", "/finance", &format!("/api/v1/orders/{order_id}"), "/pulse"] {
            let answer = shop.get(&manager, path).await;
            assert!(answer.status == StatusCode::FORBIDDEN || !answer.body.contains("9.70"), "{path}");
        }
        assert_eq!(shop.get(&manager, "/api/v1/payouts").await.status, 403);
        assert_eq!(shop.get(&manager, &format!("/api/v1/orders/{order_id}/ledger")).await.status, 403);
        assert_eq!(read(&shop, &manager, "/api/v1/orders").await["data"][0]["total"], Value::Null);
        assert_eq!(ask(&manager, "net_sales").await.status, 403);
        assert_eq!(ask(&manager, "orders").await.status, 200);
    })
    .await;
}

/// Orders of two countries and one of nowhere, and a payout.
async fn two_countries(test: &TestDatabase) -> (TestApp, ConnectionId) {
    let shop = TestApp::new(test, "shop").await;
    let connection = shop.connect().await;
    let mut documents = vec![payout("po_1", 970, 10)];
    for (key, country) in [("here", Some("PT")), ("there", Some("FR")), ("nowhere", None)] {
        let mut placed = order(key, 2, 60);
        if let Document::Order(order) = &mut placed {
            order.country = country.map(str::to_owned);
        }
        documents.push(placed);
    }
    post(&shop, connection, documents, BatchAim::default()).await;
    (shop, connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_seen_by_what_is_known_of_the_person_and_none_where_nothing_is() {
    on_both(migrate, async |test| {
        let (shop, _) = two_countries(test).await;
        let owner = shop.session().await;
        let (ana, session) = person(&shop, "ana", SystemRole::Finance).await;
        let all = async || {
            let mut keys = keys(&shop, &session, "/api/v1/orders").await;
            keys.sort();
            keys
        };
        assert_eq!(all().await, ["here", "nowhere", "there"]);
        let orders = read(&shop, &owner, "/api/v1/orders").await;
        let id = |key: &str| {
            let orders = orders["data"].as_array().expect("orders");
            let found = orders.iter().find(|order| order["key"] == key).expect("the order");
            found["id"].as_str().expect("an id").to_owned()
        };
        let rule = json!({ "dimension": "country", "values": [{ "attribute": "countries" }] });
        let policy = |op: &str, values: Value| {
            let rule = json!({ "dimension": "country", "op": op, "values": values });
            json!({ "name": "Countries", "rows": { "rules": [rule] }, "applies_to": { "people": [ana] } })
        };
        let made = made(&shop, &owner, &policy("in", rule["values"].clone())).await;
        let path = format!("/api/v1/policies/{made}");
        assert_eq!(all().await, [""; 0], "an attribute that is not there has no values");

        let known = json!({ "attributes": { "countries": ["PT"] } });
        let of_ana = format!("/api/v1/people/{ana}/attributes");
        assert_eq!(send(&shop, &owner, "PUT", &of_ana, &known).await.status, 200);
        assert_eq!(read(&shop, &owner, &of_ana).await, known);
        assert_eq!(all().await, ["here"]);
        for (key, status) in [("here", 200), ("there", 404), ("nowhere", 404)] {
            for place in
                ["/api/v1/orders/{}", "/api/v1/orders/{}/ledger", "/api/v1/orders/{}/lineage", "/orders/{}"]
            {
                let path = place.replace("{}", &id(key));
                assert_eq!(shop.get(&session, &path).await.status, status, "{path}");
            }
        }
        assert!(!shop.get(&session, "/orders?q=there").await.body.contains("#there"));
        assert_eq!(keys(&shop, &session, "/api/v1/payouts").await, [""; 0], "payments have no country");
        assert_eq!(keys(&shop, &owner, "/api/v1/payouts").await, ["po_1"]);
        let range = json!({ "from": "2026-01-01", "until": "2026-02-01" });
        let cash = json!({ "metrics": ["gross_payments"], "range": range });
        let refused = send(&shop, &session, "POST", "/api/v1/queries", &cash).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(refused.body.contains("country"), "{}", refused.body);

        // By the next request, whatever it is changed to.
        for (op, values, seen) in [
            ("not_in", json!(["PT"]), vec!["nowhere", "there"]),
            ("in", json!(["FR", null]), vec!["nowhere", "there"]),
            ("not_in", json!([null]), vec!["here", "there"]),
            ("not_in", json!([{ "attribute": "others" }]), vec![]),
        ] {
            let changed = send(&shop, &owner, "PUT", &path, &policy(op, values.clone())).await;
            assert_eq!(changed.status, 200, "{}", changed.body);
            assert_eq!(all().await, seen, "{op} {values}");
        }
        let seen = read(&shop, &owner, &format!("/api/v1/people/{ana}/visibility")).await;
        assert_eq!((&seen["policies"], &seen["is_owner"]), (&json!(["Countries"]), &json!(false)));
        assert_eq!(seen["seen"]["rows"].as_array().map(Vec::len), Some(1), "{seen}");
        assert_eq!(send(&shop, &owner, "DELETE", &path, &Value::Null).await.status, 204);
        assert_eq!(all().await, ["here", "nowhere", "there"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_read_shows_nothing() {
    on_both(migrate, async |test| {
        let (shop, _) = two_countries(test).await;
        let (ana, session) = person(&shop, "ana", SystemRole::Manager).await;
        let owner = shop.session().await;
        let policy = json!({ "name": "Later", "columns": { "columns": ["costs"], "effect": "hide" },
            "applies_to": { "people": [ana] } });
        let id = made(&shop, &owner, &policy).await;
        assert_eq!(keys(&shop, &session, "/api/v1/orders").await.len(), 3);
        for damage in [
            "UPDATE data_policy SET body = '{\"columns\":[\"of_a_later_version\"],\"effect\":\"hide\"}'",
            "UPDATE data_policy SET body = 'damaged'",
            "UPDATE data_policy SET kind = 'weather'",
        ] {
            let sql = format!("{damage} WHERE tenant_id = $1");
            let tenant = shop.tenant;
            let damaged = shop.app.db.write(tenant, move |tx| {
                Box::pin(async move {
                    portolan_access::bump_access(tx.host_wide(), tenant).await?;
                    tx.execute_raw(tx.statement(&sql, [tenant.0.into()])).await?;
                    Ok::<_, portolan_db::DbError>(())
                })
            });
            damaged.await.expect("damaged");
            assert_eq!(keys(&shop, &session, "/api/v1/orders").await, [""; 0], "{damage}");
            assert_eq!(shop.get(&session, "/api/v1/payouts").await.status, 403, "{damage}");
            assert_eq!(keys(&shop, &owner, "/api/v1/orders").await.len(), 3);
        }
        assert_eq!(
            send(&shop, &owner, "DELETE", &format!("/api/v1/policies/{id}"), &Value::Null).await.status,
            204
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_owner_changes_what_applies_to_themselves_or_to_an_admin() {
    on_both(migrate, async |test| {
        let (shop, _) = two_countries(test).await;
        let owner = shop.session().await;
        let (ada, admin) = person(&shop, "ada", SystemRole::Admin).await;
        let (ben, _) = person(&shop, "ben", SystemRole::Viewer).await;
        let rule = json!({ "dimension": "country", "values": [{ "attribute": "countries" }] });
        let policy = |name: &str, applies: Value| {
            json!({ "name": name, "rows": { "rules": [rule] }, "applies_to": applies })
        };
        // An admin keeps rows from others, and not from admins.
        let others = made(&shop, &admin, &policy("Viewers", json!({ "roles": ["viewer"] }))).await;
        for applies in [json!({ "roles": ["admin"] }), json!({ "people": [ada] })] {
            let refused = send(&shop, &admin, "POST", "/api/v1/policies", &policy("Admins", applies)).await;
            assert_eq!(refused.status, 403, "{}", refused.body);
        }
        for (applies, path) in [(json!({ "roles": ["owner"] }), "applies_to"), (json!({ "roles": ["pilot"] }), "applies_to")]
        {
            let wrong = send(&shop, &owner, "POST", "/api/v1/policies", &policy("Wrong", applies)).await;
            assert_eq!(wrong.status, 422, "{}", wrong.body);
            assert!(wrong.problem()["errors"][0]["pointer"].to_string().contains(path), "{}", wrong.body);
        }
        let known = json!({ "attributes": { "countries": ["PT"] } });
        let of = |user: UserId| format!("/api/v1/people/{user}/attributes");
        assert_eq!(send(&shop, &admin, "PUT", &of(ben), &known).await.status, 200);

        // An owner may, and then it holds.
        let own = made(&shop, &owner, &policy("Admins", json!({ "roles": ["admin"] }))).await;
        assert_eq!(send(&shop, &owner, "PUT", &of(ada), &known).await.status, 200);
        assert_eq!(keys(&shop, &admin, "/api/v1/orders").await, ["here"]);
        let path = format!("/api/v1/policies/{own}");
        let wider = policy("Admins", json!({ "roles": [] }));
        let more = json!({ "attributes": { "countries": ["PT", "FR"] } });
        for (method, path, body) in
            [("PUT", &path, &wider), ("DELETE", &path, &Value::Null), ("PUT", &of(ada), &more)]
        {
            let refused = send(&shop, &admin, method, path, body).await;
            assert_eq!(refused.status, 403, "{method} {path}: {}", refused.body);
        }
        // Nor does it open by another role, or by somebody whom they let in.
        let roles = json!({ "roles": ["manager"] });
        for user in [ada, ben] {
            let path = format!("/api/v1/people/{user}/roles");
            let refused = send(&shop, &admin, "PUT", &path, &roles).await;
            assert_eq!(refused.status, 403, "{path}: {}", refused.body);
            assert!(refused.body.contains("policy"), "{}", refused.body);
        }
        assert_eq!(keys(&shop, &admin, "/api/v1/orders").await, ["here"]);
        assert_eq!(send(&shop, &owner, "DELETE", &path, &Value::Null).await.status, 204);
        assert_eq!(keys(&shop, &admin, "/api/v1/orders").await.len(), 3);
        assert_eq!(send(&shop, &admin, "DELETE", &format!("/api/v1/policies/{others}"), &Value::Null).await.status, 204);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_into_a_refused_policy_stands_in_its_form() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let owner = shop.session().await;
        let typed = |keeps: &'static str| {
            [
                ("name", "Two countries"),
                ("kind", "rows"),
                ("keeps", keeps),
                ("effect", "hide"),
                ("applies.role:viewer", "true"),
            ]
        };
        let list = "/admin/policies";
        let refused = shop.post_form(&owner, list, &typed("weather in wet")).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        let ticked = "name=\"applies.role:viewer\" value=\"true\" checked";
        for kept in
            ["value=\"Two countries\"", "weather in wet</textarea>", "is no rule", "Not saved", ticked]
        {
            assert!(refused.body.contains(kept), "{kept}: {}", refused.body);
        }
        assert_eq!(shop.post_form(&owner, list, &typed("country in DE")).await.status, 303);
        let taken = shop.post_form(&owner, list, &typed("country in DE")).await;
        assert!(taken.status == 409 && taken.body.contains("country in DE</textarea>"), "{}", taken.body);

        let made = read(&shop, &owner, "/api/v1/policies").await;
        let here = format!("/admin/policies/{}", made[0]["id"].as_str().expect("an id"));
        let refused = shop.post_form(&owner, &here, &typed("country is DE")).await;
        assert!(
            refused.status == 422 && refused.body.contains("country is DE</textarea>"),
            "{}",
            refused.body
        );
        assert!(shop.get(&owner, &here).await.body.contains("country in DE</textarea>"), "nothing is saved");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sees_what_its_maker_sees() {
    on_both(migrate, async |test| {
        let (shop, connection) = two_countries(test).await;
        let hidden = shop.connect_as("Canary counter").await;
        post(&shop, hidden, vec![order("canary", 2, 60)], BatchAim::default()).await;
        let owner = shop.session().await;
        let (ana, session) = person(&shop, "ana", SystemRole::Manager).await;
        let rule = json!({ "dimension": "connection", "values": [connection] });
        let policy = json!({ "name": "One", "rows": { "rules": [rule] }, "applies_to": { "people": [ana] } });
        made(&shop, &owner, &policy).await;
        let key = json!({ "name": "Export", "scopes": ["orders:read", "analytics:query", "syncs:run", "syncs:read"] });
        let key = send(&shop, &session, "POST", "/api/v1/api-keys", &key).await;
        let key: Value = serde_json::from_str(&key.body).expect("json");
        let key = format!("Bearer {}", key["key"].as_str().expect("a key"));
        let ask = async |method: &str, path: &str, body: Value| {
            let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, &key);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            shop.ask(request.body(Body::from(body.to_string())).expect("a request")).await
        };
        let orders = ask("GET", "/api/v1/orders", Value::Null).await;
        assert!(orders.status == 200 && orders.body.contains("here"), "{}", orders.body);
        assert!(!orders.body.contains("canary"), "{}", orders.body);
        let (start, before) = (json!({ "connection_id": hidden }), shop.rows::<sync::Entity>().await.len());
        assert_eq!(ask("POST", "/api/v1/syncs", start).await.status, 404);
        assert_eq!(shop.rows::<sync::Entity>().await.len(), before);
        // A key has no more than its scopes: without finance:read or finance:totals no payments.
        let range = json!({ "from": "2026-01-01", "until": "2026-02-01" });
        let cash = json!({ "metrics": ["gross_payments"], "range": range });
        assert_eq!(ask("POST", "/api/v1/queries", cash).await.status, 403);
    })
    .await;
}
