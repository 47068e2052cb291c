//! Every route, asked by every role, by nobody, and with what belongs to another tenant. The routes are those of the
//! OpenAPI document and of the pages' own list: a new one is asked here without being named, and a new kind of thing in
//! an address fails here until it is made.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use portolan_access::{Client, NewPerson, Permission, SystemRole, add_person};
use portolan_app::router::{openapi_json, route_infos, router};
use portolan_app::web::route::{Access, RouteInfo, SIGNED_IN};
use portolan_db::Dialect;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::doors::Answer;
use crate::support::*;

pub mod world;

pub use world::World;

/// The addresses behind one that ends in an action.
fn actions(path: &str) -> Vec<String> {
    let names: &[&str] = match path {
        "/connections/{id}/{action}" => &["sync", "pause", "resume", "check", "delete"],
        "/syncs/{id}/{action}" => &["pause", "resume", "cancel"],
        _ => return vec![path.to_owned()],
    };
    names.iter().map(|name| path.replace("{action}", name)).collect()
}

/// What an address cannot do without.
fn query_of(path: &str) -> &'static str {
    match path {
        "/api/v1/fx-rates" => "?base=EUR&quote=USD&from=2026-05-01&until=2026-05-02",
        _ => "",
    }
}

/// A body that gets as far as looking for the thing.
fn body_of(path: &str, foreign: &World) -> String {
    match path {
        "/api/v1/syncs" => json!({ "connection_id": foreign.connection }),
        "/api/v1/people/{id}/roles" | "/api/v1/teams/{id}/roles" => json!({ "roles": ["viewer"] }),
        "/api/v1/people/{id}/ban" => json!({ "reason": "a test" }),
        "/api/v1/teams/{id}" => json!({ "name": "another" }),
        "/api/v1/teams/{id}/members" => json!({ "members": [foreign.person] }),
        "/api/v1/roles/{name}" => json!({ "rules": {} }),
        "/api/v1/auth/passkeys/{id}" => json!({ "name": "another" }),
        "/api/v1/people/{id}/attributes" => json!({ "attributes": {} }),
        "/api/v1/policies/{id}" => {
            json!({ "name": "x", "columns": { "columns": ["costs"], "effect": "hide" }, "applies_to": {} })
        }
        "/api/v1/connections/{id}/secret" => json!({ "field": "token", "value": "open-sesame" }),
        _ => json!({}),
    }
    .to_string()
}

fn request(route: &RouteInfo, path: &str, cookie: Option<&str>, foreign: &World) -> Request<Body> {
    let method = Method::from_bytes(route.method.as_bytes()).expect("a method");
    let mut request = Request::builder().method(&method).uri(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    if method == Method::GET {
        return request.body(Body::empty()).expect("a request");
    }
    let (kind, body) = match route.path.as_str() {
        of_api if of_api.starts_with("/api/") => ("application/json", body_of(of_api, foreign)),
        "/rates/import" | "/connections/{id}/uploads" => {
            ("multipart/form-data; boundary=x", "--x--\r\n".to_owned())
        }
        "/tenants/switch" => ("application/x-www-form-urlencoded", format!("tenant={}", foreign.shop.tenant)),
        _ => ("application/x-www-form-urlencoded", String::new()),
    };
    let request = request.header(header::CONTENT_TYPE, kind).header(header::IF_MATCH, "\"1\"");
    request.header("sec-fetch-site", "same-origin").body(Body::from(body)).expect("a request")
}

/// The routes of the OpenAPI document, with what it says that they need.
pub fn operations() -> Vec<RouteInfo> {
    let document: Value = serde_json::from_str(&openapi_json().expect("a document")).expect("json");
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (name, operation) in item.as_object().expect("operations") {
            let Some(method) = ["GET", "PUT", "POST", "PATCH", "DELETE"]
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(name))
            else {
                continue;
            };
            let access = match operation["x-permission"].as_str() {
                Some(SIGNED_IN) => Access::SignedIn,
                Some(names) => {
                    assert_eq!(operation["x-public"], Value::Null, "{method} {path}");
                    let mut names =
                        names.split(' ').map(|name| name.parse::<Permission>().expect("a permission"));
                    Access::Needs { permission: names.next().expect("one"), also: names.next() }
                }
                None => {
                    let reason = operation["x-public"].as_str();
                    assert!(reason.is_some(), "{method} {path} says neither what it needs nor why nothing");
                    Access::Public("as the document says")
                }
            };
            routes.push(RouteInfo { method, path: path.clone(), access });
        }
    }
    routes
}

