//! Agencies and their clients: what is granted explicitly holds, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, header};
use portolan_access::{NewPerson, NewSignInPolicy, Permission, SystemRole, add_person};
use portolan_app::people::{NewTenant, add_client_tenant, add_owner};
use portolan_core::{TenantId, UserId};
use portolan_db::entity::{audit_event, role_grant, tenant};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

use crate::doors::Answer;
use crate::support::*;

const TENANTS: &str = "/api/v1/tenants";

pub async fn ask(shop: &TestApp, method: Method, path: &str, session: &str, body: Option<&Value>) -> Answer {
    let request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
    let mut request = request.header(header::COOKIE, session);
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    shop.ask(request.body(body).expect("a request")).await
}

async fn post(shop: &TestApp, session: &str, path: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header(header::COOKIE, session)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    shop.ask(request.body(Body::from(form.to_owned())).expect("a request")).await
}

async fn add(shop: &TestApp, tenant: TenantId, name: &str, role: SystemRole) -> UserId {
    let person = NewPerson { sign_in_name: name.to_owned(), tenant, role };
    let app = Arc::clone(&shop.app);
    let added = shop.app.db.system_write(move |tx| {
        Box::pin(async move { add_person(tx, person, &*app.clock, &*app.random).await })
    });
    added.await.expect("a person")
}

async fn session_of(shop: &TestApp, tenant: TenantId, user: UserId) -> String {
    let link = shop.app.sessions.create_link(tenant, user).await.expect("a link");
    let session = shop.app.sessions.sign_in_with_link(&link, Default::default()).await.expect("a session");
    format!("ptl_session={}", session.token)
}

fn client(slug: &str, people: &Value) -> Value {
    let mut new = json!({
        "name": format!("Client {slug}"), "slug": slug, "reporting_currency": "GBP", "time_zone": "Europe/London",
    });
    if !people.is_null() {
        new["people"] = people.clone();
    }
    new
}

fn id_of(answer: &Answer) -> TenantId {
    let body: Value = serde_json::from_str(&answer.body).expect("json");
    TenantId(body["id"].as_str().expect("an id").parse().expect("a uuid"))
}

async fn make(shop: &TestApp, session: &str, slug: &str, people: &Value) -> TenantId {
    let made = ask(shop, Method::POST, TENANTS, session, Some(&client(slug, people))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    id_of(&made)
}

async fn events_of(shop: &TestApp, tenant: TenantId) -> Vec<audit_event::Model> {
    let tx = shop.app.db.read(tenant).await.expect("read");
    let mut events = tx.find::<audit_event::Entity>().all(&tx).await.expect("events");
    events.sort_by_key(|event| event.seq);
    events
}

async fn row(shop: &TestApp, id: TenantId) -> tenant::Model {
    let tx = shop.app.db.system_read().await.expect("read");
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::Id.eq(id.0)).one(&tx).await;
    found.expect("read").expect("a tenant")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_begins_like_any_company_and_is_seen_by_its_own_people_alone() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "agency").await;
        let session = shop.session().await;
        let ana = add(&shop, shop.tenant, "ana", SystemRole::Admin).await;
        let of_ana = session_of(&shop, shop.tenant, ana).await;

        let id = make(&shop, &session, "bakery", &Value::Null).await;
        let made = row(&shop, id).await;
        assert_eq!((made.parent_id, made.reporting_currency.as_str()), (Some(shop.tenant.0), "GBP"));
        let events = events_of(&shop, id).await;
        let told: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(told, ["tenant.create", "member.add"]);
        assert!(events.iter().all(|event| event.actor_id == Some(shop.user.0)));
        // It has all that a company has: its owner goes there and works.
        let there = session_of(&shop, id, shop.user).await;
        for path in ["/pulse", "/admin/people", "/api/v1/orders", "/api/v1/audit/verification"] {
            assert_eq!(shop.get(&there, path).await.status, 200, "{path}");
        }

        // Somebody else who manages the agency's clients sees its name and a number, and nothing of it.
        let list = shop.get(&of_ana, "/api/v1/clients").await;
        let list: Value = serde_json::from_str(&list.body).expect("json");
        assert_eq!((list[0]["name"].as_str(), list[0]["people"].as_u64()), (Some("Client bakery"), Some(1)));
        let fields: BTreeSet<&str> =
            list[0].as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, BTreeSet::from(["founded_at", "id", "name", "people", "slug", "state"]));
        let foreign = TestApp::new(test, "stranger").await;
        let stranger = foreign.session().await;
        for (who, cookie) in [("of the agency", &of_ana), ("a stranger", &stranger)] {
            for path in ["", "/grants", "/branding", "/domains"] {
                let asked = shop.get(cookie, &format!("{TENANTS}/{id}{path}")).await;
                assert_eq!(asked.status, 404, "{who}: {path}: {}", asked.body);
            }
            let gone = post(&shop, cookie, "/tenants/switch", &format!("tenant={id}")).await;
            assert_eq!(gone.status, 404, "{who}");
            let grant = json!({ "person": ana.0, "roles": ["owner"] });
            let path = format!("{TENANTS}/{id}/grants");
            assert_eq!(ask(&shop, Method::POST, &path, cookie, Some(&grant)).await.status, 404, "{who}");
        }
        let page = shop.get(&of_ana, &format!("/tenants/{id}")).await;
        assert!(page.status == 200 && !page.body.contains("Who of the agency"), "{}", page.body);
        assert_eq!(shop.get(&stranger, &format!("/tenants/{id}")).await.status, 404);
        assert_eq!(shop.get(&stranger, "/api/v1/clients").await.body, "[]");

        // One level deep: a client has no clients.
        let deeper = ask(&shop, Method::POST, TENANTS, &there, Some(&client("deeper", &Value::Null))).await;
        assert_eq!(deeper.status, 409, "{}", deeper.body);
        let new = || NewTenant { slug: "deep".into(), currency: "EUR".into(), time_zone: "UTC".into() };
        assert!(add_client_tenant(&shop.app, new(), "bakery").await.is_err());
        // Nor becomes a company that is there a client.
        let new = NewTenant { slug: "stranger".into(), currency: "EUR".into(), time_zone: "UTC".into() };
        assert!(add_client_tenant(&shop.app, new, "agency").await.is_err());
        assert_eq!(row(&shop, foreign.tenant).await.parent_id, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_founds_a_client_names_people_of_the_agency_and_an_owner() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "agency").await;
        let session = shop.session().await;
        let ana = add(&shop, shop.tenant, "ana", SystemRole::Viewer).await;
        let foreign = TestApp::new(test, "stranger").await;
        let refused = async |slug: &str, people: Value, field: &str| {
            let asked = ask(&shop, Method::POST, TENANTS, &session, Some(&client(slug, &people))).await;
            assert_eq!(asked.status, 422, "{people}: {}", asked.body);
            assert_eq!(asked.problem()["errors"][0]["pointer"], field, "{}", asked.body);
        };
        refused("one", json!({}), "people").await;
        refused("one", json!({ ana.0.to_string(): "viewer" }), "people").await;
        refused("one", json!({ ana.0.to_string(): "king" }), "people").await;
        refused("one", json!({ foreign.user.0.to_string(): "owner" }), "people").await;
        refused("stranger", Value::Null, "slug").await;
        refused("Not so", Value::Null, "slug").await;
        let mut odd = client("one", &Value::Null);
        odd["reporting_currency"] = json!("EURO");
        odd["name"] = json!("a\u{0}b");
        assert_eq!(ask(&shop, Method::POST, TENANTS, &session, Some(&odd)).await.status, 422);
        let clients = shop.get(&session, "/api/v1/clients").await;
        assert_eq!(clients.body, "[]", "nothing was made by what was refused");

        // Whoever founds it need not be in it: then its audit does not learn who it was.
        let id = make(&shop, &session, "bakery", &json!({ ana.0.to_string(): "owner" })).await;
        let events = events_of(&shop, id).await;
        assert!(events.iter().all(|event| event.actor_kind == "other_company" && event.actor_id.is_none()));
        assert!(!format!("{events:?}").contains(&shop.user.to_string()));
        assert_eq!(shop.get(&session, &format!("{TENANTS}/{id}/grants")).await.status, 404);
        let of_ana = session_of(&shop, id, ana).await;
        assert_eq!(shop.get(&of_ana, "/admin/people").await.status, 200);
        // An analyst of the agency makes no clients, and a key never does.
        let viewer = session_of(&shop, shop.tenant, ana).await;
        let asked = ask(&shop, Method::POST, TENANTS, &viewer, Some(&client("two", &Value::Null))).await;
        assert_eq!(asked.status, 403);
        let key = json!({ "name": "till", "scopes": ["clients:manage"] });
        let key = ask(&shop, Method::POST, "/api/v1/api-keys", &session, Some(&key)).await;
        assert_eq!(key.status, 422, "{}", key.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_asks_of_whoever_lets_people_in_what_it_asks_at_its_own_door() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "agency").await;
        let session = shop.session().await;
        let id = make(&shop, &session, "bakery", &Value::Null).await;
        let grants = format!("{TENANTS}/{id}/grants");
        assert_eq!(shop.get(&session, &grants).await.status, 200);
        let demand = async |roles: &[&str], networks: &[&str]| {
            let policy = NewSignInPolicy {
                second_factor_roles: roles.iter().map(|role| (*role).to_owned()).collect(),
                session_minutes: 720,
                idle_minutes: 120,
                networks: networks.iter().map(|network| (*network).to_owned()).collect(),
                mail_codes: false,
                device_days: 30,
            };
            let by = shop.who();
            let changer = portolan_access::Changer {
                user: shop.user,
                second_factor: true,
                from: Some("192.0.2.7".parse().expect("an address")),
            };
            let changed = shop.app.db.write(id, move |tx| {
                Box::pin(async move {
                    portolan_access::change_sign_in_policy(tx, &by, changer, policy, START).await
                })
            });
            changed.await.expect("a policy");
        };
        demand(&["owner"], &[]).await;
        let asked = shop.get(&session, &grants).await;
        assert_eq!(asked.problem()["code"], "second_factor_required");
        demand(&[], &["192.0.2.0/24"]).await;
        let asked = shop.get(&session, &grants).await;
        assert_eq!(asked.problem()["code"], "network_not_allowed");
        demand(&[], &[]).await;
        assert_eq!(shop.get(&session, &grants).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_side_lets_go_and_neither_audit_learns_of_the_others_people() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "agency").await;
        let session = shop.session().await;
        let id = make(&shop, &session, "bakery", &Value::Null).await;
        let baker = add(&shop, id, "baker", SystemRole::Owner).await;
        let clerk = add(&shop, id, "clerk", SystemRole::Admin).await;
        let release = format!("{TENANTS}/{id}/release");
        let of_clerk = session_of(&shop, id, clerk).await;
        let asked = ask(&shop, Method::POST, &release, &of_clerk, None).await;
        assert_eq!(asked.status, 403, "no owner: {}", asked.body);
        let foreign = TestApp::new(test, "stranger").await;
        let asked = ask(&shop, Method::POST, &release, &foreign.session().await, None).await;
        assert_eq!(asked.status, 404);

        let of_baker = session_of(&shop, id, baker).await;
        let page = shop.get(&of_baker, &format!("/tenants/{id}")).await;
        assert!(page.body.contains("Leave the agency"), "{}", page.body);
        let left = ask(&shop, Method::POST, &release, &of_baker, None).await;
        assert_eq!(left.status, 204, "{}", left.body);
        assert_eq!(row(&shop, id).await.parent_id, None);
        let of_agency = events_of(&shop, shop.tenant).await;
        let last = of_agency.last().expect("an event");
        assert_eq!((last.action.as_str(), last.actor_kind.as_str()), ("client.release", "other_company"));
        assert!(!format!("{of_agency:?}").contains(&baker.to_string()));
        let here = events_of(&shop, id).await;
        let last = here.last().expect("an event");
        assert_eq!((last.action.as_str(), last.actor_id), ("agency.leave", Some(baker.0)));
        assert!(!format!("{here:?}").contains(&shop.tenant.to_string()), "not by the agency's id");
        // Whoever belongs to it stays in it; the agency has no say any more.
        assert_eq!(shop.get(&session, &format!("{TENANTS}/{id}/grants")).await.status, 404);
        assert_eq!(shop.get(&session_of(&shop, id, shop.user).await, "/pulse").await.status, 200);
        assert_eq!(ask(&shop, Method::POST, &release, &of_baker, None).await.status, 409);

        // From the agency's side, by somebody who does not belong to the client.
        let second = make(&shop, &session, "books", &Value::Null).await;
        let ana = add(&shop, shop.tenant, "ana", SystemRole::Admin).await;
        let of_ana = session_of(&shop, shop.tenant, ana).await;
        let release = format!("{TENANTS}/{second}/release");
        assert_eq!(ask(&shop, Method::POST, &release, &of_ana, None).await.status, 204);
        assert!(!format!("{:?}", events_of(&shop, second).await).contains(&ana.to_string()));

        // Nobody lets go of a company that nobody could come in to.
        let empty = NewTenant { slug: "empty".into(), currency: "EUR".into(), time_zone: "UTC".into() };
        let empty = add_client_tenant(&shop.app, empty, "agency").await.expect("a client");
        let release = format!("{TENANTS}/{empty}/release");
        assert_eq!(ask(&shop, Method::POST, &release, &of_ana, None).await.status, 409);
        let owner = NewTenant { slug: "empty".into(), currency: "EUR".into(), time_zone: "UTC".into() };
        add_owner(&shop.app, "keeper", None, owner).await.expect("an owner");
        assert_eq!(ask(&shop, Method::POST, &release, &of_ana, None).await.status, 204);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_of_a_client_is_not_taken_out() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "agency").await;
        let session = shop.session().await;
        let ana = add(&shop, shop.tenant, "ana", SystemRole::Viewer).await;
        let id = make(&shop, &session, "bakery", &Value::Null).await;
        let one = |user: UserId| format!("{TENANTS}/{id}/grants/{user}");
        assert_eq!(ask(&shop, Method::DELETE, &one(shop.user), &session, None).await.status, 409);
        assert_eq!(ask(&shop, Method::DELETE, &one(ana), &session, None).await.status, 404);
        let grant = json!({ "person": ana.0, "roles": ["owner"] });
        let path = format!("{TENANTS}/{id}/grants");
        assert_eq!(ask(&shop, Method::POST, &path, &session, Some(&grant)).await.status, 204);
        assert_eq!(ask(&shop, Method::DELETE, &one(shop.user), &session, None).await.status, 204);
        // From now on it is ana who decides there, whatever she is in the agency.
        assert_eq!(shop.get(&session, &path).await.status, 404);
        let of_ana = session_of(&shop, id, ana).await;
        assert_eq!(shop.get(&of_ana, "/admin/people").await.status, 200);
    })
    .await;
}