/// Somebody with this role, signed in.
pub async fn sign_in_as(world: &World, role: SystemRole) -> String {
    let app = Arc::clone(&world.shop.app);
    let person = NewPerson { sign_in_name: format!("a-{role}"), tenant: world.shop.tenant, role };
    let user = world.shop.app.db.system_write(move |tx| {
        Box::pin(async move { add_person(tx, person, &*app.clock, &*app.random).await })
    });
    let user = user.await.expect("a person");
    let sessions = &world.shop.app.sessions;
    let link = sessions.create_link(world.shop.tenant, user).await.expect("a link");
    let session = sessions.sign_in_with_link(&link, Client::default()).await.expect("a session");
    format!("ptl_session={}", session.token)
}

/// What everybody asks.
pub struct Asking {
    router: Router,
    pub own: World,
    pub foreign: World,
}

impl Asking {
    async fn new(test: &TestDatabase) -> Self {
        let (own, foreign) = (World::new(test, "harbour").await, World::new(test, "quayside").await);
        Self::of(own, foreign)
    }

    pub fn of(own: World, foreign: World) -> Self {
        Self { router: router(Arc::clone(&own.shop.app)), own, foreign }
    }

    async fn ask(&self, route: &RouteInfo, path: &str, cookie: Option<&str>) -> Answer {
        let asked = request(route, path, cookie, &self.foreign);
        let answer = Answer::read(self.router.clone().oneshot(asked).await.expect("an answer")).await;
        // What was asked by may be told again.
        let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let mut secret = self.foreign.words.iter().filter(|word| !query.contains(*word));
        let leaked = secret.find(|word| answer.body.contains(*word));
        assert_eq!(leaked, None, "{} {path} tells of another tenant: {}", route.method, answer.body);
        assert!(!answer.status.is_server_error(), "{} {path}: {}", route.method, answer.body);
        answer
    }

    /// One route by one role, with this tenant's things and with the other's.
    pub async fn ask_as(&self, route: &RouteInfo, role: SystemRole, cookie: &str) {
        let allowed = route.access.permissions().all(|needed| role.permissions().contains(&needed));
        for path in actions(&route.path) {
            let own = self.own.fill(&path, &self.own);
            let changes = route.method != "GET";
            let what = format!("{} {path} as {role}", route.method);
            if !allowed {
                assert_eq!(self.ask(route, &own, Some(cookie)).await.status, StatusCode::FORBIDDEN, "{what}");
            } else if own == "/events" || own == "/api/v1/leave" {
                // An answer without an end, and one that would end the session: their own stories tell of them.
            } else if !changes {
                let filtered =
                    format!("{own}?connection_id={id}&connection={id}", id = self.foreign.connection);
                self.ask(route, &filtered, Some(cookie)).await;
                let answer = self.ask(route, &format!("{own}{}", query_of(&own)), Some(cookie)).await;
                let wanted = match path.as_str() {
                    // The scripted plugin has no columns to choose.
                    path if path.contains("/mapping/") => 404,
                    // No seed waits for its first code: back to the account.
                    "/account/second-factor" => 303,
                    _ => 200,
                };
                assert_eq!(answer.status, wanted, "{what}: {}", answer.body);
            } else if path == own {
                // Nothing of a tenant's in the address: it is the body that is wrong, or names another's thing.
                let answer = self.ask(route, &own, Some(cookie)).await;
                let wrong = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED];
                assert!(!wrong.contains(&answer.status), "{what}: {}", answer.body);
                if path == "/api/v1/syncs" || path == "/tenants/switch" {
                    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}");
                }
            }
            // All of the other's, and the other's within one's own.
            for foreign in [self.foreign.fill(&path, &self.foreign), self.own.fill(&path, &self.foreign)] {
                if foreign != own {
                    let answer = self.ask(route, &foreign, Some(cookie)).await;
                    let wanted = if allowed { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
                    assert_eq!(answer.status, wanted, "{what} at {foreign}: {}", answer.body);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_by_whom_it_says_and_shows_nobody_what_is_anothers() {
    on_both(migrate, async |test| {
        ask_everything(&Asking::new(test).await).await;
    })
    .await;
}

/// Every guarded route by every role, with this tenant's things and with the other's.
async fn ask_everything(asking: &Asking) {
    let (_, pages) = route_infos();
    let routes: Vec<RouteInfo> = operations().into_iter().chain(pages).collect();
    let guarded: Vec<&RouteInfo> =
        routes.iter().filter(|route| !matches!(route.access, Access::Public(_))).collect();
    assert!(guarded.len() > 60, "{} routes", guarded.len());
    let before = asking.foreign.everything().await;
    for role in SystemRole::ALL {
        let cookie = sign_in_as(&asking.own, *role).await;
        for route in &guarded {
            asking.ask_as(route, *role, &cookie).await;
        }
    }
    assert_eq!(asking.foreign.everything().await, before, "nobody changed anything of the other tenant");
}

/// The saboteur: a product whose transactions neither filter by their tenant nor refuse what does not. On PostgreSQL
/// the second wall holds alone.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_first_wall_no_route_shows_or_changes_what_is_anothers() {
    let Some(mut test) = TestDatabase::postgres(migrate).await else {
        return portolan_db::testing::say_skipped();
    };
    test.database = test.database.without_tenant_filter();
    ask_everything(&Asking::new(&test).await).await;
    test.discard().await;
}

/// SQLite has the first wall alone: what the saboteur asks there shows that it is no paper tiger.
#[tokio::test(flavor = "multi_thread")]
async fn without_any_wall_a_route_shows_what_is_anothers() {
    let mut test = TestDatabase::sqlite(migrate).await;
    test.database = test.database.without_tenant_filter();
    assert_eq!(test.dialect(), Dialect::Sqlite);
    let (own, foreign) = (TestApp::new(&test, "harbour").await, TestApp::new(&test, "quayside").await);
    foreign.connect_as("quayside counter").await;
    let session = own.session().await;
    let list = own.get(&session, "/api/v1/connections").await;
    assert!(list.body.contains("quayside counter"), "{}", list.body);
    test.discard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_is_told_so_everywhere() {
    on_both(migrate, async |test| {
        let asking = Asking::new(test).await;
        let (_, pages) = route_infos();
        for route in operations() {
            let path = asking.own.fill(&route.path, &asking.own);
            let answer = asking.ask(&route, &path, None).await;
            if matches!(route.access, Access::Public(_)) {
                // Tokens of programs stand in a header that nobody sent here.
                let wanted = match path.as_str() {
                    // Passkeys are asked under an address, and this host has none.
                    "/api/v1/auth/passkeys/sign-in" => 409,
                    path if path.starts_with("/api/v1/auth/") => 401,
                    _ => 200,
                };
                assert_eq!(answer.status, wanted, "{path}");
                continue;
            }
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {path}", route.method);
            assert_eq!(answer.problem()["code"], "unauthenticated", "{} {path}", route.method);
        }
        for route in pages.iter().filter(|route| !matches!(route.access, Access::Public(_))) {
            for path in actions(&route.path) {
                let path = asking.own.fill(&path, &asking.own);
                let answer = asking.ask(route, &path, None).await;
                if path == "/events" {
                    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
                    continue;
                }
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{} {path}", route.method);
                let place = answer.location.unwrap_or_default();
                assert!(place.starts_with("/sign-in"), "{} {path}: {place}", route.method);
            }
        }
    })
    .await;
}

/// What the document and the list of pages say is what the routes were registered with.
#[test]
fn every_route_is_listed_once_with_what_it_needs() {
    let (of_api, pages) = route_infos();
    let mut told: Vec<String> = operations()
        .iter()
        .map(|route| {
            format!("{} {} {:?}", route.method, route.path, route.access.permissions().collect::<Vec<_>>())
        })
        .collect();
    let mut registered: Vec<String> = of_api
        .iter()
        .map(|route| {
            format!("{} {} {:?}", route.method, route.path, route.access.permissions().collect::<Vec<_>>())
        })
        .collect();
    told.sort();
    registered.sort();
    assert_eq!(told, registered);
    let mut addresses: Vec<_> =
        of_api.iter().chain(&pages).map(|route| (route.method, &route.path)).collect();
    let all = addresses.len();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), all);
    for route in of_api.iter().chain(&pages) {
        if let Access::Public(reason) = route.access {
            assert!(reason.len() > 10, "{} {} says why it is public", route.method, route.path);
        }
    }
}