#[derive(Debug, Clone)]
enum Step {
    Grant { client: usize, by: usize, whom: usize, roles: BTreeSet<usize> },
    Revoke { client: usize, by: usize, whom: usize },
    Release { client: usize, by: usize },
}

const ROLES: [SystemRole; 5] =
    [SystemRole::Owner, SystemRole::Admin, SystemRole::Manager, SystemRole::Analyst, SystemRole::Viewer];
const CLIENTS: usize = 2;
/// Of the agency, by their role there; the owner comes before them.
const PEOPLE: [SystemRole; 3] = [SystemRole::Admin, SystemRole::Admin, SystemRole::Viewer];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (client, person) = (|| 0..CLIENTS, || 0..=PEOPLE.len());
    // Whoever made the client decides there at first: by others alone nearly every step would be refused.
    let decider = || prop_oneof![2 => Just(0), 1 => person()];
    let roles = prop::collection::btree_set(0..ROLES.len(), 1..3);
    let step = prop_oneof![
        12 => (client(), decider(), person(), roles)
            .prop_map(|(client, by, whom, roles)| Step::Grant { client, by, whom, roles }),
        5 => (client(), decider(), person())
            .prop_map(|(client, by, whom)| Step::Revoke { client, by, whom }),
        1 => (client(), person()).prop_map(|(client, by)| Step::Release { client, by }),
    ];
    prop::collection::vec(step, 18)
}

/// What somebody holds in a client, by its own rows and by nothing else.
async fn held(shop: &TestApp, client: TenantId, user: UserId) -> BTreeSet<String> {
    let tx = shop.app.db.read(client).await.expect("read");
    let grants = tx.find::<role_grant::Entity>().filter(role_grant::Column::UserId.eq(user.0));
    grants.all(&tx).await.expect("grants").into_iter().map(|grant| grant.role).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_client_somebody_of_the_agency_may_what_the_clients_own_rows_say_and_nothing_else() {
    on_both(migrate, async |test| {
        let mut granted = 0;
        for history in 0..2_u8 {
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[history; 32]);
            let mut runner = TestRunner::new_with_rng(Config::default(), rng);
            let steps = steps().new_tree(&mut runner).expect("a history").current();
            let shop = TestApp::new(test, &format!("agency-{history}")).await;
            let mut people = vec![shop.user];
            for (number, role) in PEOPLE.into_iter().enumerate() {
                people.push(add(&shop, shop.tenant, &format!("person-{history}-{number}"), role).await);
            }
            let mut sessions = BTreeMap::new();
            for user in &people {
                sessions.insert(*user, session_of(&shop, shop.tenant, *user).await);
            }
            let mut clients = Vec::new();
            for number in 0..CLIENTS {
                let slug = format!("client-{history}-{number}");
                clients.push(make(&shop, &sessions[&shop.user], &slug, &Value::Null).await);
            }
            for step in steps {
                let (path, method, by, body) = match &step {
                    Step::Grant { client, by, whom, roles } => {
                        let roles: Vec<&str> = roles.iter().map(|role| ROLES[*role].as_str()).collect();
                        let body = json!({ "person": people[*whom].0, "roles": roles });
                        (format!("{TENANTS}/{}/grants", clients[*client]), Method::POST, *by, Some(body))
                    }
                    Step::Revoke { client, by, whom } => {
                        let path = format!("{TENANTS}/{}/grants/{}", clients[*client], people[*whom]);
                        (path, Method::DELETE, *by, None)
                    }
                    Step::Release { client, by } => {
                        (format!("{TENANTS}/{}/release", clients[*client]), Method::POST, *by, None)
                    }
                };
                let answer = ask(&shop, method, &path, &sessions[&people[by]], body.as_ref()).await;
                assert!(!answer.status.is_server_error(), "{step:?}: {}", answer.body);
                granted += usize::from(answer.status == 204);
                for client in &clients {
                    check_client(&shop, *client, &people, &sessions, &step).await;
                }
            }
        }
        assert!(granted > 6, "{granted} of the steps were taken");
    })
    .await;
}

/// Everybody of the agency, looking at one client: by the door of switching, by the API, and by its rules.
async fn check_client(
    shop: &TestApp,
    client: TenantId,
    people: &[UserId],
    sessions: &BTreeMap<UserId, String>,
    step: &Step,
) {
    let client_row = row(shop, client).await;
    let policies = shop.app.sessions.policies();
    let policy = policies.of(client, client_row.access_version).await.expect("a policy");
    let mut owners = 0;
    for user in people {
        let roles = held(shop, client, *user).await;
        owners += usize::from(roles.contains("owner"));
        let wanted: BTreeSet<Permission> = roles
            .iter()
            .filter_map(|role| role.parse::<SystemRole>().ok())
            .flat_map(|role| role.permissions().iter().copied())
            .collect();
        for permission in Permission::ALL {
            assert_eq!(policy.decide(*user, *permission), wanted.contains(permission), "{step:?} {user}");
        }
        let seen = shop.get(&sessions[user], &format!("{TENANTS}/{client}")).await;
        assert_eq!(seen.status, if roles.is_empty() { 404 } else { 200 }, "{step:?}: {}", seen.body);
        let grants = shop.get(&sessions[user], &format!("{TENANTS}/{client}/grants")).await.status.as_u16();
        let manages_clients = shop_role(people, *user).permissions().contains(&Permission::ClientsManage);
        let expected = match (manages_clients, roles.is_empty() || client_row.parent_id.is_none()) {
            (false, _) => 403,
            (true, true) => 404,
            (true, false) if wanted.contains(&Permission::PeopleManage) => 200,
            (true, false) => 403,
        };
        assert_eq!(grants, expected, "{step:?} {user} {roles:?}");
    }
    assert!(owners > 0, "somebody is left who can come in: {step:?}");
}

fn shop_role(people: &[UserId], user: UserId) -> SystemRole {
    match people.iter().position(|known| *known == user) {
        Some(0) | None => SystemRole::Owner,
        Some(number) => PEOPLE[number - 1],
    }
}
